import { expect, it } from 'vitest';
import { openMeasurementBook } from '../../../../client/shop/storefront-api/campaigns/measurement-book.ts';
import type { Subject } from '../../../../shared/commerce/experiments.ts';
import type { SealedLog } from '../../../../client/shop/storefront-api/sealed-log.ts';
import { codeOf } from '../../fakes.ts';

it('a book of reports has an end, and takes one that it has again', async () => {
  const log: SealedLog = { append: () => undefined, rewrite: () => undefined, count: 0, close: () => undefined };
  const subject: Subject = { id: 'shelf', arms: ['a', 'b'], from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z', measure: { epsilon: 1, afterDays: 7 } };
  const book = openMeasurementBook(log, [], { subjects: new Map([['shelf', subject]]), dateMs: () => Date.UTC(2026, 0, 2), reportsAtMost: 2 });
  const report = (id: string) => ({ id, subject: 'shelf', arm: 0, value: 0 }) as Parameters<typeof book.add>[0];
  book.add(report('01'));
  book.add(report('02'));
  expect(await codeOf(() => book.add(report('03')))).toBe('limit.capacity');
  book.add(report('02'));
  expect(book.counts('shelf')).toEqual([[2, 0, 0, 0]]);
});
