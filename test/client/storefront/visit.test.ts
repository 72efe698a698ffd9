import { describe, expect, it } from 'vitest';
import { createVisitLog } from '../../../client/storefront/visit.ts';
import { visitItems } from '../../../shared/commerce/history.ts';
import { catalogueOf } from '../../ranking/training.ts';

const catalogue = catalogueOf('a', 'b', 'c');
const minute = 60_000;

describe('the history of a visit', () => {
  it('begins a new visit after half an hour without an event, and not before', () => {
    const log = createVisitLog();
    log.track('view_item', [{ item_id: 'a' }], 0);
    log.track('view_item', [{ item_id: 'b' }], 29 * minute);
    log.track('view_item', [{ item_id: 'c' }, { item_id: 'a' }], 58 * minute);
    log.track('view_item', [{ item_id: 'b' }], 88 * minute);
    const history = log.history(catalogue);
    expect([...history.visitTimes]).toEqual([0, 88 * 60]);
    expect([...visitItems(history, 0)]).toEqual([0, 1, 2]);
    expect([...visitItems(history, 1)]).toEqual([1]);
  });

  it('has no visits without an item the catalogue knows', () => {
    const log = createVisitLog();
    log.track('view_item', [{ item_id: 'z' }], 0);
    log.track('view_item', [{ item_id: 'a' }], 60 * minute);
    expect([...log.history(catalogue).visitTimes]).toEqual([3_600]);
  });
});
