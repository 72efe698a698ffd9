/**
 * A shop's histories in the coordinates of the federation's catalogue, consent first: shoppers who did not choose
 * to help improve are never mapped. Items the federation does not know are counted, not dropped in silence.
 */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { permits } from '../shared/commerce/consent.ts';
import { visitCount, visitItems, type ShopperHistory } from '../shared/commerce/history.ts';
import type { Shopper } from '../shared/datasets/dataset.ts';

/** What became of a shop's shoppers and items on the way into a statistic. */
export interface MappingReport {
  /** Shoppers with consent and at least one item of the federation's catalogue. */
  readonly shoppers: number;
  /** Shoppers whose degree does not permit improving the model. */
  readonly withheld: number;
  /** Shoppers with consent and no item of the federation's catalogue. */
  readonly outside: number;
  /** Items of consenting shoppers' visits that are in the federation's catalogue. */
  readonly itemsMapped: number;
  readonly itemsOutside: number;
}

export interface HistoryMapper {
  /** The history to contribute, or null when this shopper is not part of the sum. */
  map(shopper: Shopper): ShopperHistory | null;
  report(): MappingReport;
}

export function mapHistories(own: Catalogue, federation: Catalogue): HistoryMapper {
  const federationIndex = Int32Array.from(own.products, ({ id }) => federation.indexOf.get(id) ?? -1);
  const report = { shoppers: 0, withheld: 0, outside: 0, itemsMapped: 0, itemsOutside: 0 };
  return {
    map({ history, degree }) {
      if (!permits(degree, 'improve')) {
        report.withheld += 1;
        return null;
      }
      const mapped = translate(history, federationIndex);
      report.itemsMapped += mapped.items.length;
      report.itemsOutside += history.items.length - mapped.items.length;
      report[mapped.items.length > 0 ? 'shoppers' : 'outside'] += 1;
      return mapped.items.length > 0 ? mapped : null;
    },
    report: () => ({ ...report }),
  };
}

/** Keeps the order of visits and of items in them; visits left without an item are no visits of the federation. */
function translate(history: ShopperHistory, federationIndex: Int32Array): ShopperHistory {
  const items: number[] = [];
  const starts: number[] = [];
  const times: number[] = [];
  for (let visit = 0; visit < visitCount(history); visit += 1) {
    const start = items.length;
    for (const item of visitItems(history, visit)) if (federationIndex[item] >= 0) items.push(federationIndex[item]);
    if (items.length === start) continue;
    starts.push(start);
    times.push(history.visitTimes[visit]);
  }
  return { items: Int32Array.from(items), visitStarts: Int32Array.from(starts), visitTimes: Float64Array.from(times) };
}
