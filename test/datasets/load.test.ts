import { describe, expect, it } from 'vitest';
import { parseCatalogueFile } from '../../shared/datasets/catalogue-file.ts';
import { columnsOf, detectFormat } from '../../shared/datasets/detect.ts';
import { loadText, requireUsable } from '../../shared/datasets/load.ts';
import { codeOf } from './code-of.ts';

const events = 'item_id,shopper_id,timestamp\nlamp,ana,2024-05-01\n';

describe('the format of a file', () => {
  it.each([
    ['orders.csv', events, 'csv'],
    ['orders.txt', events, 'csv'],
    ['orders', events.replaceAll(',', ';'), 'csv'],
    ['other.csv.gz', 'a,b\n1,2\n', 'csv'],
    ['orders.tsv', 'a\tb\n', 'csv'],
    ['orders.log', '\n{"item_id":1}\n', 'jsonl'],
    ['orders.jsonl', 'damaged\n', 'jsonl'],
    ['u.data', '196\t242\t3\t881250949\n', 'movielens'],
    ['ratings.dat', '1::1193::5::978300760\n', 'movielens'],
    ['ratings.csv', 'userId,movieId,rating,timestamp\n1,1,4.0,964982703\n', 'movielens'],
    ['clicks.txt', 'lamp desk chair\n', 'sequences'],
    ['/some/folder.csv/clicks', 'lamp,desk\n', 'sequences'],
  ])('of %s is told', (name, text, format) => {
    expect(detectFormat(name, text)).toBe(format);
  });

  it.each([['page.txt', '<!doctype html>'], ['orders.json', '[{"item_id":1}]'], ['notes.md', 'Hello there'], ['picture.png', 'PNG']])('of %s is none of ours', (name, text) => {
    expect(codeOf(() => detectFormat(name, text))).toBe('data.unreadable');
  });

  it('says which columns there are', () => {
    expect(columnsOf('csv', events)).toEqual(['item_id', 'shopper_id', 'timestamp']);
    expect(columnsOf('jsonl', '\n{"a":1,"b":2}\n{"c":3}')).toEqual(['a', 'b']);
    expect(columnsOf('sequences', 'a b')).toEqual([]);
  });

  it('can be overridden', () => {
    expect(loadText('orders.csv', 'lamp desk\n', { format: 'sequences' }).shoppers[0].history.visitStarts.length).toBe(2);
  });
});

describe('options', () => {
  it.each([
    ['sequences', { basketColumn: 'order_id' }],
    ['sequences', { events: ['purchase'] }],
    ['movielens', { basketColumn: 'order_id' }],
    ['csv', { minRating: 4 }],
    ['jsonl', { titles: 'x' }],
  ] as const)('that mean nothing to %s data are refused, not ignored: %j', (format, option) => {
    expect(codeOf(() => loadText('file', '1\t2\t3\t4', { format, ...option }))).toBe('config.invalid');
  });
});

describe('a file with nothing usable', () => {
  it('is empty, with the reasons', () => {
    const dataset = loadText('orders.csv', `${events}`.replace('2024-05-01', 'soon'));
    expect(() => requireUsable(dataset)).toThrow('orders.csv: expected at least one usable line, got 0 of 1 (bad-timestamp 1)');
    expect(codeOf(() => requireUsable(dataset))).toBe('data.empty');
    expect(codeOf(() => requireUsable(loadText('orders.csv', 'item_id,shopper_id,timestamp\n')))).toBe('data.empty');
    expect(codeOf(() => loadText('orders.csv', ' \n'))).toBe('data.empty');
  });

  it('is the only one: one usable line makes a data set', () => {
    const dataset = loadText('orders.csv', events);
    expect(requireUsable(dataset)).toBe(dataset);
  });
});

describe('a catalogue file', () => {
  const products = [{ id: 'desk', title: 'Desk, oak', price: 99 }, { id: 'lamp', title: 'Reading lamp', category: 'Light', brand: 'Lux' }];

  it.each([
    ['product feed names', 'id,title,category,brand,price\nlamp,Reading lamp,Light,Lux,\ndesk,"Desk, oak",,,99\n'],
    ['event file names', 'item_id,item_name,item_category,item_brand,price\nlamp,Reading lamp,Light,Lux,\ndesk,"Desk, oak",,,99\n'],
    ['JSON lines', '{"id":"lamp","title":"Reading lamp","category":"Light","brand":"Lux"}\n{"item_id":"desk","item_name":"Desk, oak","price":99}\n'],
  ])('is read by %s', (_, text) => {
    expect(parseCatalogueFile(text)).toMatchObject({ catalogue: { products }, complaints: [] });
  });

  it('reports what is no product under names of its own', () => {
    const { catalogue, complaints } = parseCatalogueFile('id,title,price\nlamp,Lamp,1\nlamp,Other,1\n,Nameless,1\ndesk,Desk,cheap\n"open,1,1\n');
    expect(catalogue.products).toEqual([{ id: 'desk', title: 'Desk' }, { id: 'lamp', title: 'Lamp', price: 1 }]);
    expect(complaints.map(({ kind, lines }) => [kind, lines])).toEqual([['catalogue-bad-quotes', [6]], ['catalogue-bad-price', [5]], ['catalogue-line', [4]], ['catalogue-duplicate', [3]]]);
    const dataset = loadText('orders.csv', events, { catalogue: { catalogue, complaints } });
    expect(dataset.report).toMatchObject({ lines: 1, used: 1 });
    expect(dataset.report.complaints).toEqual(complaints);
  });

  it('needs an id column and a product', () => {
    expect(codeOf(() => parseCatalogueFile('sku,title\n1,x\n'))).toBe('data.missing-column');
    expect(codeOf(() => parseCatalogueFile('id,title\n'))).toBe('data.empty');
  });
});
