/**
 * The parameters of `neighbours` and their release. The weight from an item i of the history to an item j is
 * evidence_ij reach_i trend_j + similarityWeight similarity_ij: released are the factors, a third of the size of the
 * weights. Multiplications alone make weights of them, so that every storefront scores alike.
 */
import { CestaError } from '../../protocol/errors.ts';
import type { NamedTensors } from '../../protocol/tensors.ts';
import type { ItemWeights } from '../item-weights.ts';
import { itemIndexes, requireRange, requireRows, requireTensor, vector, type SparseRows } from '../tensor-checks.ts';
import { decodeMemory, encodeMemory, type RoundMemory } from './memory.ts';

/** Similarities are released in steps of 1/255. */
export const similaritySteps = 255;

export interface ReleasedFactors {
  /** Each pair once, under its lower item. */
  readonly rows: SparseRows;
  /** Posterior mean of each pair's sum over the spread of the scores it makes. */
  readonly evidence: Float32Array;
  /** Public similarity of each pair, in steps. */
  readonly similarity: Uint8Array;
  /** Of one step of similarity. */
  readonly similarityWeight: number;
  /** How far each item's evidence counts: what goes with an item everybody buys says little. */
  readonly reach: Float32Array;
  /** What recent purchases multiply each item by. */
  readonly trend: Float32Array;
  /** What popularity adds to each item's score: an order for items that nothing in the history speaks for. */
  readonly bias: Float32Array;
}

export interface NeighboursParams {
  readonly factors: ReleasedFactors;
  /** What scoring walks along. */
  readonly weights: ItemWeights;
  /** The rounds so far; undefined before any. */
  readonly memory: RoundMemory | undefined;
}

export function neighboursParams(factors: ReleasedFactors, memory: RoundMemory | undefined): NeighboursParams {
  return { factors, weights: directedWeights(factors), memory };
}

/** The transposed triangle first, then the triangle: partners below an item precede those above it. */
function directedWeights({ rows, evidence, similarity, similarityWeight, reach, trend }: ReleasedFactors): ItemWeights {
  const items = reach.length;
  const starts = new Int32Array(items + 1);
  for (let item = 0; item < items; item += 1) {
    starts[item + 1] += rows.starts[item + 1] - rows.starts[item];
    for (let pair = rows.starts[item]; pair < rows.starts[item + 1]; pair += 1) starts[rows.partners[pair] + 1] += 1;
  }
  for (let item = 0; item < items; item += 1) starts[item + 1] += starts[item];
  const next = starts.slice();
  const partners = itemIndexes(starts[items], items);
  const weights = new Float32Array(starts[items]);
  const put = (from: number, to: number, pair: number): void => {
    partners[next[from]] = to;
    weights[next[from]++] = evidence[pair] * reach[from] * trend[to] + similarityWeight * similarity[pair];
  };
  for (let item = 0; item < items; item += 1) {
    for (let pair = rows.starts[item]; pair < rows.starts[item + 1]; pair += 1) put(rows.partners[pair], item, pair);
  }
  for (let item = 0; item < items; item += 1) {
    for (let pair = rows.starts[item]; pair < rows.starts[item + 1]; pair += 1) put(item, rows.partners[pair], pair);
  }
  return { items, starts, partners, weights };
}

export function encodeNeighbours({ factors, memory }: NeighboursParams): NamedTensors {
  return {
    pair_starts: vector(factors.rows.starts),
    pair_partners: vector(factors.rows.partners),
    evidence: vector(factors.evidence),
    similarity: vector(factors.similarity),
    similarity_weight: vector(Float32Array.of(factors.similarityWeight)),
    reach: vector(factors.reach),
    trend: vector(factors.trend),
    bias: vector(factors.bias),
    ...(memory === undefined ? {} : encodeMemory(memory)),
  };
}

/** No honest factor is near it, and products of three stay finite. */
const largestFactor = 1e12;

/** @throws CestaError `release.untrusted` */
export function decodeNeighbours(tensors: NamedTensors, items: number): NeighboursParams {
  const rows = requireRows(tensors, 'pair', items);
  for (let item = 0; item < items; item += 1) {
    if (rows.starts[item] < rows.starts[item + 1] && rows.partners[rows.starts[item]] <= item) {
      throw new CestaError('release.untrusted', `tensor pair_partners: expected partners above ${item}, got ${rows.partners[rows.starts[item]]}`);
    }
  }
  const pairs = rows.partners.length;
  const within = (name: string, length: number, high: number): Float32Array => {
    const data = requireTensor(tensors, name, Float32Array, length);
    requireRange(name, data, 0, high);
    return data;
  };
  const factors: ReleasedFactors = {
    rows,
    evidence: within('evidence', pairs, largestFactor),
    similarity: requireTensor(tensors, 'similarity', Uint8Array, pairs),
    similarityWeight: within('similarity_weight', 1, largestFactor)[0],
    reach: within('reach', items, 2),
    trend: within('trend', items, 2),
    bias: within('bias', items, 1),
  };
  return neighboursParams(factors, decodeMemory(tensors, pairs, items));
}
