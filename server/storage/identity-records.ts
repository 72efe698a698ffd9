/**
 * What the coordinator must not forget about nodes: tokens, certificates, revocations, and every envelope it acted on.
 * A change and the envelope that asked for it are written together, so that a crash between them can neither spend a token
 * for nothing nor act twice.
 */
import type { SignedCertificate } from '../../shared/identity/certificate.ts';
import type { RevocationReason } from '../../shared/identity/requests.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import type { NewOperator } from './operator-records.ts';

/** What was answered: the same bytes are answered the same way again. */
export type StoredAnswer =
  | { readonly kind: 'done'; readonly body: Json }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string };

export interface EnvelopeRecord {
  readonly node: string;
  readonly seq: number;
  /** Signed bytes, hex. */
  readonly statement: string;
  readonly signature: string;
  readonly answer: StoredAnswer;
}

export interface TokenRecord {
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  readonly organisation: string;
  readonly expiresAt: string;
  /** The key that used it. */
  readonly usedBy: string | null;
}

export interface RevocationRecord {
  readonly node: string;
  readonly reason: RevocationReason;
  readonly revokedAt: string;
}

/** One change that an envelope asks for. */
export type IdentityChange =
  /** The request was refused: only the envelope is kept. */
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: Omit<TokenRecord, 'usedBy'> }
  /** `replaces`: a revoked key that held the name. */
  | { readonly kind: 'enrol'; readonly certificate: SignedCertificate; readonly tokenHash: string; readonly replaces: string | null }
  | { readonly kind: 'renew'; readonly certificate: SignedCertificate }
  | { readonly kind: 'rotate'; readonly from: string; readonly certificate: SignedCertificate }
  | { readonly kind: 'revoke'; readonly node: string; readonly reason: RevocationReason }
  /** Whoever has the coordinator's key may always make an operator, or another token for one. */
  | { readonly kind: 'operator'; readonly operator: NewOperator };

export interface IdentityRecords {
  envelope(node: string, seq: number): Promise<EnvelopeRecord | null>;
  /** The highest number of a node that was acted on; 0 before the first. */
  lastSeq(node: string): Promise<number>;
  /**
   * Writes a change and the envelope that asked for it, both or neither.
   * @throws CestaError `enrolment.token-used` or `node.name-taken` when that happened meanwhile, `storage.failed` otherwise.
   */
  commitIdentity(envelope: EnvelopeRecord, change: IdentityChange): Promise<void>;
  token(hash: string): Promise<TokenRecord | null>;
  /** The newest certificate of a key, revoked or not. */
  certificate(node: string): Promise<SignedCertificate | null>;
  /** The newest certificate of every key that has one. */
  certificates(): Promise<readonly SignedCertificate[]>;
  /** Which shop a key belongs to, and the other way round: by enrolment, or by first use. */
  shopOf(node: string): Promise<string | null>;
  keyOf(shop: string): Promise<string | null>;
  /** Everything that was ever enrolled, oldest first: what a public record is checked against at start. */
  enrolled(): Promise<readonly string[]>;
  revocations(): Promise<readonly RevocationRecord[]>;
}
