/**
 * Histories as windows: inputs, and after each the item that comes next. The items of one visit have no order of their
 * own, so each epoch may draw one: then a window predicts the rest of a basket and the next baskets as sets. What a
 * shopper had before is no target: rankings are asked for what is new.
 */
import { visitCount, visitItems, type ShopperHistory } from '../../commerce/history.ts';
import { shuffle, uniformBelow, type RandomWords } from '../../numerics/random.ts';

export interface SequenceWindow {
  /** Items, oldest first. */
  readonly inputs: Int32Array;
  /** The item behind each input; -1 where it is none that counts. */
  readonly targets: Int32Array;
  /** What each target counts, at most 1. */
  readonly shares: Float32Array;
  /** All items of the shopper: none of them is a negative. */
  readonly own: ReadonlySet<number>;
}

/** The newest items of a history that are in the catalogue, oldest first; at most `positions`. */
export function newestItems({ items: history }: ShopperHistory, items: number, positions: number): Int32Array {
  const known = history.filter((item) => item < items);
  return known.subarray(Math.max(0, known.length - positions));
}

export interface WindowRules {
  readonly items: number;
  readonly positions: number;
  readonly basketOrder: 'shuffled' | 'kept';
  readonly asOf: number | null;
  readonly halfLifeDays: number;
}

/** The windows of one history, each of at most `positions` inputs; every item but the first is behind an input of one. */
export function windowsOf(history: ShopperHistory, rules: WindowRules, random: RandomWords): SequenceWindow[] {
  const { items, positions, basketOrder } = rules;
  const sequence: number[] = [];
  const shares: number[] = [];
  for (let visit = 0; visit < visitCount(history); visit += 1) {
    const basket = Array.from(visitItems(history, visit)).filter((item) => item < items);
    sequence.push(...(basketOrder === 'shuffled' ? shuffle(basket, random) : basket));
    shares.push(...basket.map(() => shareAt(history.visitTimes[visit], rules)));
  }
  const own = new Set<number>();
  const fresh = sequence.map((item) => own.size < own.add(item).size);
  const windows: SequenceWindow[] = [];
  // From the end, so that the newest inputs stand as they do when a ranking is asked.
  for (let end = sequence.length; end > 1; end -= positions) {
    const start = Math.max(0, end - 1 - positions);
    const targets = Int32Array.from({ length: end - 1 - start }, (_, place) => (fresh[start + place + 1] ? sequence[start + place + 1] : -1));
    if (targets.some((target) => target >= 0)) {
      windows.push({ inputs: Int32Array.from(sequence.slice(start, end - 1)), targets, shares: Float32Array.from(shares.slice(start + 1, end)), own });
    }
  }
  return windows;
}

/** What a target of that time counts: half as much for every half-life before today, and no more for what came after. */
function shareAt(time: number, { asOf, halfLifeDays }: WindowRules): number {
  return asOf === null ? 1 : 2 ** -(Math.max(0, asOf - time) / (86_400 * halfLifeDays));
}

/** Distinct items of the catalogue, drawn evenly; all of them, in order, where as many are asked for. */
export function drawItems(items: number, count: number, random: RandomWords): Int32Array {
  if (count >= items) return Int32Array.from({ length: items }, (_, item) => item);
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(uniformBelow(random, items));
  return Int32Array.from(drawn);
}
