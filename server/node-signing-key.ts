/**
 * The same Ed25519 keys through the platform's library: signatures are the same bytes (RFC 8032 is deterministic), at a
 * tenth of the time. A coordinator signs for every report it takes.
 */
import { createPrivateKey, sign } from 'node:crypto';
import { signingKey, type SigningKey } from '../shared/ledger/signing-key.ts';

/** What comes before the 32 bytes of an Ed25519 secret in PKCS #8 (RFC 8410, section 7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @throws CestaError `config.invalid` unless the secret has 32 bytes. */
export function nodeSigningKey(secret: Uint8Array): SigningKey {
  const inner = signingKey(secret);
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, secret]), format: 'der', type: 'pkcs8' });
  return { ...inner, sign: (statement) => sign(null, statement, key).toString('hex') };
}
