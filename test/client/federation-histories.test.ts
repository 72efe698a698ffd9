import { describe, expect, it } from 'vitest';
import { mapHistories } from '../../client/federation-histories.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import type { Degree } from '../../shared/commerce/consent.ts';
import { historyOf, visitItems, type Visit } from '../../shared/commerce/history.ts';
import type { Shopper } from '../../shared/datasets/dataset.ts';

const catalogueOf = (...ids: string[]) => createCatalogue(ids.map((id) => ({ id, title: '' })));
const shopper = (degree: Degree, ...visits: Visit[]): Shopper => ({ id: 's', group: '', degree, history: historyOf(visits) });

/** The shop sells b, c, d; the federation knows a, b, d. */
const own = catalogueOf('b', 'c', 'd');
const federation = catalogueOf('a', 'b', 'd');

describe('histories in the terms of the federation', () => {
  it('keep visits, their order and their times, without items the federation does not know', () => {
    const mapped = mapHistories(own, federation).map(shopper(3, { time: 20, items: [2, 0] }, { time: 10, items: [1] }, { time: 30, items: [1, 2] }));
    expect(mapped).not.toBeNull();
    if (mapped === null) return;
    expect([...mapped.visitTimes]).toEqual([20, 30]);
    expect([...visitItems(mapped, 0)]).toEqual([2, 1]);
    expect([...visitItems(mapped, 1)]).toEqual([2]);
  });

  it('leave out every shopper below degree 3, before anything of theirs is counted', () => {
    const mapper = mapHistories(own, federation);
    for (const degree of [0, 1, 2] as const) expect(mapper.map(shopper(degree, { time: 1, items: [0, 1] }))).toBeNull();
    expect(mapper.report()).toEqual({ shoppers: 0, withheld: 3, outside: 0, itemsMapped: 0, itemsOutside: 0 });
  });

  it('come with an account of what was left out', () => {
    const mapper = mapHistories(own, federation);
    mapper.map(shopper(3, { time: 1, items: [0, 1, 2] }, { time: 2, items: [1] }));
    mapper.map(shopper(3, { time: 1, items: [1] }));
    mapper.map(shopper(3));
    mapper.map(shopper(0, { time: 1, items: [0] }));
    expect(mapper.report()).toEqual({ shoppers: 1, withheld: 1, outside: 2, itemsMapped: 2, itemsOutside: 3 });
  });
});
