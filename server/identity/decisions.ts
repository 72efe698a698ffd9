/**
 * What becomes of each kind of request, in two steps: who may ask, which is answered from the storage before a signature
 * is checked, and what follows, which is decided once the signature holds. Nothing is written here.
 */
import { prettifyError, type z } from 'zod';
import { checkCertificateTerms, issueCertificate, type NodeCert, type SignedCertificate } from '../../shared/identity/certificate.ts';
import { handOverStatement, requestSchemas, tokenHash, type RevocationReason, type certificateAnswerSchema, type operatorAnswerSchema, type revocationAnswerSchema, type tokenAnswerSchema } from '../../shared/identity/requests.ts';
import { verifySignature } from '../../shared/ledger/signature.ts';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { Envelope, EnvelopeType } from '../../shared/protocol/envelope.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { openTotpSecret } from '../admin/credentials.ts';
import type { IdentityChange, IdentityRecords } from '../storage/identity-records.ts';

export interface DecisionContext {
  readonly key: SigningKey;
  readonly storage: IdentityRecords;
  readonly isRevoked: (node: string) => boolean;
  /** Unix milliseconds. */
  readonly dateMs: () => number;
}

export interface Decision {
  readonly change: IdentityChange;
  readonly body: Json;
}

/** A request that may be made by whoever holds the key it names. */
export interface Authorised {
  /** Whose share of the limits it uses; null for the operator. */
  readonly organisation: string | null;
  /** @throws CestaError the refusal */
  decide(): Promise<Decision>;
}

/** @throws CestaError the refusal, found without a signature check */
export function authorise(context: DecisionContext, { header, body }: Envelope): Promise<Authorised> {
  const { type, node } = header;
  switch (type) {
    case 'token':
      return issueToken(context, node, read(type, body));
    case 'revoke':
      return revoke(context, node, read(type, body));
    case 'operator':
      return makeOperator(context, node, read(type, body));
    case 'enrol':
      return enrol(context, node, read(type, body));
    case 'renew':
      read(type, body);
      return renew(context, node);
    case 'rotate':
      return rotate(context, node, read(type, body));
    default:
      return type satisfies never;
  }
}

type Body<Type extends EnvelopeType> = z.infer<(typeof requestSchemas)[Type]>;

function read<Type extends EnvelopeType>(type: Type, body: Json): Body<Type> {
  const parsed = requestSchemas[type].safeParse(body);
  if (!parsed.success) throw new CestaError('protocol.malformed', `${type}: ${prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data as Body<Type>;
}

function requireOperator({ key }: DecisionContext, node: string, what: string): void {
  if (node !== key.publicKey) throw new CestaError('node.unauthorised', `${what}: expected the coordinator's own key, got ${node}`);
}

function issueToken(context: DecisionContext, node: string, { tokenHash: hash, organisation, ttlHours }: Body<'token'>): Promise<Authorised> {
  requireOperator(context, node, 'token');
  return Promise.resolve({
    organisation: null,
    async decide() {
      if ((await context.storage.token(hash)) !== null) throw new CestaError('enrolment.token-invalid', 'token: expected a new one, got one that was issued before');
      const expiresAt = new Date(context.dateMs() + ttlHours * 3_600_000).toISOString();
      const body: z.infer<typeof tokenAnswerSchema> = { organisation, expiresAt };
      return { change: { kind: 'token', token: { hash, organisation, expiresAt } }, body };
    },
  });
}

function revoke(context: DecisionContext, operator: string, request: Body<'revoke'>): Promise<Authorised> {
  requireOperator(context, operator, 'revoke');
  const { storage, isRevoked } = context;
  const { reason } = request;
  return Promise.resolve({
    organisation: null,
    async decide() {
      const node = 'node' in request ? request.node : await storage.keyOf(request.shop);
      const shop = node === null ? null : ((await storage.shopOf(node)) ?? (await storage.certificate(node))?.cert.shop ?? null);
      if (node === null || shop === null) throw new CestaError('node.unknown', `revoke: expected a node that is known, got ${'node' in request ? request.node : request.shop}`);
      if (isRevoked(node)) throw new CestaError('node.revoked', `revoke: expected a key that is in force, got ${node}, which was revoked`);
      return { change: { kind: 'revoke', node, reason }, body: answerOf(node, reason, shop) };
    },
  });
}

/** Opening the seal shows that name, token and second factor belong together and to this coordinator. */
function makeOperator(context: DecisionContext, node: string, operator: Body<'operator'>): Promise<Authorised> {
  requireOperator(context, node, 'operator');
  if (openTotpSecret(context.key, operator) === null) throw new CestaError('protocol.malformed', 'operator totpSealed: expected a secret sealed for this operator under the key of this coordinator, got another');
  return Promise.resolve({
    organisation: null,
    decide() {
      const body: z.infer<typeof operatorAnswerSchema> = { name: operator.name };
      return Promise.resolve({ change: { kind: 'operator', operator }, body });
    },
  });
}

function answerOf(node: string, reason: RevocationReason, shop: string | null): z.infer<typeof revocationAnswerSchema> {
  return { node, reason, shop };
}

async function enrol(context: DecisionContext, node: string, { token, shop }: Body<'enrol'>): Promise<Authorised> {
  const { storage, isRevoked, dateMs } = context;
  const hash = tokenHash(token);
  const record = await storage.token(hash);
  if (record === null) throw new CestaError('enrolment.token-invalid', 'token: expected one that this coordinator issued, got another');
  if (record.usedBy !== null) throw new CestaError('enrolment.token-used', 'token: expected one that was not used, got one that was');
  if (dateMs() >= Date.parse(record.expiresAt)) throw new CestaError('enrolment.token-expired', `token: expected one that is valid now, got one until ${record.expiresAt}`);
  if (isRevoked(node)) throw new CestaError('node.revoked', `enrol: expected a key that is in force, got ${node}, which was revoked`);
  const { organisation } = record;
  return {
    organisation,
    async decide() {
      const holder = await storage.keyOf(shop);
      if (holder !== null && holder !== node && !isRevoked(holder)) throw new CestaError('node.name-taken', `shop ${shop}: expected a name that is free, got one that another key holds`);
      const other = await storage.shopOf(node);
      if (other !== null && other.toLowerCase() !== shop.toLowerCase()) throw new CestaError('node.name-taken', `shop ${shop}: expected one name a key, got ${other} for this one`);
      const certificate = certify(context, { node, shop, organisation });
      return { change: { kind: 'enrol', certificate, tokenHash: hash, replaces: holder === node ? null : holder }, body: certified(certificate) };
    },
  };
}

async function renew(context: DecisionContext, node: string): Promise<Authorised> {
  const { cert } = await requireEnrolled(context, node);
  return {
    organisation: cert.organisation,
    decide() {
      const certificate = certify(context, cert);
      return Promise.resolve({ change: { kind: 'renew', certificate }, body: certified(certificate) });
    },
  };
}

async function rotate(context: DecisionContext, node: string, { newKey, proof }: Body<'rotate'>): Promise<Authorised> {
  const { key, storage, isRevoked } = context;
  const { cert } = await requireEnrolled(context, node);
  return {
    organisation: cert.organisation,
    async decide() {
      const isKnown = isRevoked(newKey) || newKey === key.publicKey || (await storage.shopOf(newKey)) !== null || (await storage.certificate(newKey)) !== null;
      if (isKnown) throw new CestaError('node.name-taken', `rotate: expected a key that was never used, got ${newKey}`);
      if (!(await verifySignature(newKey, proof, handOverStatement(key.publicKey, node, newKey)))) {
        throw new CestaError('node.unauthorised', `rotate: expected a proof by the new key ${newKey}, got another signature`);
      }
      const certificate = certify(context, { ...cert, node: newKey });
      return { change: { kind: 'rotate', from: node, certificate }, body: certified(certificate) };
    },
  };
}

async function requireEnrolled({ storage, isRevoked, dateMs }: DecisionContext, node: string): Promise<SignedCertificate> {
  if (isRevoked(node)) throw new CestaError('node.revoked', `node: expected a key that is in force, got ${node}, which was revoked`);
  const certificate = await storage.certificate(node);
  if (certificate === null) throw new CestaError('enrolment.required', `node: expected one that is enrolled, got ${node}`);
  checkCertificateTerms(certificate, { node, shop: certificate.cert.shop, atMs: dateMs() });
  return certificate;
}

function certify({ key, dateMs }: DecisionContext, about: Pick<NodeCert, 'node' | 'shop' | 'organisation'>): SignedCertificate {
  return issueCertificate(key, about, dateMs());
}

function certified(certificate: SignedCertificate): z.infer<typeof certificateAnswerSchema> {
  return { certificate };
}
