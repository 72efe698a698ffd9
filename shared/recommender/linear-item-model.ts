/**
 * What `ease`, `slist` and `item-knn` share once their weights are solved: parameters, scoring, reasons, release.
 * Without history they rank by how many shoppers touched each item.
 */
import { distinctItems, type ShopperHistory } from '../commerce/history.ts';
import type { SparseVector } from '../numerics/sparse-vector.ts';
import type { NamedTensors } from '../protocol/tensors.ts';
import type { Reason } from './federated-model.ts';
import { contributeGram, gramLength } from './gram.ts';
import { createItemSet } from './item-set.ts';
import { addRow, decodeWeights, encodeWeights, noWeights, reasonsFor, type ItemWeights } from './item-weights.ts';
import { requireTensor, vector } from './tensor-checks.ts';

export interface LinearItemParams {
  readonly weights: ItemWeights;
  readonly popularity: Float32Array;
}

export interface LinearItemScoring {
  initial(): LinearItemParams;
  score(params: LinearItemParams, history: ShopperHistory, scores: Float32Array): void;
  explain(params: LinearItemParams, history: ShopperHistory, item: number, limit: number): Reason[];
  encode(params: LinearItemParams): NamedTensors;
  decode(tensors: NamedTensors): LinearItemParams;
}

/**
 * @param readImportance Writes how much each item of a history counts (one entry a catalogue item, others may keep
 *   old values); every item counts 1 by default.
 */
export function linearItemScoring(items: number, readImportance?: (history: ShopperHistory, importance: Float32Array) => void): LinearItemScoring {
  const itemSet = createItemSet(items);
  const importance = new Float32Array(items).fill(1);
  return {
    initial: () => ({ weights: noWeights(items), popularity: new Float32Array(items) }),
    score(params, history, scores) {
      const touched = itemSet.read(history);
      if (touched.length === 0) {
        scores.set(params.popularity);
        return;
      }
      scores.fill(0);
      readImportance?.(history, importance);
      for (let position = 0; position < touched.length; position += 1) addRow(params.weights, touched[position], importance[touched[position]], scores);
    },
    explain(params, history, item, limit) {
      readImportance?.(history, importance);
      return reasonsFor(params.weights, itemSet.read(history), item, limit, (source) => importance[source]);
    },
    encode: (params) => ({ ...encodeWeights(params.weights), popularity: vector(params.popularity) }),
    decode: (tensors) => ({ weights: decodeWeights(tensors, items), popularity: requireTensor(tensors, 'popularity', Float32Array, items) }),
  };
}

/** What `ease` and `item-knn` have in common: both are solved from the Gram matrix alone. */
export function gramItemModel(items: number) {
  return {
    ...linearItemScoring(items),
    statisticLength: () => gramLength(items),
    entryBound: 1,
    normBound: Infinity,
    contribute: (_params: LinearItemParams, history: ShopperHistory, into: SparseVector) => contributeGram(items, distinctItems(history), into),
  };
}
