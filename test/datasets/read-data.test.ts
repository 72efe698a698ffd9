import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCatalogue, readDataset } from '../../client/shop/read-data.ts';
import { decodeText } from '../../client/shop/read-text.ts';
import { encodeDataset } from '../../shared/datasets/compact-dataset.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import { codeOf } from './code-of.ts';

const events = 'item_id,shopper_id,timestamp\nlamp,ana,2024-05-01\ndesk,ana,2024-05-02\n';
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cesta-data-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function failure(path: string, options = {}): Promise<string> {
  return readDataset(path, options).then(() => 'none', (thrown: unknown) => toCestaError(thrown).code);
}

describe('readDataset', () => {
  it('knows the embedded data by name', async () => {
    const { name, shoppers } = await readDataset('online-retail');
    expect([name, shoppers.length]).toEqual(['online-retail', 4335]);
  });

  it('reads a file, plain or gzip, and calls it by its name without folders', async () => {
    const plain = await readDataset(file('orders.csv', events));
    expect(plain.name).toBe('orders.csv');
    expect(plain.shoppers.map(({ id, history }) => [id, history.visitStarts.length])).toEqual([['ana', 2]]);
    expect(await readDataset(file('orders.csv.gz', gzipSync(events)))).toEqual({ ...plain, name: 'orders.csv.gz' });
    expect(await readDataset(file('bom.csv', `\uFEFF${events}`))).toEqual({ ...plain, name: 'bom.csv' });
  });

  it('reads its own compact form back', async () => {
    const dataset = await readDataset(file('orders.csv', events));
    expect(await readDataset(file('orders.bin.gz', gzipSync(encodeDataset(dataset))))).toEqual(dataset);
  });

  it('finds ratings and titles in a MovieLens folder, titles in the encoding they have', async () => {
    file('ml/u.data', '1\t10\t5\t100\n');
    const flags = Array.from({ length: 19 }, () => '0').join('|');
    file('ml/u.item', Buffer.from(`10|Cyrano de Bergerac à la carte (1990)|||x|${flags}\n`, 'latin1'));
    const { name, catalogue } = await readDataset(join(folder, 'ml'));
    expect([name, catalogue.products[0].title]).toEqual(['u.data', 'Cyrano de Bergerac à la carte (1990)']);
  });

  it('takes a catalogue from a second file', async () => {
    const cataloguePath = file('products.csv', 'id,title\nlamp,Reading lamp\n');
    const { catalogue, report } = await readDataset(file('orders.csv', events), { cataloguePath });
    expect(catalogue.products).toEqual([{ id: 'lamp', title: 'Reading lamp' }]);
    expect(report.complaints.map(({ kind }) => kind)).toEqual(['unknown-item']);
    expect((await readCatalogue(cataloguePath)).hash).toBe(catalogue.hash);
  });
});

describe('readDataset refuses', () => {
  it('what is not there', async () => {
    expect(await failure(join(folder, 'missing.csv'))).toBe('data.not-found');
    expect(await failure(join(file('orders.csv', events), 'inside.csv'))).toBe('data.not-found');
    expect(await failure(file('orders.csv', events), { cataloguePath: join(folder, 'missing.csv') })).toBe('data.not-found');
  });

  it('what cannot be read: folders, binary data, other encodings, damaged gzip and compact data', async () => {
    const zipped = gzipSync(events.repeat(100));
    const compact = encodeDataset(await readDataset(file('orders.csv', events)));
    expect(await failure(folder)).toBe('data.unreadable');
    expect(await failure(file('binary.csv', Uint8Array.of(1, 2, 0, 4)))).toBe('data.unreadable');
    expect(await failure(file('latin.csv', Buffer.from(events.replace('lamp', 'lámpara'), 'latin1')))).toBe('data.unreadable');
    expect(await failure(file('utf16.csv', Buffer.from(`\uFEFF${events}`, 'utf16le')))).toBe('data.unreadable');
    expect(await failure(file('cut.csv.gz', zipped.subarray(0, zipped.length - 9)))).toBe('data.unreadable');
    expect(await failure(file('noise.csv.gz', zipped.map((byte, index) => (index > 10 ? byte ^ 255 : byte))))).toBe('data.unreadable');
    expect(await failure(file('cut.bin', compact.subarray(0, -1)))).toBe('data.unreadable');
  });

  it('what lacks a column, has no usable line, or is empty', async () => {
    expect(await failure(file('columns.csv', 'sku,customer\n1,2\n'))).toBe('data.missing-column');
    expect(await failure(file('useless.csv', 'item_id,shopper_id,timestamp\nlamp,ana,soon\n'))).toBe('data.empty');
    expect(await failure(file('empty.csv', ''))).toBe('data.empty');
  });

  it('options that it would have to ignore, and formats it does not know', async () => {
    expect(await failure('online-retail', { basketColumn: 'order_id' })).toBe('config.invalid');
    expect(await failure('online-retail', { format: 'csv' })).toBe('config.invalid');
    expect(await failure('online-retail', { cataloguePath: 'x.csv' })).toBe('config.invalid');
    expect(await failure(file('orders.csv', events), { format: 'excel' })).toBe('config.invalid');
    expect(await failure(file('orders.csv', events), { minRating: 3 })).toBe('config.invalid');
  });
});

describe('decodeText', () => {
  it('tries the encodings in turn', () => {
    expect(decodeText('x', Uint8Array.of(0xe9), ['utf-8', 'windows-1252'])).toBe('é');
    expect(decodeText('x', new TextEncoder().encode('é'), ['utf-8', 'windows-1252'])).toBe('é');
    expect(codeOf(() => decodeText('x', Uint8Array.of(0xe9)))).toBe('data.unreadable');
  });
});
