/**
 * Where a statistic speaks of an item, and what a view says of every item there: the row-change attack reads which
 * rows of an update changed (Chai et al. 2021, "Secure federated matrix factorization", on plain uploads; Yuan et al.
 * 2023, "Interaction-level membership inference attack against federated recommender systems"). The layout is public:
 * it follows from the model and the catalogue.
 */
import type { Catalogue } from '../../commerce/catalogue.ts';
import { CestaError } from '../../protocol/errors.ts';
import { alsHyperParameters } from '../../recommender/als/model.ts';
import { alsLayout, type AlsLayout } from '../../recommender/als/statistic.ts';
import type { AnyFederatedModel } from '../../recommender/federated-model.ts';
import { neighboursHyperParameters } from '../../recommender/neighbours/model.ts';
import { publicPart } from '../../recommender/neighbours/public-part.ts';
import type { Expectation } from './views.ts';

/** One number an item for each feature. */
export type Evidence = readonly Float64Array[];

/** Coordinates `from..to-1` of a statistic, one a row (or pair) that a shopper touches or does not. */
export interface Block {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface EvidenceReader {
  readonly items: number;
  readonly blocks: readonly Block[];
  /** Feature 0 counts the entries of an item that are not zero; feature 1 keeps the sign of the change. */
  read(view: Int32Array, expected: Expectation): Evidence;
}

/** @throws CestaError `model.unusable` for a model whose layout the attacks do not know. */
export function evidenceReader(model: AnyFederatedModel, catalogue: Catalogue): EvidenceReader {
  const items = catalogue.products.length;
  switch (model.kind) {
    case 'neighbours':
      return neighboursReader(model, catalogue, items);
    case 'als':
      return alsReader(alsLayout(items, alsHyperParameters.parse(model.hyperParameters)));
    case 'popularity':
      return { items, blocks: [{ name: 'items', from: 0, to: items }], read: (view, expected) => ownEntries(view, expected, 0, items) };
    case 'ease':
    case 'slist':
    case 'sequence':
    case 'item-knn':
      throw new CestaError('model.unusable', `model: expected neighbours, als or popularity, got ${model.kind}, whose uploads the attacks do not read`);
    default:
      return model.kind satisfies never;
  }
}

/** Whether the item's entry is zero, and how far above what the others explain it is, in standard deviations. */
function ownEntries(view: Int32Array, { mean, precision }: Expectation, start: number, items: number): [Float64Array, Float64Array] {
  const changed = new Float64Array(items);
  const signed = new Float64Array(items);
  for (let item = 0; item < items; item += 1) {
    const at = start + item;
    changed[item] = view[at] === 0 ? 0 : 1;
    signed[item] = (view[at] - mean[at]) * Math.sqrt(precision[at]);
  }
  return [changed, signed];
}

/** The blocks of `neighbours`: candidate pairs, items, items again by period, with a sign that no attacker knows beforehand. */
function neighboursReader(model: AnyFederatedModel, catalogue: Catalogue, items: number): EvidenceReader {
  const { asOf, candidatesPerItem, topItems } = neighboursHyperParameters.parse(model.hyperParameters);
  const { lower, higher } = publicPart(catalogue, candidatesPerItem, topItems);
  const popularity = lower.length;
  return {
    items,
    blocks: [{ name: 'items', from: popularity, to: popularity + items }, { name: 'pairs', from: 0, to: popularity }],
    read(view, expected) {
      const { mean, precision } = expected;
      const [changed, signed] = ownEntries(view, expected, popularity, items);
      const pairs = new Float64Array(items);
      const certainty = new Float64Array(items);
      for (let pair = 0; pair < lower.length; pair += 1) {
        const excess = (view[pair] - mean[pair]) * precision[pair];
        for (const item of [lower[pair], higher[pair]]) {
          pairs[item] += excess;
          certainty[item] += precision[pair];
        }
      }
      for (let item = 0; item < items; item += 1) pairs[item] /= Math.sqrt(certainty[item]) || 1;
      if (asOf === null) return [changed, signed, pairs];
      const [, period] = ownEntries(view, expected, popularity + items, items);
      return [changed, signed, pairs, period.map(Math.abs)];
    },
  };
}

/** The blocks of `als`: rows of the items, the upper triangle of u u^T, and the items; per-item triangles say no more than these. */
function alsReader({ items, width, gram, popularity }: AlsLayout): EvidenceReader {
  return {
    items,
    blocks: [{ name: 'items', from: popularity, to: popularity + items }],
    read(view, expected) {
      const { mean, precision } = expected;
      const [changed, signed] = ownEntries(view, expected, popularity, items);
      const taste = leadingDirection(view.subarray(gram, popularity), mean.subarray(gram, popularity), width);
      const energy = new Float64Array(items);
      const projection = new Float64Array(items);
      for (let item = 0; item < items; item += 1) {
        for (let k = 0; k < width; k += 1) {
          const at = item * width + k;
          const excess = (view[at] - mean[at]) * Math.sqrt(precision[at]);
          energy[item] += excess ** 2;
          projection[item] += excess * taste[k];
          if (view[at] !== 0) changed[item] += 1;
        }
      }
      // The taste is known up to its sign; the popularity of what it points at tells which.
      const agreement = projection.reduce((sum, value, item) => sum + value * signed[item], 0);
      return [changed, signed.map((value, item) => value + Math.sign(agreement) * projection[item]), energy];
    },
  };
}

/** The first eigenvector of the victim's u u^T by power iteration, shifted so that noise cannot make it turn. */
function leadingDirection(triangle: Int32Array, expected: Float64Array, width: number): Float64Array {
  const matrix = new Float64Array(width * width);
  let slot = 0;
  let shift = 0;
  for (let a = 0; a < width; a += 1) {
    for (let b = a; b < width; b += 1) {
      const value = triangle[slot] - expected[slot];
      matrix[a * width + b] = value;
      matrix[b * width + a] = value;
      shift = Math.max(shift, Math.abs(value));
      slot += 1;
    }
  }
  let direction = Float64Array.from({ length: width }, (_, k) => 1 / Math.sqrt(width + k));
  for (let pass = 0; pass < 60; pass += 1) {
    const next = direction.map((value, a) => {
      let sum = shift * value;
      for (let b = 0; b < width; b += 1) sum += matrix[a * width + b] * direction[b];
      return sum;
    });
    const norm = Math.sqrt(next.reduce((square, value) => square + value * value, 0)) || 1;
    direction = next.map((value) => value / norm);
  }
  return direction;
}
