/**
 * The coordinator's Ed25519 key: 32 bytes from the operating system, in a file that only its owner reads. Shops pin
 * the public half, so losing the file means a new federation. A hardware key would take the place of this module.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import { nodeSigningKey } from './node-signing-key.ts';

const secretBytes = 32;

/**
 * Reads the key of a data folder, or makes one at first use.
 * @throws CestaError `storage.failed` when the file is damaged, or readable by others.
 */
export function openSigningKey(folder: string): SigningKey {
  return readKey(folder, createIfMissing);
}

/**
 * Reads the key of a data folder that a coordinator has used.
 * @throws CestaError `storage.failed` when there is none, when it is damaged, or readable by others.
 */
export function readSigningKey(folder: string): SigningKey {
  return readKey(folder, (file) => {
    if (!existsSync(file)) throw new CestaError('storage.failed', `signing key: expected the data folder of a coordinator, got ${folder} without ${file}`);
  });
}

function readKey(folder: string, prepare: (file: string) => void): SigningKey {
  const file = join(folder, 'signing.key');
  try {
    prepare(file);
    // Windows has no such modes: access is then the folder's business.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
      throw new CestaError('storage.failed', `signing key: expected mode 600 on ${file}, got ${(statSync(file).mode & 0o777).toString(8)}`);
    }
    const secret = readFileSync(file);
    if (secret.length !== secretBytes) throw new CestaError('storage.failed', `signing key: expected ${secretBytes} bytes in ${file}, got ${secret.length}`);
    return nodeSigningKey(secret);
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('storage.failed', `signing key: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The folder is locked by this process, so nobody can create the file in between. */
function createIfMissing(file: string): void {
  if (existsSync(file)) return;
  // Written aside first: a crash half-way must not leave a short key behind.
  const temporary = `${file}.part`;
  writeFileSync(temporary, randomBytes(secretBytes), { mode: 0o600, flush: true });
  renameSync(temporary, file);
}
