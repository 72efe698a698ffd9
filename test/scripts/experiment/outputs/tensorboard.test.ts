import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32c } from '../../../../scripts/experiment/outputs/crc32c.ts';
import { createTensorBoardLog, eventFileName, runFolder } from '../../../../scripts/experiment/outputs/tensorboard.ts';
import { scalarRecord, versionRecord } from '../../../../scripts/experiment/outputs/tf-events.ts';
import type { RoundRecord } from '../../../../scripts/simulate/simulation.ts';
import { exampleRecord, exampleRun } from '../example-result.ts';

const folder = mkdtempSync(join(tmpdir(), 'cesta-tensorboard-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('CRC-32C', () => {
  it('has the published values', () => {
    // RFC 3720, B.4, the first four with their bytes in the order of the wire.
    const counting = Uint8Array.from({ length: 32 }, (_, at) => at);
    expect([new Uint8Array(32), new Uint8Array(32).fill(0xff), counting, counting.toReversed()].map(crc32c)).toEqual([0x8a9136aa, 0x62a8ab43, 0x46dd794e, 0x113fdb5c]);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array())).toBe(0);
  });
});

describe('records of event files', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

  it('are those that tensorboard_logger is tested against', () => {
    // tests/test_tensorboard_logger.py of TeamHG-Memex/tensorboard_logger: at 256.5 s the version, then v/1 = 1.5 in step 1.
    expect(hex(versionRecord(256.5))).toBe('1800000000000000a37f4b22090000000000087040' + '1a0d627261696e2e4576656e743a32bc98212b');
    expect(hex(scalarRecord({ wallSeconds: 256.5, step: 1 }, [['v/1', 1.5]]))).toBe('19000000000000008bf10828' + '09000000000008704010012a0c0a0a0a03762f31150000c03f' + '2cecc087');
  });
});

/** Castagnoli's polynomial, a bit at a time, with the first bit of a byte as its highest: another way to the same checksum. */
const slowCrc = (bytes: Uint8Array): number => {
  const reflect = (value: number, bits: number): number => Number.parseInt(value.toString(2).padStart(bits, '0').split('').reverse().join(''), 2);
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc ^ (reflect(byte, 8) << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc & 0x80000000) === 0 ? crc << 1 : (crc << 1) ^ 0x1edc6f41) >>> 0;
  }
  return reflect(~crc >>> 0, 32);
};
const unmask = (masked: number): number => {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated << 15) | (rotated >>> 17)) >>> 0;
};

const recordsOf = (file: Uint8Array): Uint8Array[] => {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(view.getBigUint64(at, true));
    const bytes = file.subarray(at + 12, at + 12 + length);
    expect(unmask(view.getUint32(at + 8, true))).toBe(slowCrc(file.subarray(at, at + 8)));
    expect(unmask(view.getUint32(at + 12 + length, true))).toBe(slowCrc(bytes));
    records.push(bytes);
    at += 16 + length;
  }
  return records;
};

type Field = { field: number; value: number | Uint8Array };
const fieldsOf = (bytes: Uint8Array): Field[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at];
      at += 1;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const field = Math.floor(key / 8);
    if (key % 8 === 0) fields.push({ field, value: varint() });
    else if (key % 8 === 1) fields.push({ field, value: view.getFloat64((at += 8) - 8, true) });
    else if (key % 8 === 5) fields.push({ field, value: view.getFloat32((at += 4) - 4, true) });
    else if (key % 8 === 2) {
      const length = varint();
      fields.push({ field, value: bytes.subarray(at, (at += length)) });
    } else throw new Error(`wire type ${key % 8}`);
  }
  return fields;
};
const one = (fields: Field[], field: number): unknown => fields.find((entry) => entry.field === field)?.value;
const text = (value: unknown): string => new TextDecoder().decode(value as Uint8Array);

interface Event { wallTime: unknown; step: unknown; version: string | undefined; scalars: Record<string, number> }
const eventsOf = (file: Uint8Array): Event[] => recordsOf(file).map((record) => {
  const fields = fieldsOf(record);
  const values = fields.some(({ field }) => field === 5) ? fieldsOf(one(fields, 5) as Uint8Array) : [];
  const scalars = Object.fromEntries(values.map(({ value }) => [text(one(fieldsOf(value as Uint8Array), 1)), one(fieldsOf(value as Uint8Array), 2) as number]));
  return { wallTime: one(fields, 1), step: one(fields, 2), version: one(fields, 3) === undefined ? undefined : text(one(fields, 3)), scalars };
});

const run = { ...exampleRun({}, 0.1), label: 'epsilon 1, seed 2' };
const logged = async (to: string, rounds = [exampleRecord(1), exampleRecord(300, { outcome: 'failed', metrics: null, clipFraction: null, epsilon: null })]): Promise<Uint8Array> => {
  const logger = createTensorBoardLog(join(folder, to));
  await logger.start(run);
  for (const record of rounds) await logger.round(record);
  await logger.end(run);
  const [own] = readdirSync(join(folder, to));
  return readFileSync(join(folder, to, own, eventFileName));
};

describe('a log for TensorBoard', () => {
  it('is a file of framed events: the version, the figures of each round, the result', async () => {
    const [version, first, failed, result, ...more] = eventsOf(await logged('whole'));
    expect(more).toEqual([]);
    expect(version).toMatchObject({ version: 'brain.Event:2', wallTime: 0, scalars: {} });
    expect(first).toMatchObject({ wallTime: 3600.5, step: 1 });
    expect(first.scalars).toMatchObject({ 'round/released': 1, 'round/joined': 10, 'round/bytesDown': 20_000, 'round/epsilon': 0.5, 'metrics/ndcg@10': Math.fround(0.1), 'metrics/recall@10': Math.fround(0.2) });
    expect(first.scalars).not.toHaveProperty('round/round');
    expect(failed).toMatchObject({ step: 300, scalars: { 'round/released': 0 } });
    for (const missing of ['round/clipFraction', 'round/epsilon', 'metrics/ndcg@10']) expect(failed.scalars).not.toHaveProperty(missing);
    expect(result.step).toBe(300);
    expect(result.scalars).toEqual(Object.fromEntries(Object.entries(run.metrics).map(([name, value]) => [`result/${name}`, Math.fround(value)])));
  });

  it('is the same bytes when the same run is told again from its first round, over what an interruption left', async () => {
    const whole = await logged('again');
    const interrupted = createTensorBoardLog(join(folder, 'again'));
    await interrupted.start(run);
    await interrupted.round(exampleRecord(1));
    expect(Buffer.compare(await logged('again'), whole)).toBe(0);
  });

  it('does not depend on the order of figures, which is another one in records that were read back', async () => {
    const reversed = Object.fromEntries(Object.entries(exampleRecord(1)).reverse()) as unknown as RoundRecord;
    expect(Buffer.compare(await logged('order', [reversed]), await logged('usual', [exampleRecord(1)]))).toBe(0);
  });

  it('has a folder a run, named by label and id', () => {
    expect(runFolder({ id: '0123456789abcdef', label: 'epsilon 1, mean, seed 2' })).toBe('epsilon-1-mean-seed-2-0123456789ab');
    expect(runFolder({ id: '0123456789abcdef', label: '../../etc/{"a":1}' })).toBe('etc-a-1-0123456789ab');
  });
});
