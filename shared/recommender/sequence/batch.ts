/** Windows padded to one length, with the negatives they share, as the flat arrays that tensors are made of. */
import { uniformBelow, type RandomWords } from '../../numerics/random.ts';
import { drawItems, type SequenceWindow } from './windows.ts';

export interface Batch {
  readonly size: number;
  readonly length: number;
  /** size * length items, -1 for padding. */
  readonly inputs: Int32Array;
  /** size * length items, -1 where nothing is to be found. */
  readonly targets: Int32Array;
  /** Items for the whole batch, or, where the loss is `bce`, one for each input. */
  readonly negatives: Int32Array;
  /** Added to the scores of negatives: size by count; empty where the loss is `bce`. */
  readonly excluded: Float32Array;
  /** What each place counts: sums to 1 where every target counts in full. */
  readonly weights: Float32Array;
}

export interface BatchRules {
  readonly items: number;
  readonly loss: 'softmax' | 'bce';
  readonly negatives: number;
}

/** Far below any score, and small enough that adding a score to it is no overflow. */
const farBelow = -1e9;

export function batchOf(windows: readonly SequenceWindow[], rules: BatchRules, random: RandomWords): Batch {
  const size = windows.length;
  const length = windows.reduce((longest, { inputs }) => Math.max(longest, inputs.length), 1);
  const inputs = new Int32Array(size * length).fill(-1);
  const targets = new Int32Array(size * length).fill(-1);
  const weights = new Float32Array(size * length);
  windows.forEach((window, index) => {
    const end = (index + 1) * length;
    inputs.set(window.inputs, end - window.inputs.length);
    targets.set(window.targets, end - window.targets.length);
    weights.set(window.shares, end - window.shares.length);
  });
  const count = targets.reduce((sum, target) => sum + (target >= 0 ? 1 : 0), 0);
  weights.forEach((share, place) => (weights[place] = targets[place] >= 0 ? share / count : 0));
  return { size, length, inputs, targets, weights, ...(rules.loss === 'bce' ? negativesEach(windows, targets, length, rules, random) : negativesShared(windows, rules, random)) };
}

function negativesEach(windows: readonly SequenceWindow[], targets: Int32Array, length: number, { items }: BatchRules, random: RandomWords): Pick<Batch, 'negatives' | 'excluded'> {
  const negatives = targets.map((target, place) => {
    if (target < 0) return -1;
    const { own } = windows[Math.floor(place / length)];
    if (own.size >= items) return -1;
    for (;;) {
      const item = uniformBelow(random, items);
      if (!own.has(item)) return item;
    }
  });
  return { negatives, excluded: new Float32Array() };
}

/** Drawn negatives stand for all items: each counts as many times as it was drawn from. */
function negativesShared(windows: readonly SequenceWindow[], { items, negatives: wanted }: BatchRules, random: RandomWords): Pick<Batch, 'negatives' | 'excluded'> {
  const negatives = drawItems(items, wanted, random);
  const count = negatives.length;
  const excluded = new Float32Array(windows.length * count).fill(Math.log(items / count));
  const placeOf = new Map(Array.from(negatives, (item, place) => [item, place]));
  windows.forEach(({ own }, window) => {
    for (const item of own) {
      const place = placeOf.get(item);
      if (place !== undefined) excluded[window * count + place] = farBelow;
    }
  });
  return { negatives, excluded };
}
