/**
 * What trains and what is asked, cut from whole histories. Every split keeps one promise: nothing a test asks for is
 * in the training histories of the same shopper, and where the protocol is about time, nothing later is either.
 * An item that no training history holds is neither relevant nor rankable: no count can speak of it, so its rank
 * would measure the catalogue's words and not the model; every model is asked about the same items.
 */
import { historyOf, visitCount, visitItems, visitRange, visitsBefore, type ShopperHistory, type Visit } from '../commerce/history.ts';
import { seededRandom, shuffle, type SeededRandom } from '../numerics/random.ts';

export const protocols = ['last-basket', 'validation', 'in-basket', 'next-month', 'leave-one-out', 'strong-generalisation'] as const;
/**
 * `last-basket`: the next visit (the default). `validation`: the same one visit earlier, with the last visit unseen:
 * where hyper-parameters are chosen. `in-basket`: half of the last visit is shown, half asked. `next-month`: one cut
 * in time for all. `leave-one-out`: the last new item. `strong-generalisation`: a tenth of the shoppers never train.
 */
export type Protocol = (typeof protocols)[number];

export interface TestCase {
  /** Index of the shopper among the histories given. */
  readonly shopper: number;
  /** What the model is shown. */
  readonly history: ShopperHistory;
  /** Items to be found: new to the shopper, known to training; ascending, never empty. */
  readonly relevant: Int32Array;
}

export interface Split {
  readonly protocol: Protocol;
  /** One history a shopper, in the order given; empty where nothing of the shopper trains. */
  readonly training: readonly ShopperHistory[];
  readonly tests: readonly TestCase[];
  /** 1 for items that occur in training; one entry an item. */
  readonly rankable: Uint8Array;
}

/** A shopper's part in a split before items unknown to training are dropped. */
interface Cut {
  readonly training: ShopperHistory | undefined;
  readonly shown: ShopperHistory | undefined;
  readonly asked: Int32Array;
}

const monthSeconds = 30 * 86_400;
const heldOutShare = 0.1;

/**
 * Cuts histories into what trains and what is tested, as a protocol wants it.
 * @param items Size of the catalogue.
 * @param seed Of what the protocol draws at random (`in-basket`, `strong-generalisation`).
 * @example
 * const split = splitHistories('last-basket', shoppers.map((shopper) => shopper.history), items);
 */
export function splitHistories(protocol: Protocol, histories: readonly ShopperHistory[], items: number, seed = 1): Split {
  return splitOf(protocol, cutAll(protocol, histories, seededRandom(seed, `split ${protocol}`)), items);
}

function splitOf(protocol: Protocol, cuts: readonly Cut[], items: number): Split {
  const training = cuts.map((cut) => cut.training ?? historyOf([]));
  const rankable = new Uint8Array(items);
  for (const history of training) for (const item of history.items) rankable[item] = 1;
  const tests = cuts.flatMap(({ shown, asked }, shopper): TestCase[] => {
    const test = testOf({ shown, asked }, rankable);
    return test === null ? [] : [{ shopper, ...test }];
  });
  return { protocol, training, tests, rankable };
}

/**
 * One cut in time for all: before it trains, and what shoppers touch for the first time from then on, before `until`, is asked.
 * @param cutTime, until Unix seconds
 */
export function splitAtTime(histories: readonly ShopperHistory[], items: number, { cutTime, until }: { readonly cutTime: number; readonly until: number }): Split {
  return splitOf('next-month', histories.map((history) => cutAtTime(history, cutTime, until)), items);
}

/**
 * What `last-basket` asks of one shopper alone; null for fewer than two visits, or nothing new in the last.
 * @param rankable one entry an item: without the other shoppers' histories, nobody but the caller knows
 */
export function lastBasketTest(history: ShopperHistory, rankable: Uint8Array): Omit<TestCase, 'shopper'> | null {
  return testOf(cutLastVisit(history), rankable);
}

function testOf({ shown, asked }: Pick<Cut, 'shown' | 'asked'>, rankable: Uint8Array): Omit<TestCase, 'shopper'> | null {
  if (shown === undefined || shown.items.length === 0) return null;
  const known = new Set(shown.items);
  const relevant = asked.filter((item) => !known.has(item) && rankable[item] === 1);
  return relevant.length === 0 ? null : { history: shown, relevant: Int32Array.from(new Set(relevant)).sort() };
}

function cutAll(protocol: Protocol, histories: readonly ShopperHistory[], random: SeededRandom): Cut[] {
  switch (protocol) {
    case 'last-basket':
      return histories.map(cutLastVisit);
    case 'validation':
      return histories.map((history) => cutLastVisit(visitRange(history, 0, Math.max(1, visitCount(history) - 1))));
    case 'in-basket':
      return histories.map((history) => cutInsideLastVisit(history, random));
    case 'next-month': {
      const latest = histories.reduce((time, history) => history.visitTimes.reduce((a, b) => Math.max(a, b), time), -Infinity);
      // Midnight, so that no day is torn apart.
      const cutTime = Math.floor((latest - monthSeconds) / 86_400) * 86_400;
      return histories.map((history) => cutAtTime(history, cutTime));
    }
    case 'leave-one-out':
      return histories.map(cutLastNewItem);
    case 'strong-generalisation': {
      const order = shuffle(Array.from(histories.keys()), random);
      const heldOut = new Set(order.slice(0, Math.ceil(heldOutShare * histories.length)));
      return histories.map((history, shopper) => {
        const cut = cutLastVisit(history);
        return heldOut.has(shopper) ? { ...cut, training: undefined } : { training: history, shown: undefined, asked: new Int32Array() };
      });
    }
    default:
      return protocol satisfies never;
  }
}

/** Shoppers with one visit train but are not tested. */
function cutLastVisit(history: ShopperHistory): Cut {
  const count = visitCount(history);
  if (count < 2) return { training: history, shown: undefined, asked: new Int32Array() };
  const before = visitRange(history, 0, count - 1);
  return { training: before, shown: before, asked: visitItems(history, count - 1) };
}

function cutInsideLastVisit(history: ShopperHistory, random: SeededRandom): Cut {
  const count = visitCount(history);
  const last = count < 2 ? [] : shuffle([...visitItems(history, count - 1)], random);
  if (last.length < 2) return cutLastVisitUntested(history);
  const shownCount = Math.ceil(last.length / 2);
  const visits = visitsOf(visitRange(history, 0, count - 1));
  const shown = historyOf([...visits, { time: history.visitTimes[count - 1], items: last.slice(0, shownCount).sort((a, b) => a - b) }]);
  return { training: shown, shown, asked: Int32Array.from(last.slice(shownCount)) };
}

function cutLastVisitUntested(history: ShopperHistory): Cut {
  return { training: history, shown: undefined, asked: new Int32Array() };
}

function cutAtTime(history: ShopperHistory, cutTime: number, until = Infinity): Cut {
  const visits = visitsBefore(history, cutTime);
  const before = visitRange(history, 0, visits);
  return { training: before, shown: before, asked: visitRange(history, visits, visitsBefore(history, until)).items };
}

/** The last item that was new when it was touched; what came after it is not shown. */
function cutLastNewItem(history: ShopperHistory): Cut {
  const firstTouch = new Map<number, number>();
  history.items.forEach((item, position) => {
    if (!firstTouch.has(item)) firstTouch.set(item, position);
  });
  const lastNew = [...firstTouch].at(-1);
  if (lastNew === undefined || firstTouch.size < 2) return cutLastVisitUntested(history);
  const [item, position] = lastNew;
  const visits = visitsOf(history).flatMap((visit, index): Visit[] => {
    const kept = visit.items.filter((_, offset) => history.visitStarts[index] + offset < position);
    return kept.length === 0 ? [] : [{ time: visit.time, items: kept }];
  });
  const shown = historyOf(visits);
  return { training: shown, shown, asked: Int32Array.of(item) };
}

function visitsOf(history: ShopperHistory): Visit[] {
  return Array.from({ length: visitCount(history) }, (_, visit) => ({ time: history.visitTimes[visit], items: [...visitItems(history, visit)] }));
}

