/** The smallest model that trains locally: its loss is half the squared distance of the weights from what shoppers bought. */
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf, type ShopperHistory } from '../../shared/commerce/history.ts';
import type { FederatedModel } from '../../shared/recommender/federated-model.ts';
import { requireTensor, vector } from '../../shared/recommender/tensor-checks.ts';

export const quadraticItems = 5;
export const quadraticCatalogue = createCatalogue(Array.from({ length: quadraticItems }, (_, index) => ({ id: `item-${index}`, title: `thing ${index}` })));

export interface QuadraticParams {
  readonly weights: Float32Array;
}

/** Buys every item of the list in a visit of its own. */
export const buyer = (...items: number[]): ShopperHistory => historyOf(items.map((item, day) => ({ time: day, items: [item] })));

const targetOf = ({ items }: ShopperHistory): Float32Array => {
  const target = new Float32Array(quadraticItems);
  for (const item of items) target[item] += 1;
  return target;
};

/** @param rate of plain steps; null: steps of no one rate */
export function quadraticModel({ rate = 0.25, steps = 2 }: { readonly rate?: number | null; readonly steps?: number } = {}): FederatedModel<QuadraticParams> {
  const used = rate ?? 0.25;
  return {
    kind: 'sequence',
    hyperParameters: {},
    statisticLength: () => quadraticItems,
    entryBound: 8,
    normBound: Infinity,
    contribute({ weights }, history, into) {
      targetOf(history).forEach((wanted, item) => wanted !== weights[item] && into.add(item, used * (wanted - weights[item])));
    },
    local: {
      ...(rate === null ? {} : { learningRate: rate }),
      async train({ weights: start }, histories, training) {
        const { proximal, correction, steps: asked } = training;
        const mean = new Float32Array(quadraticItems);
        for (const history of histories) targetOf(history).forEach((value, item) => (mean[item] += value / histories.length));
        const weights = start.slice();
        for (let step = 0; step < (asked ?? steps); step += 1) {
          await training.pause();
          for (let i = 0; i < weights.length; i += 1) {
            weights[i] -= used * (weights[i] - mean[i] + proximal * (weights[i] - start[i]) + (correction?.[i] ?? 0));
          }
        }
        return { change: weights.map((weight, i) => weight - start[i]), steps: asked ?? steps, learningRate: used };
      },
    },
    initial: () => ({ weights: new Float32Array(quadraticItems) }),
    update: ({ weights }, { sum, shoppers }) => ({ weights: weights.map((weight, i) => weight + sum[i] / shoppers) }),
    score({ weights }, _history, scores) {
      scores.set(weights);
    },
    explain: () => [],
    encode: ({ weights }) => ({ weights: vector(weights) }),
    decode: (tensors) => ({ weights: requireTensor(tensors, 'weights', Float32Array, quadraticItems) }),
  };
}
