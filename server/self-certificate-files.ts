/** The self-made certificate in the data folder: `tls.crt` to give to shops, `tls.key` for the coordinator alone. */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CestaError } from '../shared/protocol/errors.ts';
import { fingerprintOf, isStillGood, makeSelfCertificate, type CertificateTerms, type SelfCertificate } from './self-certificate.ts';

export const certificateFile = 'tls.crt';
export const certificateKeyFile = 'tls.key';

export interface KeptCertificate extends SelfCertificate {
  /** The file that shops need: `join --tls-ca`. */
  readonly certPath: string;
  readonly fingerprint: string;
  /** Whether shops have to be given the file: it was made just now. */
  readonly isNew: boolean;
}

/**
 * Reads the certificate of a data folder; makes another where there is none, it is about to run out, or it lacks a name.
 * @throws CestaError `storage.failed` when the files are damaged, or the key is readable by others; `config.invalid` for names that are none.
 */
export function keepSelfCertificate(folder: string, terms: CertificateTerms): KeptCertificate {
  const [certPath, keyPath] = [join(folder, certificateFile), join(folder, certificateKeyFile)];
  const found = orFailed(() => read(certPath, keyPath));
  const isNew = found === null || !isStillGood(found, terms);
  const pair = isNew ? makeSelfCertificate(terms) : found;
  if (isNew) {
    orFailed(() => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      // The key first: a crash in between leaves a pair that does not fit, and is made again.
      write(keyPath, pair.key, 0o600);
      write(certPath, pair.cert, 0o644);
    });
  }
  return { ...pair, certPath, fingerprint: fingerprintOf(pair.cert), isNew };
}

function read(certPath: string, keyPath: string): SelfCertificate | null {
  if (!existsSync(certPath) || !existsSync(keyPath)) return null;
  const mode = statSync(keyPath).mode & 0o777;
  // Windows has no such modes: access is then the folder's business.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw new CestaError('storage.failed', `tls: expected mode 600 on ${keyPath}, got ${mode.toString(8)}`);
  return { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
}

function write(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.part`, text, { mode, flush: true });
  renameSync(`${path}.part`, path);
}

function orFailed<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('storage.failed', `tls: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
