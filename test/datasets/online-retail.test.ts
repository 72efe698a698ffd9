import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildOnlineRetail } from '../../scripts/datasets/build-online-retail.ts';
import { visitCount, visitItems, visitRange } from '../../shared/commerce/history.ts';
import { encodeDataset } from '../../shared/datasets/compact-dataset.ts';
import { decodeOnlineRetail, onlineRetailAttribution } from '../../shared/datasets/online-retail.ts';
import { itemKinds, tasteOf } from '../../shared/datasets/partitions.ts';
import { codeOf } from './code-of.ts';

const compressed = readFileSync(new URL('../../shared/datasets/online-retail.bin.gz', import.meta.url));
const bytes = gunzipSync(compressed);
const dataset = decodeOnlineRetail(bytes);

describe('the embedded Online Retail data', () => {
  it('holds every shopper, item and visit that the cleaning leaves', () => {
    expect(dataset.shoppers.length).toBe(4335);
    expect(dataset.catalogue.products.length).toBe(3659);
    expect(dataset.shoppers.reduce((sum, { history }) => sum + visitCount(history), 0)).toBe(18_405);
    expect(dataset.shoppers.reduce((sum, { history }) => sum + history.items.length, 0)).toBe(386_354);
    expect(new Set(dataset.shoppers.map(({ group }) => group)).size).toBe(37);
  });

  it('has 3,644 items with a purchase before the last visit of a shopper with several', () => {
    const bought = new Set<number>();
    for (const { history } of dataset.shoppers) {
      const training = visitCount(history) < 2 ? history : visitRange(history, 0, visitCount(history) - 1);
      for (const item of training.items) bought.add(item);
    }
    expect(bought.size).toBe(3644);
  });

  it('has shoppers of many tastes, none of them that of more than a third', () => {
    const kinds = itemKinds(dataset.catalogue.products);
    const counts = new Map<string, number>();
    for (const { history } of dataset.shoppers) counts.set(tasteOf(history, kinds), (counts.get(tasteOf(history, kinds)) ?? 0) + 1);
    expect(counts.size).toBe(21);
    expect(Math.max(...counts.values())).toBeLessThan(dataset.shoppers.length / 3);
  });

  it('accounts for all 541,909 lines of the source', () => {
    const dropped = dataset.report.complaints.reduce((sum, { count }) => sum + count, 0);
    expect(dataset.report.lines).toBe(541_909);
    expect(dataset.report.used + dropped).toBe(541_909);
  });

  it('names what it sells: a title and a price for every item, codes in upper case', () => {
    expect(dataset.catalogue.products.every(({ title, price }) => title !== '' && price !== undefined && price > 0)).toBe(true);
    expect(dataset.catalogue.products.every(({ id }) => id === id.toUpperCase() && /^\d{5}/.test(id))).toBe(true);
    expect(dataset.catalogue.products[dataset.catalogue.indexOf.get('85123A')!]).toEqual({ id: '85123A', title: 'WHITE HANGING HEART T-LIGHT HOLDER', price: 2.95 });
  });

  it('stays inside the year the data is from', () => {
    const times = dataset.shoppers.flatMap(({ history }) => [...history.visitTimes]).sort((a, b) => a - b);
    expect(new Date(times[0] * 1000).toISOString()).toBe('2010-12-01T08:26:00.000Z');
    expect(new Date(times.at(-1)! * 1000).toISOString()).toBe('2011-12-09T12:50:00.000Z');
  });

  it('comes back byte for byte when it is written again', () => {
    expect(Buffer.from(encodeDataset(dataset)).equals(bytes)).toBe(true);
  });

  it('takes less than a megabyte', () => {
    expect(compressed.length).toBeLessThan(1_000_000);
  });

  it('is unreadable when cut or damaged anywhere', () => {
    for (let part = 0; part < 20; part += 1) {
      const at = Math.floor((bytes.length * part) / 20);
      const damaged = Uint8Array.from(bytes);
      damaged[at] ^= 1;
      expect(codeOf(() => decodeOnlineRetail(damaged))).toBe('data.unreadable');
      expect(codeOf(() => decodeOnlineRetail(bytes.subarray(0, at)))).toBe('data.unreadable');
    }
  });

  it('says whose it is', () => {
    for (const part of ['Chen', '10.24432/C5BW33', 'CC BY 4.0', '10.1057/dbm.2012.17']) expect(onlineRetailAttribution).toContain(part);
    const readme = readFileSync(new URL('../../shared/datasets/README.md', import.meta.url), 'utf8');
    for (const part of ['10.24432/C5BW33', 'CC BY 4.0', '10.1057/dbm.2012.17']) expect(readme).toContain(part);
  });
});

describe('the builder of the embedded data', () => {
  const csv = [
    'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country',
    '536365,85123a,"HOLDER, WHITE",6,2010-12-01 08:26:00,2.55,17850.0,France',
    '536365,85123A,HOLDER ,1,2010-12-01 08:25:00,2.95,17850.0,France',
    '536366,85123A,HOLDER ,1,2010-12-02 08:25:00,2.50,17850.0,Spain',
    '536366,POST,POSTAGE,1,2010-12-02 08:25:00,18,17850.0,Spain',
    'C536367,85123A,HOLDER,-1,2010-12-02 08:25:00,2.55,17850.0,Spain',
    '536368,85123A,HOLDER,0,2010-12-02 08:25:00,2.55,17850.0,Spain',
    '536369,71053,LANTERN,1,2010-12-02 08:25:00,0,,Spain',
    '536370,71053,LANTERN,1,2010-12-02 08:25:00,0,12346.0,Malta',
    '',
  ].join('\n');
  const built = buildOnlineRetail(csv);

  it('makes an invoice a visit at its earliest minute, with each item once', () => {
    expect(built.shoppers.map(({ id, group }) => [id, group])).toEqual([['12346', 'Malta'], ['17850', 'France']]);
    const { history } = built.shoppers[1];
    expect([...history.visitTimes].map((time) => new Date(time * 1000).toISOString())).toEqual(['2010-12-01T08:25:00.000Z', '2010-12-02T08:25:00.000Z']);
    expect([visitItems(history, 0), visitItems(history, 1)].map((items) => [...items])).toEqual([[1], [1]]);
  });

  it('takes the most frequent description and the median price, and no price where none was charged', () => {
    expect(built.catalogue.products).toEqual([{ id: '71053', title: 'LANTERN' }, { id: '85123A', title: 'HOLDER', price: 2.55 }]);
  });

  it('says which lines it drops and why', () => {
    expect(built.report.complaints.map(({ kind, lines }) => [kind, lines])).toEqual([['missing-shopper', [8]], ['cancellation', [6]], ['bad-quantity', [7]], ['not-a-product', [5]]]);
    expect([built.report.lines, built.report.used]).toEqual([8, 4]);
  });
});
