/**
 * What an operator logs in with: a token and a secret of one-time codes, both drawn here and shown once.
 *
 * Security: the token has 256 random bits, so nobody finds it from its digest by trying, and a slow hash would protect
 * nothing but cost something. The secret of the codes has to be read again and is sealed (AES-256-GCM) under a key derived
 * from the coordinator's signing key, which is a file: who reads the database alone gets neither factor. The seal covers
 * name and digest, so who writes the database cannot put a token of their own beside the second factor of somebody else.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import type { NewOperator } from '../storage/operator-records.ts';
import { otpauthUri, totpSecretBytes } from './totp.ts';

/** Shown to the operator, once; never logged. */
export interface OperatorCredentials {
  readonly name: string;
  readonly token: string;
  /** Secret of the one-time codes, for an authenticator. */
  readonly otpauth: string;
}

const sealLabel = 'cesta/operator-totp/v1';
const nonceBytes = 12;
const tagBytes = 16;

/** @param key of the coordinator */
export function createCredentials(key: SigningKey, name: string): { readonly shown: OperatorCredentials; readonly kept: NewOperator } {
  const token = `cesta_${randomBytes(32).toString('hex')}`;
  const secret = randomBytes(totpSecretBytes);
  const identity = { name, tokenHash: operatorTokenHash(token) };
  return {
    shown: { name, token, otpauth: otpauthUri(secret, `${name}@${key.publicKey.slice(0, 8)}`) },
    kept: { ...identity, totpSealed: seal(key, identity, secret) },
  };
}

export function operatorTokenHash(token: string): string {
  return sha256Hex(new TextEncoder().encode(token));
}

/** The secret of the codes, or null when it was sealed for another operator, token or coordinator. */
export function openTotpSecret(key: SigningKey, { name, tokenHash, totpSealed }: NewOperator): Uint8Array | null {
  const sealed = Buffer.from(totpSealed, 'hex');
  if (sealed.length !== nonceBytes + totpSecretBytes + tagBytes) return null;
  const decipher = createDecipheriv('aes-256-gcm', key.derive(sealLabel), sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(bound({ name, tokenHash })).setAuthTag(sealed.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
  } catch {
    // Whatever does not open belongs to somebody else or is damaged: neither is a secret.
    return null;
  }
}

type Identity = Pick<NewOperator, 'name' | 'tokenHash'>;

function seal(key: SigningKey, identity: Identity, secret: Uint8Array): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key.derive(sealLabel), nonce, { authTagLength: tagBytes });
  cipher.setAAD(bound(identity));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]).toString('hex');
}

function bound({ name, tokenHash }: Identity): Uint8Array {
  return new TextEncoder().encode(canonicalJson({ name, tokenHash }));
}
