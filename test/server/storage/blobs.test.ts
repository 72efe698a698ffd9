import { createHash } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBlobStore } from '../../../server/storage/blobs.ts';
import { temporaryFolder } from '../support/folders.ts';

const bytes = new TextEncoder().encode('a model');
const name = createHash('sha256').update(bytes).digest('hex');

describe('the blob store', () => {
  it('names a file by its digest and gives its bytes back', async () => {
    const folder = temporaryFolder();
    const blobs = await openBlobStore(folder);
    expect(await blobs.write(bytes)).toBe(name);
    expect(new Uint8Array(await blobs.read(name))).toEqual(bytes);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it('takes the same bytes twice', async () => {
    const blobs = await openBlobStore(temporaryFolder());
    await Promise.all([blobs.write(bytes), blobs.write(bytes)]);
    expect(new Uint8Array(await blobs.read(name))).toEqual(bytes);
  });

  it('detects one changed byte', async () => {
    const folder = temporaryFolder();
    const blobs = await openBlobStore(folder);
    await blobs.write(bytes);
    writeFileSync(join(folder, name), Uint8Array.from(bytes, (byte, index) => (index === 3 ? byte ^ 1 : byte)));
    await expect(blobs.read(name)).rejects.toMatchObject({ code: 'storage.failed' });
  });

  it('detects a truncated and a missing file', async () => {
    const folder = temporaryFolder();
    const blobs = await openBlobStore(folder);
    writeFileSync(join(folder, name), bytes.subarray(0, 3));
    await expect(blobs.read(name)).rejects.toMatchObject({ code: 'storage.failed' });
    await expect(blobs.read('0'.repeat(64))).rejects.toMatchObject({ code: 'storage.failed' });
  });

  it('reads nothing outside its folder', async () => {
    const blobs = await openBlobStore(temporaryFolder());
    await expect(blobs.read('../coordinator.db')).rejects.toThrow('expected a SHA-256');
  });

  it('removes what an interrupted write left behind, and nothing else', async () => {
    const folder = temporaryFolder();
    await (await openBlobStore(folder)).write(bytes);
    writeFileSync(join(folder, `${'1'.repeat(64)}.half.part`), 'hal');
    const blobs = await openBlobStore(folder);
    expect(readdirSync(folder)).toEqual([name]);
    expect(existsSync(join(folder, name))).toBe(true);
    await expect(blobs.read('1'.repeat(64))).rejects.toMatchObject({ code: 'storage.failed' });
  });
});
