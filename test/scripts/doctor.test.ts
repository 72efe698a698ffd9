import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../../client/shop/read-data.ts';
import { diagnose, formatDiagnosis } from '../../scripts/doctor.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cesta-doctor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, lines: readonly string[]): string {
  writeFileSync(join(folder, name), lines.join('\n'));
  return join(folder, name);
}

const header = 'event,item_id,shopper_id,timestamp,quantity,item_name,degree';
const orders = [
  header,
  'purchase,lamp,ana,2024-05-01T10:00:00Z,1,Reading lamp,',
  'purchase,lamp,ana,2024-05-01T10:00:00Z,1,Reading lamp,',
  'purchase,desk,ana,2024-05-03T10:00:00Z,1,Reading desk,',
  'purchase,mug,bo,2024-05-02T10:00:00Z,1,,1',
  'purchase,lamp,bo,soon,1,Reading lamp,',
  'purchase,,bo,2024-05-02,1,Reading lamp,',
  'purchase,lamp,bo,never,1,Reading lamp,',
];

describe('the doctor', () => {
  it('says what a file holds, what is dropped and from which lines', async () => {
    expect(await diagnose(file('orders.csv', orders))).toEqual({
      source: 'orders.csv',
      format: 'csv',
      columns: header.split(','),
      contents: {
        lines: 7,
        used: 4,
        complaints: [
          expect.objectContaining({ kind: 'missing-item', effect: 'dropped', count: 1, lines: [7] }),
          expect.objectContaining({ kind: 'bad-timestamp', effect: 'dropped', count: 2, lines: [6, 8] }),
          expect.objectContaining({ kind: 'exact-duplicate', effect: 'repaired', count: 1, lines: [3] }),
        ],
        exactDuplicates: 1,
        shoppers: 2,
        items: 3,
        visits: 3,
        timeRange: { first: Date.UTC(2024, 4, 1, 10) / 1000, last: Date.UTC(2024, 4, 3, 10) / 1000 },
        testableShare: 0.5,
        itemsWithoutTitle: 1,
        shoppersByDegree: [0, 1, 0, 1],
        candidatePairs: 'text',
      },
    });
  });

  it('gives plain data that survives JSON', async () => {
    const diagnosis = await diagnose(file('orders.csv', orders));
    expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
  });

  it('finds candidate pairs in no text when items share no word', async () => {
    const alone = await diagnose(file('alone.csv', [header, 'purchase,lamp,ana,100,1,Lamp,', 'purchase,desk,ana,100,1,Desk,']));
    expect(alone.contents?.candidatePairs).toBe('none');
    const category = await diagnose(file('category.csv', ['item_id,shopper_id,timestamp,item_category', 'lamp,ana,100,Home', 'desk,ana,100,Home']));
    expect(category.contents?.candidatePairs).toBe('text');
  });

  it('speaks of no time where times are positions', async () => {
    const { contents } = await diagnose(file('clicks.txt', ['lamp desk', 'desk']));
    expect(contents).toMatchObject({ shoppers: 2, visits: 3, testableShare: 0.5 });
    expect(contents).not.toHaveProperty('timeRange');
  });

  it('takes the options of every other verb', async () => {
    const catalogue = file('products.csv', ['id,title', 'lamp,Reading lamp']);
    const path = file('baskets.csv', ['item_id,shopper_id,timestamp,order_id', 'lamp,ana,100,A', 'lamp,ana,200,B', 'desk,ana,200,B']);
    expect((await diagnose(path)).contents).toMatchObject({ visits: 1, items: 2 });
    expect((await diagnose(path, { basketColumn: 'order_id', catalogue })).contents).toMatchObject({ visits: 2, items: 1, complaints: [{ kind: 'unknown-item', lines: [4] }] });
    expect((await diagnose(path, { format: 'sequences' })).format).toBe('sequences');
  });

  it('examines a data set in memory and the embedded one', async () => {
    const embedded = await diagnose('online-retail');
    expect(embedded).toMatchObject({ source: 'online-retail', format: 'compact', contents: { lines: 541_909, used: 396_370, shoppers: 4335, items: 3659, itemsWithoutTitle: 0 } });
    expect(embedded).not.toHaveProperty('problem');
    expect((await diagnose(await readDataset('online-retail'))).contents).toEqual(embedded.contents);
  });
});

describe('the doctor, of a file that no other verb can use,', () => {
  it('says which columns are there and which are missing', async () => {
    expect(await diagnose(file('sales.csv', ['sku,customer', '1,2']))).toMatchObject({ source: 'sales.csv', format: 'csv', columns: ['sku', 'customer'], problem: { code: 'data.missing-column' } });
  });

  it('says what was dropped when nothing is left', async () => {
    expect(await diagnose(file('useless.csv', [header, 'purchase,lamp,ana,soon,1,,']))).toMatchObject({
      contents: { lines: 1, used: 0, shoppers: 0, testableShare: 0, complaints: [{ kind: 'bad-timestamp', lines: [2] }] },
      problem: { code: 'data.empty' },
    });
  });

  it('says why it cannot be read', async () => {
    expect(await diagnose(file('page.csv', ['<html>']))).toMatchObject({ source: 'page.csv', columns: [], problem: { code: 'data.unreadable' } });
  });

  it('has no diagnosis for what is not there or for a wrong option', async () => {
    const codeOf = (path: string, options = {}): Promise<string> => diagnose(path, options).then(() => 'none', (thrown: unknown) => toCestaError(thrown).code);
    expect(await codeOf(join(folder, 'missing.csv'))).toBe('data.not-found');
    expect(await codeOf(file('orders.csv', orders), { format: 'excel' })).toBe('config.invalid');
  });
});

describe('a diagnosis in words', () => {
  it('names every complaint with its lines and says that nothing stands in the way', async () => {
    const words = formatDiagnosis(await diagnose(file('orders.csv', orders)));
    expect(words).toContain('7, of which 4 used and 3 dropped');
    expect(words).toMatch(/bad-timestamp \(2 dropped\).*\n {2}lines 6, 8(\n|$)/);
    expect(words).toMatch(/missing-item \(1 dropped\).*\n {2}line 7(\n|$)/);
    expect(words).toContain('2024-05-01T10:00:00Z to 2024-05-03T10:00:00Z');
    expect(words).toContain('50.0 %');
    expect(words).toContain('Nothing stands in the way');
  });

  it('shows that there are more lines than it lists', async () => {
    const words = formatDiagnosis(await diagnose(file('many.csv', [header, ...Array.from({ length: 11 }, () => 'purchase,lamp,ana,soon,1,,')])));
    expect(words).toMatch(/lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, \.\.\./);
    expect(words).toContain('data.empty');
    expect(words).not.toContain('Nothing stands in the way');
  });
});
