/**
 * Files named by the SHA-256 of their bytes: releases and catalogues. A file appears under its name only after its
 * bytes are on disk, and its digest is checked at every read, so nobody is served a torn or rotten file.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface BlobStore {
  /** Resolves to the name of the blob, when it is durable. Writing the same bytes again is harmless. */
  write(bytes: Uint8Array): Promise<string>;
  /** @throws CestaError `storage.failed` when the blob is missing or its bytes do not have its name as digest. */
  read(sha256: string): Promise<Uint8Array>;
}

const temporarySuffix = '.part';

/** Opens the store and removes what an interrupted write left behind. */
export async function openBlobStore(folder: string): Promise<BlobStore> {
  await orFailed(`folder ${folder}`, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const leftovers = (await readdir(folder)).filter((name) => name.endsWith(temporarySuffix));
    await Promise.all(leftovers.map((name) => rm(join(folder, name), { force: true })));
  });
  return {
    async write(bytes) {
      const sha256 = digestOf(bytes);
      await orFailed(`write ${sha256}`, () => writeDurably(folder, sha256, bytes));
      return sha256;
    },
    async read(sha256) {
      if (!/^[0-9a-f]{64}$/.test(sha256)) throw new CestaError('internal', `blob: expected a SHA-256 as name, got ${JSON.stringify(sha256)}`);
      const bytes = await orFailed(`read ${sha256}`, () => readFile(join(folder, sha256)));
      const actual = digestOf(bytes);
      if (actual !== sha256) throw new CestaError('storage.failed', `blob: expected digest ${sha256}, got ${actual}: the file is damaged`);
      // A plain view: `slice` of a Buffer would not copy, and parsers rely on it.
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
  };
}

async function writeDurably(folder: string, sha256: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(folder, `${sha256}.${randomUUID()}${temporarySuffix}`);
  try {
    await writeFile(temporary, bytes, { flag: 'wx', mode: 0o600, flush: true });
    await rename(temporary, join(folder, sha256));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  // The new name is durable only once the folder is; Windows has no such call and needs none.
  if (process.platform === 'win32') return;
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function orFailed<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new CestaError('storage.failed', `blob: ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
