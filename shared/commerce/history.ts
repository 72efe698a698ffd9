/** What a shopper did, in the terms of a catalogue: visits in time, each a set of items. */

/** One visit, order or day: the items touched in it. */
export interface Visit {
  /** Unix time in seconds. */
  readonly time: number;
  /** Distinct item indexes of the catalogue. */
  readonly items: readonly number[];
}

/** One shopper's visits, oldest first, flattened into typed arrays. */
export interface ShopperHistory {
  /** Item indexes of all visits, one visit after the other; an item may recur in a later visit. */
  readonly items: Int32Array;
  /** Where each visit starts in `items`; one entry a visit. */
  readonly visitStarts: Int32Array;
  /** Unix time in seconds; one entry a visit. */
  readonly visitTimes: Float64Array;
}

/**
 * The history of these visits, in any order; an item counts once a visit.
 * @example
 * const history = historyOf([{ time: 1_700_000_000, items: [3, 5] }]);
 * distinctItems(history); // Int32Array [3, 5]
 */
export function historyOf(visits: readonly Visit[]): ShopperHistory {
  const ordered = [...visits].sort((a, b) => a.time - b.time);
  const visitStarts = new Int32Array(ordered.length);
  const visitTimes = new Float64Array(ordered.length);
  const items: number[] = [];
  ordered.forEach((visit, index) => {
    visitStarts[index] = items.length;
    visitTimes[index] = visit.time;
    for (const item of new Set(visit.items)) items.push(item);
  });
  return { items: Int32Array.from(items), visitStarts, visitTimes };
}

export function visitCount(history: ShopperHistory): number {
  return history.visitStarts.length;
}

/** The items of one visit, as a view. */
export function visitItems(history: ShopperHistory, visit: number): Int32Array {
  const end = visit + 1 < history.visitStarts.length ? history.visitStarts[visit + 1] : history.items.length;
  return history.items.subarray(history.visitStarts[visit], end);
}

/** Visits `from..to-1` as a history of its own (views, no copies of items). */
export function visitRange(history: ShopperHistory, from: number, to: number): ShopperHistory {
  const count = visitCount(history);
  const start = from < count ? history.visitStarts[from] : history.items.length;
  const end = to < count ? history.visitStarts[to] : history.items.length;
  return {
    items: history.items.subarray(start, end),
    visitStarts: history.visitStarts.slice(from, to).map((offset) => offset - start),
    visitTimes: history.visitTimes.subarray(from, to),
  };
}

/** Those that have something in them: before a first order nobody is a shopper, and no shop counts them. */
export function ofShoppers(histories: readonly ShopperHistory[]): ShopperHistory[] {
  return histories.filter(({ items }) => items.length > 0);
}

/** How many visits came before `time`, in Unix seconds. */
export function visitsBefore({ visitTimes }: ShopperHistory, time: number): number {
  const visits = visitTimes.findIndex((visited) => visited >= time);
  return visits === -1 ? visitTimes.length : visits;
}

/** What was touched before `time`, in Unix seconds. */
export function historyBefore(history: ShopperHistory, time: number): ShopperHistory {
  const visits = visitsBefore(history, time);
  return visits === visitCount(history) ? history : visitRange(history, 0, visits);
}

/** The set of items ever touched, ascending. */
export function distinctItems(history: ShopperHistory): Int32Array {
  return Int32Array.from(new Set(history.items)).sort();
}
