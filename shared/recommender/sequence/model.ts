/**
 * `sequence`: next-item prediction by a network over the newest items of a history, trained in rounds from changes of
 * weights. Kang and McAuley 2018 (SASRec), Hidasi et al. 2016 (GRU4Rec), two towers; all start from the titles of the
 * public catalogue. Serving is typed arrays alone: one state of the history, then its product with every item's row.
 *
 * Statistic: the change of all weights. A contribution is scaled to an L2 norm of at most `contributionNorm` by itself,
 * so clipping at that norm costs nothing more. One shopper changes the rows of own items and of drawn ones.
 */
import type { Catalogue } from '../../commerce/catalogue.ts';
import { createRowTable, type RowTable } from '../../kernels/row-table.ts';
import { CestaError } from '../../protocol/errors.ts';
import { loadTensors } from '../../tensors/runtime.ts';
import type { Aggregate, FederatedModel, Reason } from '../federated-model.ts';
import { vector } from '../tensor-checks.ts';
import { warmStart } from '../warm-start.ts';
import { gatherRows } from './gradient.ts';
import type { SequenceHyperParameters } from './hyper-parameters.ts';
import { denseBlocks, largestWeight, layOut, startWeights, type Layout } from './layout.ts';
import { networkOf } from './networks.ts';
import { decodeWeights } from './release.ts';
import { createTrainer, type Trainer } from './trainer.ts';
import { newestItems } from './windows.ts';

export interface SequenceParams {
  /** All weights in the order of the layout. */
  readonly weights: Float32Array;
}

/** Part of the norm that one entry may have: contributions have thousands of entries, so it cuts none in practice, and gives the grid finer steps. */
const entryShare = 0.5;

export function createSequence(catalogue: Catalogue, hyperParameters: SequenceHyperParameters): FederatedModel<SequenceParams> {
  const items = catalogue.products.length;
  const { architecture, width, positions, loss, contributionNorm, optimiser, learningRate } = hyperParameters;
  const network = networkOf(hyperParameters);
  const layout = layOut(items, width, network.blocks);
  const entryBound = entryShare * contributionNorm;
  const ranker = createRanker(layout);
  let start: SequenceParams | null = null;
  let trainer: Trainer | null = null;
  const prepared = (): Trainer => {
    if (trainer === null) throw new CestaError('model.unusable', 'sequence: expected prepare() to be awaited before training, got a call before it');
    return trainer;
  };
  const stateOf = (params: SequenceParams, newest: Int32Array): Float32Array => network.encode(denseBlocks(layout, params.weights), gatherRows(params.weights, newest, width));
  return {
    kind: 'sequence',
    hyperParameters,
    statisticLength: () => layout.length,
    entryBound,
    normBound: contributionNorm,
    async prepare() {
      const { tf } = await loadTensors();
      trainer ??= createTrainer({ tf, network, layout, loss }, hyperParameters, entryBound);
    },
    local: { ...(optimiser === 'sgd' ? { learningRate } : {}), train: async (params, histories, training) => await prepared().train(params.weights, histories, training) },
    initial: () => (start ??= { weights: startWeights(layout, warmStart(catalogue, width, 'sequence')) }),
    contribute: (params, history, into) => prepared().contribute(params.weights, history, into),
    update: (params, aggregate) => ({ weights: moved(params.weights, aggregate) }),
    score(params, history, scores) {
      const newest = newestItems(history, items, positions);
      ranker.score(params, newest.length === 0 ? null : stateOf(params, newest), scores);
    },
    explain: (params, history, item, limit) => explain(params, newestItems(history, items, positions), { item, limit, layout, stateOf }),
    rowTables: { items: width },
    encode: ({ weights }) => ({
      items: vector(weights.slice(0, layout.bias)),
      bias: vector(weights.slice(layout.bias, layout.dense)),
      ...Object.fromEntries(layout.blocks.map(({ name, from, length }) => [name, vector(weights.slice(from, from + length))])),
    }),
    decode: (tensors) => ({ weights: decodeWeights(tensors, layout, architecture) }),
  };
}

interface Ranker {
  /** Biases alone where there is no state. */
  score(params: SequenceParams, state: Float32Array | null, scores: Float32Array): void;
}

function createRanker({ items, width, bias }: Layout): Ranker {
  const tables = new WeakMap<SequenceParams, RowTable>();
  const tableOf = (params: SequenceParams): RowTable => {
    const table = tables.get(params) ?? createRowTable(params.weights.subarray(0, items * width), width);
    tables.set(params, table);
    return table;
  };
  return {
    score(params, state, scores) {
      if (state === null) scores.fill(0, 0, items);
      else tableOf(params).scores(state, scores.subarray(0, items));
      for (let item = 0; item < items; item += 1) scores[item] += params.weights[bias + item];
    },
  };
}

/** The mean change of a shopper. @throws CestaError `model.unusable` where a weight would be not finite, or larger than a release may hold. */
function moved(weights: Float32Array, { sum, shoppers }: Aggregate): Float32Array {
  const next = weights.map((weight, at) => weight + sum[at] / shoppers);
  const beyond = next.find((weight) => !(Math.abs(weight) <= largestWeight));
  if (beyond !== undefined) throw new CestaError('model.unusable', `sequence: expected weights in -${largestWeight}..${largestWeight} after the round, got ${beyond}`);
  return next;
}

interface Question {
  readonly item: number;
  readonly limit: number;
  readonly layout: Layout;
  readonly stateOf: (params: SequenceParams, newest: Int32Array) => Float32Array;
}

/** Newest items that are left out one at a time. */
const explained = 10;

/** By how much the score falls when an item of the history is left out; of one alone, what it scores against nothing. */
function explain(params: SequenceParams, newest: Int32Array, { item, limit, layout: { width }, stateOf }: Question): Reason[] {
  if (newest.length === 0) return [];
  const row = params.weights.subarray(item * width, (item + 1) * width);
  const scoreOf = (items: Int32Array): number => (items.length === 0 ? 0 : stateOf(params, items).reduce((product, value, k) => product + value * row[k], 0));
  const full = scoreOf(newest);
  return Array.from(new Set(newest.subarray(-explained)), (other): Reason => ({ item: other, weight: full - scoreOf(newest.filter((one) => one !== other)) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || a.item - b.item)
    .slice(0, limit);
}
