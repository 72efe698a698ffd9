/** The certificate of an enrolled shop, in its state folder. It is public: the key it names is the secret. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prettifyError } from 'zod';
import { signedCertificateSchema, type SignedCertificate } from '../../shared/identity/certificate.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { parseJson } from '../http.ts';
import { storageErrors } from './spend-ledger.ts';
import { writeDurably } from './durable-file.ts';
import type { StateFolder } from './state-folder.ts';

type Owner = Pick<StateFolder, 'path' | 'key'>;

const pathOf = ({ path }: Owner): string => join(path, 'certificate.json');

/**
 * The certificate of the shop's key; null before enrolment, and for one of an earlier key.
 * @throws CestaError `storage.failed` when the file is damaged.
 */
export function readCertificate(owner: Owner): SignedCertificate | null {
  const path = pathOf(owner);
  return storageErrors(path, () => {
    if (!existsSync(path)) return null;
    const parsed = signedCertificateSchema.safeParse(parseJson(readFileSync(path), path));
    if (!parsed.success) throw new CestaError('storage.failed', `${path}: ${prettifyError(parsed.error)}`, { cause: parsed.error });
    return parsed.data.cert.node === owner.key.publicKey ? parsed.data : null;
  });
}

/** @throws CestaError `storage.failed` */
export function keepCertificate(owner: Owner, certificate: SignedCertificate): void {
  const path = pathOf(owner);
  storageErrors(path, () => writeDurably(path, owner.path, `${canonicalJson(certificate)}\n`));
}

/**
 * What is presented at each connect: read again, since it may have been renewed meanwhile; a file that cannot be read
 * just now leaves the last one in place.
 * @throws CestaError `storage.failed` when it cannot be read at the start.
 */
export function certificateSource(owner: Owner): () => SignedCertificate | null {
  let last = readCertificate(owner);
  return () => {
    try {
      last = readCertificate(owner);
    } catch {
      // The connection is refused with a code if the last one is too old, and the next attempt reads again.
    }
    return last;
  };
}
