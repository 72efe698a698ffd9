/** Files as UTF-8 text or plain bytes, decompressed; whatever is wrong with one ends in a coded error. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { CestaError } from '../../shared/protocol/errors.ts';

/** One JavaScript string holds about 2^29 characters. */
const maxBytes = 500_000_000;
const inflate = promisify(gunzip);

/**
 * The bytes of a file; decompressed when they are gzip, whatever the name.
 * @throws CestaError `data.not-found`, `data.unreadable`
 */
export async function readBytes(path: string | URL): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new CestaError('data.not-found', `data: expected a file, got nothing at ${String(path)}`, { cause });
    throw new CestaError('data.unreadable', `data: expected a readable file, got ${code} for ${String(path)}`, { cause });
  });
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await inflate(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    throw new CestaError('data.unreadable', `${String(path)}: expected whole gzip data of at most ${maxBytes} bytes, got: ${got}`, { cause });
  }
}

/**
 * @param encodings Tried in turn; the first that fits counts.
 * @throws CestaError `data.unreadable` for text in another encoding and for what is no text at all.
 */
export function decodeText(name: string, bytes: Uint8Array, encodings: readonly string[] = ['utf-8']): string {
  if (bytes.length > maxBytes) {
    throw new CestaError('data.unreadable', `${name}: expected at most ${maxBytes} bytes of text, got ${bytes.length}; split it by shopper`);
  }
  if (bytes.includes(0)) throw new CestaError('data.unreadable', `${name}: expected UTF-8 text, got binary data or UTF-16`);
  for (const encoding of encodings) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes);
    } catch {
      // The next encoding may fit; none is an error below.
    }
  }
  throw new CestaError('data.unreadable', `${name}: expected ${encodings.join(' or ')} text, got another encoding or binary data`);
}
