/**
 * What a shopper of `als` reports. Both reports lead to the same item factors; user factors never leave, only products
 * of them. With u the shopper's factor, |u| <= 1, s the shopper's items and c = 1 / sqrt(s) what the shopper counts:
 *
 * | block | gradients | equations |
 * |---|---|---|
 * | rows, items by width | c r u, with r what u leaves unexplained of the item, in -1..1 | c u |
 * | triangles, items by width (width + 1) / 2 | none | upper triangle of c u u^T |
 * | gram | upper triangle of c u u^T | the same |
 * | popularity, items | c | c |
 *
 * A block that is written for s items has norm at most sqrt(s c^2) = 1, and so has the one that is written once: the norm
 * of a contribution is at most the root of the number of blocks.
 */
import { longestStatistic } from '../federated-model.ts';
import type { SparseVector } from '../../numerics/sparse-vector.ts';
import { CestaError } from '../../protocol/errors.ts';
import type { AlsParams } from './release.ts';

/**
 * `gradients`: short, and good with noise. `equations`: the normal equations of every item, which an update solves
 * exactly; longer by a factor of about width / 2.
 */
export const alsReports = ['gradients', 'equations'] as const;
export type AlsReport = (typeof alsReports)[number];

export interface AlsLayout {
  readonly report: AlsReport;
  readonly items: number;
  readonly width: number;
  /** Entries of the upper triangle of u u^T. */
  readonly triangle: number;
  /** Where the blocks behind the rows start; `triangles` equals `gram` where there are none. */
  readonly triangles: number;
  readonly gram: number;
  readonly popularity: number;
  readonly length: number;
}

/** Slots that a plan may add behind the statistic. */
const mostSlots = 2;

/** @throws CestaError `model.unusable` for a statistic that no plan can hold */
export function alsLayout(items: number, { factors: width, report }: { readonly factors: number; readonly report: AlsReport }): AlsLayout {
  const triangle = (width * (width + 1)) / 2;
  const triangles = items * width;
  const gram = triangles + (report === 'equations' ? items * triangle : 0);
  const popularity = gram + triangle;
  const length = popularity + items;
  if (length + mostSlots > longestStatistic) {
    throw new CestaError('model.unusable', `als: expected a statistic of at most ${longestStatistic - mostSlots} numbers, got ${length}: ${report === 'equations' ? 'report gradients, or' : 'use'} fewer factors`);
  }
  return { report, items, width, triangle, triangles, gram, popularity, length };
}

export function alsNormBound({ report }: AlsLayout): number {
  return Math.sqrt(report === 'equations' ? 4 : 3);
}

/** @param u the shopper's factor, of norm at most 1 */
export function reportShopper(layout: AlsLayout, params: AlsParams, touched: Int32Array, u: Float64Array, into: SparseVector): void {
  const { width, popularity, triangles, triangle, gram } = layout;
  const share = 1 / Math.sqrt(touched.length);
  for (let position = 0; position < touched.length; position += 1) {
    const row = touched[position] * width;
    const factor = layout.report === 'equations' ? share : share * residual(params.factors, row, u);
    for (let k = 0; k < width; k += 1) into.add(row + k, factor * u[k]);
    into.add(popularity + touched[position], share);
    if (layout.report === 'equations') addTriangle(triangles + touched[position] * triangle, u, share, into);
  }
  addTriangle(gram, u, share, into);
}

function residual(factors: Float32Array, row: number, u: Float64Array): number {
  let explained = 0;
  for (let k = 0; k < u.length; k += 1) explained += factors[row + k] * u[k];
  return Math.min(1, Math.max(-1, 1 - explained));
}

function addTriangle(start: number, u: Float64Array, share: number, into: SparseVector): void {
  let slot = start;
  for (let a = 0; a < u.length; a += 1) {
    const value = share * u[a];
    for (let b = a; b < u.length; b += 1) into.add(slot++, value * u[b]);
  }
}
