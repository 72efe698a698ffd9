import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { MappingReport } from '../../../client/federation-histories.ts';
import { totalSpent } from '../../../client/spends.ts';
import type { FromDevice } from '../../../client/storefront/device-messages.ts';
import { openSeat, type RoundsNews } from '../../../client/storefront/rounds-seat.ts';
import { dataFor } from '../../../shared/commerce/purposes.ts';

/** A worker that says what a test has it say. */
class FakeWorker {
  static readonly all: FakeWorker[] = [];
  onmessage: (message: { readonly data: FromDevice }) => void = () => undefined;
  constructor() {
    FakeWorker.all.push(this);
  }
  postMessage(): void {}
  terminate(): void {}
}

beforeEach(() => {
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('location', { href: 'https://shop.example/' });
  for (const name of ['addEventListener', 'removeEventListener']) vi.stubGlobal(name, () => undefined);
});
afterEach(() => void vi.unstubAllGlobals());

it('tells what was spent and what left also when that is heard after the withdrawal, and nothing else', () => {
  const history = dataFor('improve', 3, [{ time: 0, items: ['a'] }]);
  if (history === null) throw new Error('expected degree 3 to improve');
  const news: RoundsNews[] = [];
  const seat = openSeat({ url: '/cesta', maxEpsilon: 2, history, tell: (said) => void news.push(said) });
  seat.withdraw();
  news.length = 0;
  const [worker] = FakeWorker.all;
  const mapping: MappingReport = { shoppers: 1, withheld: 0, outside: 0, itemsMapped: 1, itemsOutside: 0 };
  const spent = { ...totalSpent({ spends: [], unreadable: 0 }), epsilon: 1.5 };
  worker.onmessage({ data: { kind: 'event', event: { kind: 'trained', round: 'main-1', mapping, spent } } });
  worker.onmessage({ data: { kind: 'event', event: { kind: 'up', task: 'main', isReturn: true, publishedProducts: 0 } } });
  worker.onmessage({ data: { kind: 'event', event: { kind: 'sent', bytes: 7 } } });
  expect(news).toEqual([{ epsilonSpent: 1.5 }, { bytesSent: 7 }]);
});
