/**
 * One shopper's contribution and the blocks of the statistic: the candidate pairs, then the items, then, with an
 * as-of date, the items again. With the set s of items ever touched and c candidate pairs inside it:
 *
 * | block | entry | squared norm |
 * |---|---|---|
 * | pairs | sqrt(share) / sqrt(c) for each of the c pairs | its share, or 0 when c = 0 |
 * | popularity | sqrt(share) / sqrt(|s|) for each item | its share, or 0 for an empty history |
 * | period | the same, + where the first touch is recent and - where it is not | the same |
 *
 * The shares sum to 1, so the joint L2 norm is at most 1 whatever the history: the sensitivity to one shopper.
 */
import { visitCount, visitRange, type ShopperHistory } from '../../commerce/history.ts';
import type { SparseVector } from '../../numerics/sparse-vector.ts';
import type { Aggregate } from '../federated-model.ts';
import type { ItemPairs } from '../item-pairs.ts';
import type { ItemSet } from '../item-set.ts';

/** An item is recent for a shopper whose first touch of it is less than so long before the as-of date. */
export const recentSeconds = 90 * 86_400;

export interface Layout {
  readonly pairs: ItemPairs;
  /** Unix seconds; null for a statistic without the period block. */
  readonly asOf: number | null;
}

/** Each block's share of the squared norm. */
export interface BlockShares {
  readonly pairs: number;
  readonly popularity: number;
  readonly period: number;
}

export function blockShares(asOf: number | null): BlockShares {
  return asOf === null ? { pairs: 0.75, popularity: 0.25, period: 0 } : { pairs: 0.7, popularity: 0.2, period: 0.1 };
}

export function statisticLength({ pairs, asOf }: Layout): number {
  return pairs.partners.length + pairs.items * (asOf === null ? 1 : 2);
}

export function contribute({ pairs, asOf }: Layout, itemSet: ItemSet, history: ShopperHistory, into: SparseVector): void {
  const shares = blockShares(asOf);
  // The set is in order of first touch: what was touched long ago comes first.
  const oldCount = asOf === null ? 0 : itemSet.read(visitRange(history, 0, visitsUntil(history, asOf - recentSeconds))).length;
  const touched = itemSet.read(history);
  const inside: number[] = [];
  for (const first of touched) {
    for (let pair = pairs.starts[first]; pair < pairs.starts[first + 1]; pair += 1) {
      if (itemSet.has(pairs.partners[pair])) inside.push(pair);
    }
  }
  const popularityStart = pairs.partners.length;
  const periodStart = popularityStart + pairs.items;
  const periodEntry = Math.sqrt(shares.period / touched.length);
  for (const pair of inside) into.add(pair, Math.sqrt(shares.pairs / inside.length));
  for (const item of touched) into.add(popularityStart + item, Math.sqrt(shares.popularity / touched.length));
  if (asOf !== null) touched.forEach((item, order) => into.add(periodStart + item, order < oldCount ? -periodEntry : periodEntry));
}

function visitsUntil(history: ShopperHistory, time: number): number {
  let visits = 0;
  while (visits < visitCount(history) && history.visitTimes[visits] <= time) visits += 1;
  return visits;
}

/** The blocks as aggregates of their own, in units where each has a squared norm of 1 a shopper. */
export interface RoundSums {
  readonly pairs: Aggregate;
  readonly popularity: Aggregate;
  readonly period: (Aggregate & { readonly asOf: number }) | undefined;
}

/** Undoes the scaling of the blocks. */
export function roundSums({ pairs, asOf }: Layout, { sum, shoppers, noiseStd }: Aggregate): RoundSums {
  const shares = blockShares(asOf);
  const block = (start: number, length: number, share: number): Aggregate => {
    const scale = 1 / Math.sqrt(share);
    return { sum: sum.slice(start, start + length).map((value) => value * scale), shoppers, noiseStd: noiseStd * scale };
  };
  const popularityStart = pairs.partners.length;
  return {
    pairs: block(0, popularityStart, shares.pairs),
    popularity: block(popularityStart, pairs.items, shares.popularity),
    period: asOf === null ? undefined : { ...block(popularityStart + pairs.items, pairs.items, shares.period), asOf },
  };
}
