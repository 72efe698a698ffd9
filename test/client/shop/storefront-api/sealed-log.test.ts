import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { frameHeadBytes, headerBytes } from '../../../../client/shop/storefront-api/sealed-frames.ts';
import { openSealedLog } from '../../../../client/shop/storefront-api/sealed-log.ts';
import { codeOf } from '../../fakes.ts';

const root = mkdtempSync(join(tmpdir(), 'cesta-sealed-'));
afterAll(() => rmSync(root, { recursive: true }));
const key = randomBytes(32);
let files = 0;
const freshPath = (): string => join(root, `log-${(files += 1)}`);
const text = (records: readonly Uint8Array[]): string[] => records.map((record) => new TextDecoder().decode(record));
const bytes = (...texts: string[]): Uint8Array[] => texts.map((one) => new TextEncoder().encode(one));

/** A closed file with these records, each appended by itself. */
function written(...texts: string[]): string {
  const path = freshPath();
  const { log } = openSealedLog(path, key);
  for (const one of texts) log.append(bytes(one));
  log.close();
  return path;
}

function reopened(path: string): { records: string[]; droppedBytes: number } {
  const { log, records, droppedBytes } = openSealedLog(path, key);
  log.close();
  return { records: text(records), droppedBytes };
}

describe('a sealed log', () => {
  it('has every record again after it was closed, in order', () => {
    const path = written('one', 'two', 'three');
    const { log } = openSealedLog(path, key);
    log.append(bytes('four', 'five'));
    expect(log.count).toBe(5);
    log.close();
    expect(reopened(path)).toEqual({ records: ['one', 'two', 'three', 'four', 'five'], droppedBytes: 0 });
  });

  it('begins with its name and version, is for its owner alone, and shows nothing of what is in it', () => {
    const path = written('sku-4711 marker', 'sku-4711 marker');
    const file = readFileSync(path);
    expect(file.subarray(0, 13).toString('latin1')).toBe('cesta-sealed\u0001');
    expect(file.includes('sku-4711')).toBe(false);
    expect(file.includes('marker')).toBe(false);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('seals equal records differently, in one run as in two', () => {
    const path = written('same', 'same');
    const { log } = openSealedLog(path, key);
    log.append(bytes('same'));
    log.close();
    const sealed = sealedBodies(readFileSync(path));
    expect(sealed).toHaveLength(3);
    expect(new Set(sealed).size).toBe(3);
  });

  it('does not go on counting where an earlier copy of the file did', () => {
    const path = written('first');
    const copy = readFileSync(path);
    const { log } = openSealedLog(path, key);
    log.append(bytes('secret'));
    log.close();
    const one = sealedBodies(readFileSync(path)).at(-1);
    writeFileSync(path, copy);
    const again = openSealedLog(path, key);
    again.log.append(bytes('secret'));
    again.log.close();
    expect(sealedBodies(readFileSync(path)).at(-1)).not.toBe(one);
  });

  it('drops a record that a crash cut off, at every length of it, and goes on', () => {
    const path = written('whole', 'torn');
    const file = readFileSync(path);
    const whole = written('whole');
    const end = readFileSync(whole).length;
    for (let size = end + 1; size < file.length; size += 1) {
      writeFileSync(path, file.subarray(0, size));
      expect(reopened(path)).toEqual({ records: ['whole'], droppedBytes: size - end });
    }
    const { log } = openSealedLog(path, key);
    log.append(bytes('next'));
    log.close();
    expect(reopened(path).records).toEqual(['whole', 'next']);
  });

  it('drops the zeros that a file system leaves where a write did not arrive', () => {
    const path = written('whole');
    appendFileSync(path, Buffer.alloc(4_096));
    expect(reopened(path)).toEqual({ records: ['whole'], droppedBytes: 4_096 });
  });

  it('names the record that was changed, whichever byte of it was', async () => {
    const path = written('one', 'two', 'three');
    const file = readFileSync(path);
    for (let at = headerBytes; at < file.length; at += 1) {
      const changed = Buffer.from(file);
      changed[at] ^= 1;
      writeFileSync(path, changed);
      const message = await messageOf(() => openSealedLog(path, key));
      expect(message, `byte ${at}`).toMatch(/expected record [123] as it was sealed/);
    }
  });

  it('notices records that were moved or taken out', async () => {
    const path = written('one', 'two', 'three');
    const file = readFileSync(path);
    const frames = framesOf(file);
    for (const order of [[0, 1, 3, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3], [0, 1, 1, 2, 3]]) {
      writeFileSync(path, Buffer.concat([file.subarray(0, headerBytes), ...order.map((index) => frames[index])]));
      expect(await codeOf(() => openSealedLog(path, key)), order.join()).toBe('storage.failed');
    }
  });

  it('is opened by its own key only, and not begun anew over other bytes', async () => {
    const path = written('one');
    expect(await codeOf(() => openSealedLog(path, randomBytes(32)))).toBe('storage.failed');
    writeFileSync(path, 'something else');
    expect(await codeOf(() => openSealedLog(path, key))).toBe('storage.failed');
    expect(readFileSync(path, 'utf8')).toBe('something else');
  });

  it('refuses to write beside another process, which would break both their records', async () => {
    const path = written('one');
    const [first, second] = [openSealedLog(path, key).log, openSealedLog(path, key).log];
    first.append(bytes('two'));
    expect(await codeOf(() => second.append(bytes('three')))).toBe('storage.failed');
    first.close();
    second.close();
    expect(reopened(path).records).toEqual(['one', 'two']);
  });

  it('refuses to write into a file that another process put its own in the place of, also of the same length', async () => {
    const path = written('one');
    const [first, second] = [openSealedLog(path, key).log, openSealedLog(path, key).log];
    second.rewrite(bytes('two'));
    expect(await codeOf(() => first.append(bytes('three')))).toBe('storage.failed');
    expect(await codeOf(() => first.rewrite(bytes('three')))).toBe('storage.failed');
    first.close();
    second.append(bytes('three'));
    second.close();
    expect(reopened(path).records).toEqual(['two', 'three']);
  });

  it('refuses a record that is too long, and goes on', async () => {
    const path = written('one');
    const { log } = openSealedLog(path, key);
    expect(await codeOf(() => log.append([new Uint8Array(2_000_000)]))).toBe('storage.failed');
    log.append(bytes('two'));
    log.close();
    expect(reopened(path).records).toEqual(['one', 'two']);
  });

  it('is rewritten as a whole, and written on after that', () => {
    const path = written('keep', 'erase', 'keep too');
    const before = readFileSync(path);
    const { log } = openSealedLog(path, key);
    log.rewrite(bytes('keep', 'keep too'));
    log.append(bytes('new'));
    expect(log.count).toBe(3);
    log.close();
    expect(reopened(path).records).toEqual(['keep', 'keep too', 'new']);
    const after = readFileSync(path);
    for (const body of sealedBodies(before)) expect(after.toString('hex')).not.toContain(body);
  });

  it('takes nothing from a rewrite that a crash interrupted', () => {
    const path = written('old');
    writeFileSync(`${path}.new`, 'half a file');
    expect(reopened(path).records).toEqual(['old']);
    expect(() => statSync(`${path}.new`)).toThrow();
  });

  it('has no record that a cut file ends in the middle of its header', async () => {
    const path = written('one');
    truncateSync(path, headerBytes - 1);
    expect(await codeOf(() => openSealedLog(path, key))).toBe('storage.failed');
  });
});

function framesOf(file: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = headerBytes; at < file.length;) {
    const end = at + frameHeadBytes + file.readUInt32BE(at + 1);
    frames.push(file.subarray(at, end));
    at = end;
  }
  return frames;
}

/** Of records, without salts; hex. */
function sealedBodies(file: Buffer): string[] {
  return framesOf(file).filter((frame) => frame[0] === 2).map((frame) => frame.subarray(frameHeadBytes).toString('hex'));
}

async function messageOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'nothing was thrown';
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
