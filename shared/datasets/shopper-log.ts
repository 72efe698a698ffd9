/** Collects events in any order and turns them into shopper histories: visits, refunds, consent, duplicates. */
import type { Degree } from '../commerce/consent.ts';
import { historyOf } from '../commerce/history.ts';
import type { Visit } from '../commerce/history.ts';
import type { Tally } from './complaints.ts';
import type { Shopper } from './dataset.ts';

export interface LoggedEvent {
  readonly shopper: string;
  readonly item: string;
  /** Unix time in seconds. */
  readonly time: number;
  /** What holds a visit together; undefined makes it the UTC day. */
  readonly basket: string | undefined;
  readonly quantity: number;
  readonly line: number;
}

export interface ShopperLog {
  /** `kind` tells duplicates apart and is `purchase` for what a refund can take back. */
  add(kind: string, event: LoggedEvent): void;
  /** Takes the quantity back from earlier purchases of the item by the shopper: same basket first, then the latest. */
  refund(event: LoggedEvent): void;
  /** The latest statement counts; of two at one time, the later line. */
  consent(shopper: string, time: number, degree: Degree): void;
  /** Shoppers with at least one visit, by id; items in order of time inside a visit. */
  shoppers(indexOf: ReadonlyMap<string, number>): Shopper[];
}

const secondsPerDay = 86_400;

interface Interner {
  readonly values: readonly string[];
  index(value: string): number;
}

function interner(): Interner {
  const values: string[] = [];
  const indexOf = new Map<string, number>();
  return {
    values,
    index(value) {
      const known = indexOf.get(value);
      if (known !== undefined) return known;
      indexOf.set(value, values.length);
      return values.push(value) - 1;
    },
  };
}

/** One row per event, as columns: a million small objects would cost several times the memory. */
interface Columns {
  readonly kind: number[];
  readonly shopper: number[];
  readonly item: number[];
  readonly time: number[];
  /** -1 without a basket. */
  readonly basket: number[];
  readonly quantity: number[];
  readonly line: number[];
}

function emptyColumns(): Columns {
  return { kind: [], shopper: [], item: [], time: [], basket: [], quantity: [], line: [] };
}

export function shopperLog(tally: Tally): ShopperLog {
  const kinds = interner();
  const shoppers = interner();
  const items = interner();
  const baskets = interner();
  const events = emptyColumns();
  const refunds = emptyColumns();
  const consents = new Map<string, { time: number; degree: Degree }>();
  const append = (to: Columns, kind: string, event: LoggedEvent): void => {
    to.kind.push(kinds.index(kind));
    to.shopper.push(shoppers.index(event.shopper));
    to.item.push(items.index(event.item));
    to.time.push(event.time);
    to.basket.push(event.basket === undefined ? -1 : baskets.index(event.basket));
    to.quantity.push(event.quantity);
    to.line.push(event.line);
  };
  return {
    add: (kind, event) => append(events, kind, event),
    refund: (event) => append(refunds, 'purchase', event),
    consent(shopper, time, degree) {
      const known = consents.get(shopper);
      if (known === undefined || time >= known.time) consents.set(shopper, { time, degree });
    },
    shoppers(indexOf) {
      const rows = applyRefunds(events, refunds, kinds.index('purchase'), tally);
      const itemIndex = Int32Array.from(items.values, (id) => indexOf.get(id)!);
      const found: Shopper[] = [];
      for (const own of rowsByShopper(events, rows, shoppers.values.length)) {
        if (own.length === 0) continue;
        complainOfDuplicates(events, own, tally);
        const id = shoppers.values[events.shopper[own[0]]];
        found.push({ id, history: historyOf(visitsOf(events, own, itemIndex)), group: '', degree: consents.get(id)?.degree ?? 3 });
      }
      return found.sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}

/** The rows that are left, ascending. */
function applyRefunds(events: Columns, refunds: Columns, purchase: number, tally: Tally): number[] {
  const rows = events.line.map((_, row) => row);
  if (refunds.line.length === 0) return rows;
  const key = (columns: Columns, row: number): string => `${columns.shopper[row]}/${columns.item[row]}`;
  const bought = new Map<string, number[]>(refunds.line.map((_, row) => [key(refunds, row), []]));
  for (const row of rows) if (events.kind[row] === purchase) bought.get(key(events, row))?.push(row);
  const left = Float64Array.from(events.quantity);
  const inTime = refunds.line.map((_, row) => row).sort((a, b) => refunds.time[a] - refunds.time[b]);
  for (const refund of inTime) {
    const sameBasket = (row: number): number => Number(refunds.basket[refund] !== -1 && events.basket[row] === refunds.basket[refund]);
    const candidates = bought.get(key(refunds, refund))!
      .filter((row) => events.time[row] <= refunds.time[refund] && left[row] > 0)
      .sort((a, b) => sameBasket(b) - sameBasket(a) || events.time[b] - events.time[a]);
    tally.complain(candidates.length === 0 ? 'refund-unmatched' : 'refund', refunds.line[refund]);
    let quantity = refunds.quantity[refund];
    for (const row of candidates) {
      const taken = Math.min(quantity, left[row]);
      left[row] -= taken;
      quantity -= taken;
      if (left[row] === 0) tally.complain('refunded', events.line[row]);
    }
  }
  return rows.filter((row) => left[row] > 0);
}

/** The given rows of each shopper in order of time; the sort is stable, so those of one time stay as in the file. */
function rowsByShopper(events: Columns, rows: readonly number[], shopperCount: number): number[][] {
  const byShopper = Array.from({ length: shopperCount }, (): number[] => []);
  for (const row of rows) byShopper[events.shopper[row]].push(row);
  for (const own of byShopper) own.sort((a, b) => events.time[a] - events.time[b]);
  return byShopper;
}

/** Duplicates have the same time, and rows come in order of time: only runs of one time are looked into. */
function complainOfDuplicates(events: Columns, own: readonly number[], tally: Tally): void {
  for (let start = 0, end = 1; start < own.length; start = end, end = start + 1) {
    while (end < own.length && events.time[own[end]] === events.time[own[start]]) end += 1;
    if (end === start + 1) continue;
    const seen = new Set<string>();
    for (const row of own.slice(start, end)) {
      const key = `${events.kind[row]}/${events.item[row]}/${events.basket[row]}/${events.quantity[row]}`;
      if (seen.has(key)) tally.complain('exact-duplicate', events.line[row]);
      seen.add(key);
    }
  }
}

function visitsOf(events: Columns, own: readonly number[], itemIndex: Int32Array): Visit[] {
  const visits = new Map<string, { time: number; items: number[] }>();
  for (const row of own) {
    const time = events.time[row];
    const key = events.basket[row] === -1 ? `day ${Math.floor(time / secondsPerDay)}` : String(events.basket[row]);
    const visit = visits.get(key);
    if (visit === undefined) visits.set(key, { time, items: [itemIndex[events.item[row]]] });
    else visit.items.push(itemIndex[events.item[row]]);
  }
  return [...visits.values()];
}
