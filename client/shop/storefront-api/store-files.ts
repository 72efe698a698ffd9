/** Two small files in the state folder of a shop, which only their owner reads: the key of its sealed logs, and the token of its backend. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hexToBytes } from '../../../shared/protocol/digest.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { writeDurably } from '../durable-file.ts';
import { storageErrors } from '../spend-ledger.ts';

const keyFileName = 'storefront.key';
export const tokenFileName = 'storefront.token';

/**
 * A key of its own, not one derived from the shop's: that one is replaced when it may be known to others, and what shoppers
 * agreed to must stay readable after that.
 * @param files names of the sealed files: a key that is lost is not made anew while one of them is there
 * @returns a key for each of them
 * @throws CestaError `storage.failed`
 */
export function storeKeys<Name extends string>(folder: string, files: readonly Name[]): (file: Name) => Uint8Array {
  const path = join(folder, keyFileName);
  const isLost = !existsSync(path) && files.some((file) => existsSync(join(folder, file)));
  if (isLost) throw new CestaError('storage.failed', `${path}: expected the key of the sealed files beside it, got none; put it back from a backup`);
  const key = hexToBytes(secretFile(folder, path));
  return (file) => new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), `cesta/sealed-file/v1 ${file}`, 32));
}

/** What the shop's own backend shows. @throws CestaError `storage.failed` */
export function backendToken(folder: string): string {
  return secretFile(folder, join(folder, tokenFileName));
}

/** 32 random bytes in hex, made at first use. A file that others could read is closed to them, like the shop's key. */
function secretFile(folder: string, path: string): string {
  return storageErrors(path, () => {
    if (!existsSync(path)) writeDurably(path, folder, `${randomBytes(32).toString('hex')}\n`);
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    const text = readFileSync(path, 'utf8').trim();
    if (!/^[0-9a-f]{64}$/.test(text)) throw new CestaError('storage.failed', `${path}: expected 32 bytes in lower-case hex, got other text`);
    return text;
  });
}
