import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visitItems } from '../../shared/commerce/history.ts';
import { complaintTable } from '../../shared/datasets/complaints.ts';
import type { Dataset, Shopper } from '../../shared/datasets/dataset.ts';
import { loadEventsCsv, loadEventsJsonl } from '../../shared/datasets/events.ts';
import type { EventOptions } from '../../shared/datasets/events.ts';
import { parseCatalogueFile } from '../../shared/datasets/catalogue-file.ts';
import { codeOf } from './code-of.ts';

const header = 'event,item_id,shopper_id,timestamp,quantity';

function csv(lines: readonly string[], options: EventOptions = {}, columns = header): Dataset {
  return loadEventsCsv('orders.csv', [columns, ...lines].join('\n'), options);
}

/** `id: item item | item` with a bar between visits. */
function show(dataset: Dataset): string[] {
  const visits = ({ history }: Shopper): string =>
    Array.from(history.visitTimes, (_, visit) => Array.from(visitItems(history, visit), (item) => dataset.catalogue.products[item].id).join(' ')).join(' | ');
  return dataset.shoppers.map((shopper) => `${shopper.id}: ${visits(shopper)}`);
}

function complaints(dataset: Dataset): Record<string, readonly number[]> {
  return Object.fromEntries(dataset.report.complaints.map(({ kind, lines }) => [kind, lines]));
}

describe('an event file', () => {
  it('becomes one visit per shopper and UTC day, in order of time whatever the order of lines', () => {
    const dataset = csv([
      'purchase,lamp,bo,2024-05-02T23:59:59Z,1',
      'purchase,desk,ana,2024-05-02T00:30:00+01:00,1',
      'purchase,chair,ana,2024-05-02T10:00:00Z,1',
      'purchase,lamp,ana,2024-05-01T10:00:00Z,1',
      'purchase,desk,bo,2024-05-03T00:00:00Z,1',
    ]);
    expect(show(dataset)).toEqual(['ana: lamp desk | chair', 'bo: lamp | desk']);
    expect([...dataset.shoppers[0].history.visitTimes]).toEqual([Date.UTC(2024, 4, 1, 10) / 1000, Date.UTC(2024, 4, 2, 10) / 1000]);
    expect(dataset.report).toEqual({ lines: 5, used: 5, complaints: [] });
  });

  it('becomes one visit per value of the basket column, at its earliest time', () => {
    const dataset = csv(
      ['purchase,lamp,ana,300,1,A', 'purchase,desk,ana,100,1,B', 'purchase,chair,ana,90000,1,A', 'purchase,desk,bo,100,1,A', 'purchase,lamp,ana,200,1,'],
      { basketColumn: 'Order_ID' },
      `${header},order_id`,
    );
    expect(show(dataset)).toEqual(['ana: desk | lamp | lamp chair', 'bo: desk']);
    expect([...dataset.shoppers[0].history.visitTimes]).toEqual([100, 200, 300]);
    expect(complaints(dataset)).toEqual({ 'missing-basket': [6] });
  });

  it('counts every line as a purchase where there is no event column, and one piece without a quantity', () => {
    expect(show(csv(['ana,2024-05-01,lamp'], {}, 'shopper_id,timestamp,item_id'))).toEqual(['ana: lamp']);
  });

  it('has its items in order of time inside a visit, and those of one time as in the file', () => {
    expect(show(csv(['purchase,lamp,ana,200,1', 'purchase,desk,ana,100,1', 'purchase,chair,ana,200,1']))).toEqual(['ana: desk lamp chair']);
  });

  it('takes the first of two columns with one name', () => {
    expect(show(csv(['lamp,ana,100,desk'], {}, 'item_id,shopper_id,timestamp,Item_ID'))).toEqual(['ana: lamp']);
  });

  it('makes histories of the events that were asked for', () => {
    const lines = ['view_item,lamp,ana,100,1', 'add_to_cart,desk,ana,200,1', 'purchase,chair,ana,300,1', 'Purchase,lamp,ana,400,1'];
    expect(show(csv(lines))).toEqual(['ana: chair lamp']);
    expect(complaints(csv(lines))).toEqual({ 'not-selected': [2, 3] });
    expect(show(csv(lines, { events: ['view_item', 'add_to_cart'] }))).toEqual(['ana: lamp desk']);
  });

  it('refuses to make histories of what takes something back, or of nothing', () => {
    expect(codeOf(() => csv([], { events: ['refund' as never] }))).toBe('config.invalid');
    expect(codeOf(() => csv([], { events: [] }))).toBe('config.invalid');
  });

  it('keeps the columns it names and no other, so a mail address is nowhere in the result', () => {
    const dataset = csv(['purchase,lamp,ana,100,1,ana@example.org'], {}, `${header},email`);
    expect(JSON.stringify([dataset.catalogue.products, dataset.shoppers, dataset.report])).not.toContain('example.org');
  });
});

describe('a refund', () => {
  it('takes a purchase back, and a visit and a shopper that are left with nothing', () => {
    const dataset = csv(['purchase,lamp,ana,100,1', 'purchase,desk,ana,100,1', 'purchase,lamp,ana,200000,1', 'purchase,lamp,bo,100,1', 'refund,lamp,ana,300000,1', 'refund,lamp,bo,300000,1']);
    expect(show(dataset)).toEqual(['ana: lamp desk']);
    expect(complaints(dataset)).toEqual({ refund: [6, 7], refunded: [4, 5] });
    expect(dataset.report).toMatchObject({ lines: 6, used: 2 });
  });

  it('of some of several pieces leaves the item, and of more than one purchase takes the latest first', () => {
    expect(show(csv(['purchase,lamp,ana,100,3', 'refund,lamp,ana,200,2']))).toEqual(['ana: lamp']);
    expect(show(csv(['purchase,lamp,ana,100,1', 'purchase,lamp,ana,100000,1', 'purchase,lamp,ana,200000,1', 'refund,lamp,ana,300000,2']))).toEqual(['ana: lamp']);
  });

  it('of a basket takes from that basket before it takes from a later one', () => {
    const dataset = csv(['purchase,lamp,ana,100,1,A', 'purchase,desk,ana,100,1,A', 'purchase,lamp,ana,200,1,B', 'refund,lamp,ana,300,1,A'], { basketColumn: 'order_id' }, `${header},order_id`);
    expect(show(dataset)).toEqual(['ana: desk | lamp']);
  });

  it('of something not bought before is reported and takes nothing', () => {
    const dataset = csv(['refund,lamp,ana,50,1', 'purchase,lamp,ana,100,1', 'refund,desk,ana,200,1', 'refund,lamp,bo,200,1']);
    expect(show(dataset)).toEqual(['ana: lamp']);
    expect(complaints(dataset)).toEqual({ 'refund-unmatched': [2, 4, 5] });
  });
});

describe('consent in an event file', () => {
  const columns = `${header},degree`;
  const degreeOf = (lines: readonly string[]): number | undefined => csv(['purchase,lamp,ana,100,1,', ...lines], {}, columns).shoppers[0]?.degree;

  it('is 3 where nothing is said', () => {
    expect(degreeOf([])).toBe(3);
  });

  it('is the latest that was said, whatever the order of lines', () => {
    expect(degreeOf(['purchase,lamp,ana,300,1,1', 'purchase,lamp,ana,200,1,2'])).toBe(1);
    expect(degreeOf(['purchase,lamp,ana,300,1,1', 'purchase,lamp,ana,300,1,2'])).toBe(2);
    expect(degreeOf(['purchase,lamp,bo,300,1,1'])).toBe(3);
  });

  it('is off where it cannot be read, and the line is reported', () => {
    const dataset = csv(['purchase,lamp,ana,100,1,yes'], {}, columns);
    expect(dataset.shoppers[0].degree).toBe(0);
    expect(complaints(dataset)).toEqual({ 'bad-degree': [2] });
  });

  it('can be withdrawn on a line that is dropped for another reason', () => {
    expect(degreeOf(['view_item,,ana,300,1,0'])).toBe(0);
  });
});

describe('what is wrong with a line', () => {
  const broken: [string, string][] = [
    ['missing-shopper', 'purchase,lamp, ,100,1'],
    ['bad-shopper', `purchase,lamp,${'x'.repeat(257)},100,1`],
    ['missing-item', 'purchase,,ana,100,1'],
    ['bad-item', `purchase,${'x'.repeat(257)},ana,100,1`],
    ['unknown-event', 'bought,lamp,ana,100,1'],
    ['bad-timestamp', 'purchase,lamp,ana,soon,1'],
    ['bad-quantity', 'purchase,lamp,ana,100,0'],
    ['bad-quantity', 'purchase,lamp,ana,100,many'],
    ['bad-quantity', 'purchase,lamp,ana,100,-2'],
    ['field-count', 'purchase,lamp,ana,100'],
    ['field-count', 'purchase,lamp,ana,100,1,1'],
    ['bad-quotes', 'purchase,"lamp,ana,100,1'],
    ['not-selected', 'view_item,lamp,ana,100,1'],
    ['refund-unmatched', 'refund,lamp,ana,1,1'],
  ];

  it.each(broken)('is called %s, with its number, and costs no other line: %s', (kind, line) => {
    const dataset = csv(['purchase,lamp,ana,100,1', line, 'purchase,desk,ana,200,1']);
    expect(show(dataset)).toEqual(['ana: lamp desk']);
    expect(complaints(dataset)).toEqual({ [kind]: [3] });
    expect(dataset.report).toMatchObject({ lines: 3, used: 2, complaints: [{ count: 1, effect: 'dropped', text: complaintTable[kind as keyof typeof complaintTable].text }] });
  });

  it('is counted to the end, with the first ten line numbers', () => {
    const dataset = csv(Array.from({ length: 25 }, () => 'purchase,lamp,ana,soon,1'));
    expect(dataset.report.complaints[0]).toMatchObject({ kind: 'bad-timestamp', count: 25, lines: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11] });
  });

  it('has the first line numbers even where trouble is found out of order', () => {
    // Refunds are applied in order of time, here the reverse of the file's.
    const refunds = Array.from({ length: 12 }, (_, index) => `refund,lamp,ana,${500 - index},1`);
    const dataset = csv(['purchase,desk,ana,100,1', ...refunds]);
    expect(dataset.report.complaints).toMatchObject([{ kind: 'refund-unmatched', count: 12, lines: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }]);
  });

  it('is said of the same line again, which a history holds once', () => {
    const dataset = csv(['purchase,lamp,ana,100,1', 'purchase,lamp,ana,100,1', 'purchase,lamp,ana,100,2', 'purchase,lamp,ana,101,1', 'purchase,lamp,bo,100,1']);
    expect(show(dataset)).toEqual(['ana: lamp', 'bo: lamp']);
    expect(dataset.report).toMatchObject({ lines: 5, used: 5, complaints: [{ kind: 'exact-duplicate', effect: 'repaired', count: 1, lines: [3] }] });
  });

  it('never makes a line disappear: used and dropped are all there is', () => {
    const line = fc.oneof(fc.constantFrom(...broken.map(([, text]) => text), 'purchase,lamp,ana,100,1', 'refund,lamp,ana,200,1'), fc.string({ unit: fc.constantFrom('"', ',', 'a', '1') }));
    fc.assert(fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const { report, shoppers } = csv(lines);
      const dropped = report.complaints.reduce((sum, { effect, count }) => (effect === 'dropped' ? sum + count : sum), 0);
      expect(report.used + dropped).toBe(report.lines);
      expect(report.used > 0).toBe(shoppers.length > 0);
    }));
  });
});

describe('a file without a needed column', () => {
  it('is refused with what was expected and what was found', () => {
    expect(() => loadEventsCsv('x.csv', 'item_id,when\nlamp,100\n')).toThrow('columns: expected item_id, shopper_id, timestamp, got item_id, when (missing: shopper_id, timestamp)');
    expect(codeOf(() => loadEventsCsv('x.csv', 'item_id,when\nlamp,100\n'))).toBe('data.missing-column');
    expect(codeOf(() => csv([], { basketColumn: 'order_id' }))).toBe('data.missing-column');
    expect(codeOf(() => loadEventsJsonl('x.jsonl', '{"item_id":"lamp","when":1}'))).toBe('data.missing-column');
  });
});

describe('the catalogue of an event file', () => {
  const columns = `${header},item_name,item_category,item_brand,price`;

  it('has for each item the most frequent texts and the median price', () => {
    const dataset = csv([
      'purchase,lamp,ana,100,1,Lamp,Light,,10',
      'purchase,lamp,bo,100,1,Reading lamp,Light,Lux,30',
      'view_item,lamp,cem,100,1,Reading lamp,Home,Lux,20',
      'view_item,desk,cem,100,1,,,,',
    ], {}, columns);
    expect(dataset.catalogue.products).toEqual([{ id: 'desk', title: '' }, { id: 'lamp', title: 'Reading lamp', category: 'Light', brand: 'Lux', price: 20 }]);
  });

  it('has of equally frequent texts the first met, and of two prices the lower', () => {
    const dataset = csv(['purchase,lamp,ana,100,1,First,,,30', 'purchase,lamp,bo,100,1,Second,,,20'], {}, columns);
    expect(dataset.catalogue.products).toEqual([{ id: 'lamp', title: 'First', price: 20 }]);
  });

  it('ignores a price that is none and cuts a text that is too long, and says so', () => {
    const dataset = csv([`purchase,lamp,ana,100,1,${'x'.repeat(2000)},Light,,free`], {}, columns);
    expect(dataset.catalogue.products[0]).toEqual({ id: 'lamp', title: 'x'.repeat(1024), category: 'Light' });
    expect(complaints(dataset)).toEqual({ 'bad-price': [2], 'long-text': [2] });
    expect(dataset.report.used).toBe(1);
  });

  it('can be given instead; then other items are dropped and reported', () => {
    const { catalogue } = parseCatalogueFile('id,title\nlamp,Reading lamp\nsofa,Sofa\n');
    const dataset = csv(['purchase,lamp,ana,100,1,Other', 'purchase,desk,ana,100,1,Desk'], { catalogue }, `${header},item_name`);
    expect(dataset.catalogue).toBe(catalogue);
    expect(show(dataset)).toEqual(['ana: lamp']);
    expect(complaints(dataset)).toEqual({ 'unknown-item': [3] });
  });
});

describe('an event file of JSON lines', () => {
  const event = { event: 'purchase', item_id: 'lamp', shopper_id: 'ana', timestamp: 100 };

  it('is the same data set as its CSV', () => {
    const jsonl = [{ ...event, quantity: 2 }, { ...event, item_id: 7, shopper_id: 12, timestamp: '2024-05-01', price: 9.5, item_name: 'Seven' }].map((line) => JSON.stringify(line)).join('\n');
    const same = csv(['purchase,lamp,ana,100,2,,', 'purchase,7,12,2024-05-01,1,9.5,Seven'], {}, `${header},price,item_name`);
    expect(loadEventsJsonl('orders.csv', jsonl)).toEqual(same);
  });

  it('complains of lines that are no object and of fields that are no value', () => {
    const lines = ['{', '[]', 'null', '3', JSON.stringify({ ...event, item_id: { id: 'lamp' } }), JSON.stringify(event), '{"item_id":"lamp"}'];
    const dataset = loadEventsJsonl('orders.jsonl', lines.join('\n'));
    expect(complaints(dataset)).toEqual({ 'bad-json': [1, 2, 3, 4], 'missing-item': [5], 'missing-shopper': [7] });
    expect(dataset.report).toMatchObject({ lines: 7, used: 1 });
  });

  it('takes the basket column in its own spelling', () => {
    const lines = [{ ...event, orderId: 'A' }, { ...event, item_id: 'desk', timestamp: 200_000, orderId: 'A' }].map((line) => JSON.stringify(line)).join('\n');
    expect(show(loadEventsJsonl('orders.jsonl', lines, { basketColumn: 'orderId' }))).toEqual(['ana: lamp desk']);
  });

  it('does not take inherited names for fields', () => {
    const line = JSON.stringify({ ...event, constructor: 'x' });
    expect(codeOf(() => loadEventsJsonl('orders.jsonl', line, { basketColumn: 'toString' }))).toBe('data.missing-column');
  });
});
