/** `ease`, `slist` and `item-knn` against hand counts and direct dense formulas. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import { distinctItems, visitCount, visitItems } from '../../shared/commerce/history.ts';
import { sumContributions, trainCentrally } from '../evaluation/central-training.ts';
import { createEase } from '../../shared/recommender/ease.ts';
import { gramIndex, gramLength, gramMatrix, noiseRidge, regularisedInverse } from '../../shared/recommender/gram.ts';
import { createItemKnn } from '../../shared/recommender/item-knn.ts';
import { strongestWeights, weightBetween, type ItemWeights } from '../../shared/recommender/item-weights.ts';
import { createSlist } from '../../shared/recommender/slist.ts';
import { combined, denseInverse, identityOf, product, transposed } from './dense.ts';
import { anyHistory, codeOf, scoresOf, teaCatalogue, visits } from './fixtures.ts';

const dense = (weights: ItemWeights): number[][] => Array.from({ length: weights.items }, (_, i) => Array.from({ length: weights.items }, (__, j) => weightBetween(weights, i, j)));
const shopperRows = (histories: readonly ShopperHistory[], items: number): number[][] => histories.map((history) => Array.from({ length: items }, (_, item) => (distinctItems(history).includes(item) ? 1 : 0)));

const expectClose = (actual: readonly (readonly number[])[], expected: readonly (readonly number[])[]): void => {
  actual.forEach((row, i) => row.forEach((value, j) => expect(Math.abs(value - expected[i][j])).toBeLessThan(1e-5)));
};

describe('the Gram statistic', () => {
  it('counts the shoppers of each item and pair once, whatever recurs', () => {
    const model = createItemKnn(teaCatalogue(3), { shrinkage: 0, topWeights: 'all' });
    const sum = sumContributions(model, model.initial(), [visits([0, 1], [0]), visits([1, 2])], Infinity);
    expect([...gramMatrix(sum, 3)]).toEqual([1, 1, 0, 1, 2, 1, 0, 1, 1]);
  });

  it('lays the upper triangle out row by row without gaps', () => {
    const positions = Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 - i }, (__, offset) => gramIndex(5, i, i + offset))).flat();
    expect(positions).toEqual(Array.from({ length: gramLength(5) }, (_, position) => position));
  });
});

describe('ease', () => {
  it('is -P_ij / P_jj of a direct dense inverse, with zero diagonal', () => {
    const items = 6;
    fc.assert(fc.property(fc.array(anyHistory(items), { minLength: 1, maxLength: 12 }), fc.double({ min: 0.1, max: 50, noNaN: true }), (histories, lambda) => {
      const params = trainCentrally(createEase(teaCatalogue(items), { lambda, topWeights: 'all' }), histories);
      const x = shopperRows(histories, items);
      const inverse = denseInverse(combined(product(transposed(x), x), identityOf(items), 1, lambda));
      expectClose(dense(params.weights), inverse.map((row, i) => row.map((value, j) => (i === j ? 0 : -value / inverse[j][j]))));
    }), { numRuns: 30 });
  });

  it('scores by the sum of the weights of distinct items, and by popularity without history', () => {
    const model = createEase(teaCatalogue(3), { lambda: 1, topWeights: 'all' });
    const params = trainCentrally(model, [visits([0, 1]), visits([0, 1]), visits([1, 2])]);
    const weights = dense(params.weights);
    expect(scoresOf(model, params, visits([0], [2, 0]), 3)[1]).toBeCloseTo(weights[0][1] + weights[2][1], 6);
    expect(scoresOf(model, params, visits(), 3)).toEqual([2, 3, 1]);
    expect(model.explain(params, visits([0, 2]), 1, 5)[0]).toEqual({ item: 0, weight: weights[0][1] });
  });

  it('raises the diagonal with the noise, so that a noisy Gram matrix stays invertible', () => {
    expect(noiseRidge(100, 3)).toBe(60);
    const indefinite = Float64Array.of(-5, 0, 0, -5, 0, -5);
    expect(codeOf(() => regularisedInverse(indefinite, 3, 0.01))).toBe('model.unusable');
    expect(regularisedInverse(indefinite, 3, 3)[0]).toBeCloseTo(1, 12);
    const params = createEase(teaCatalogue(3), { lambda: 1, topWeights: 'all' }).update({} as never, { sum: indefinite, shoppers: 1, noiseStd: 2 });
    expect(dense(params.weights)).toEqual([[0, 0, 0], [0, 0, 0], [0, 0, 0]]);
  });
});

describe('item-knn', () => {
  it('is the shrunk cosine of the counts', () => {
    const model = createItemKnn(teaCatalogue(3), { shrinkage: 2, topWeights: 'all' });
    const params = trainCentrally(model, [visits([0, 1]), visits([0, 1]), visits([1, 2]), visits([1])]);
    // Counts 2, 4, 1; pairs (0,1): 2, (1,2): 1.
    expect(weightBetween(params.weights, 0, 1)).toBeCloseTo(2 / (Math.sqrt(8) + 2), 6);
    expect(weightBetween(params.weights, 2, 1)).toBeCloseTo(1 / (2 + 2), 6);
    expect(weightBetween(params.weights, 0, 2)).toBe(0);
  });
});

describe('slist', () => {
  const weightsAt = (history: ShopperHistory, items: number, start: number, step: number, decayVisits: number): number[] => {
    const row: number[] = new Array<number>(items).fill(0);
    for (let distance = 0, visit = start; visit >= 0 && visit < visitCount(history); distance += 1, visit += step) {
      for (const item of visitItems(history, visit)) row[item] ||= Math.exp(-distance / decayVisits);
    }
    return row;
  };

  it('solves the joint problem of its paper, with no weight of an item on itself', () => {
    const [items, lambda, wholeShare, decayVisits] = [5, 2, 0.3, 4];
    fc.assert(fc.property(fc.array(anyHistory(items), { minLength: 2, maxLength: 8 }), (histories) => {
      const model = createSlist(teaCatalogue(items), { lambda, wholeShare, decayVisits, recallVisits: 5, topWeights: 'all' });
      const points = histories.flatMap((history) => Array.from({ length: visitCount(history) - 1 }, (_, point) => ({
        past: weightsAt(history, items, point, -1, decayVisits),
        future: weightsAt(history, items, point + 1, 1, decayVisits),
        weight: 1 / Math.sqrt(visitCount(history) - 1),
      })));
      const scaled = (side: 'past' | 'future'): number[][] => [new Array<number>(items).fill(0), ...points.map((point) => point[side].map((value) => value * point.weight))];
      const [s, t, x] = [scaled('past'), scaled('future'), shopperRows(histories, items)];
      const within = product(transposed(s), s);
      const inverse = denseInverse(combined(combined(product(transposed(x), x), within, wholeShare, 1 - wholeShare), identityOf(items), 1, lambda));
      const transitions = product(inverse, combined(within, product(transposed(s), t), 1 - wholeShare, wholeShare - 1));
      const constraint = (j: number): number => Math.max(lambda, (1 - transitions[j][j]) / inverse[j][j]);
      const expected = inverse.map((row, i) => row.map((value, j) => (i === j ? 0 : -value * constraint(j) - transitions[i][j])));
      expectClose(dense(trainCentrally(model, histories).weights), expected);
    }), { numRuns: 30 });
  });

  it('tells before from after, which ease cannot', () => {
    const catalogue = teaCatalogue(3);
    const histories = Array.from({ length: 20 }, () => visits([0], [1]));
    const directed = dense(trainCentrally(createSlist(catalogue, { lambda: 20, wholeShare: 0.1, decayVisits: 1, recallVisits: 5, topWeights: 'all' }), histories).weights);
    const undirected = dense(trainCentrally(createEase(catalogue, { lambda: 20, topWeights: 'all' }), histories).weights);
    expect(directed[0][1]).toBeGreaterThan(2 * directed[1][0]);
    expect(undirected[0][1]).toBeCloseTo(undirected[1][0], 6);
  });

  it('lets an item of the history count by the visits since its latest touch', () => {
    const model = createSlist(teaCatalogue(3), { lambda: 1, wholeShare: 0.5, decayVisits: 1, recallVisits: 2, topWeights: 'all' });
    const params = trainCentrally(model, [visits([0], [1]), visits([0, 1, 2])]);
    const fresh = scoresOf(model, params, visits([0]), 3)[1];
    expect(scoresOf(model, params, visits([0], []), 3)[1]).toBeCloseTo(fresh * Math.exp(-0.5), 6);
    expect(scoresOf(model, params, visits([0], [], [0]), 3)[1]).toBeCloseTo(fresh, 6);
  });
});

describe('the strongest weights into each item', () => {
  // Column 0: 3, -5, 1 from items 1, 2, 3.
  const matrix = Float64Array.of(9, 1, 0, 0, 3, 9, 0, 0, -5, 1, 9, 0, 1, 1, 0, 9);

  it('are those of largest magnitude, without the diagonal and without zeros', () => {
    const kept = strongestWeights(matrix, 4, 2);
    expect(dense(kept).map((row) => row[0])).toEqual([0, 3, -5, 0]);
    expect(kept.starts[4]).toBe(4);
  });

  it('are those of lower source among equals', () => {
    expect(dense(strongestWeights(matrix, 4, 2)).map((row) => row[1])).toEqual([1, 0, 1, 0]);
  });

  it('are all of them on request', () => {
    expect(strongestWeights(matrix, 4, 'all').starts[4]).toBe(6);
    expect(strongestWeights(matrix, 4, 9).starts[4]).toBe(6);
  });
});
