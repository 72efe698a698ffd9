import { describe, expect, it } from 'vitest';
import { alsHyperParameters, createAls } from '../../../shared/recommender/als/model.ts';
import { createShopperSolver } from '../../../shared/recommender/als/shopper.ts';
import { alsLayout, alsReports, type AlsReport } from '../../../shared/recommender/als/statistic.ts';
import { solveItems } from '../../../shared/recommender/als/update.ts';
import type { AlsParams } from '../../../shared/recommender/als/release.ts';
import { sumContributions } from '../../evaluation/central-training.ts';
import { contributionOf, entriesOf, teaCatalogue, visits } from '../fixtures.ts';
import { countOf, inner, itemFactors, itemRidge, objective, rowsOf, shopperFactors, type Textbook } from './textbook.ts';

const items = 6;
const width = 3;
const touched = [[0, 1], [1, 2, 3], [4], [0, 3, 4, 5], [2, 5], [0, 1, 2, 3, 4]];
const histories = touched.map((basket) => visits(basket));

/** @param regularisation small ones let |u| reach its bound */
function setUp(report: AlsReport, regularisation = 0.3) {
  const settings = alsHyperParameters.parse({ factors: width, report, unobserved: 0.2, shopperRegularisation: regularisation, itemRegularisation: 0.1, frequencyPower: 0.7, startNorm: 0.8 });
  const model = createAls(teaCatalogue(items), settings);
  const book: Textbook = { touched, ...settings };
  const solver = createShopperSolver({ items, width, unobserved: settings.unobserved, regularisation, frequencyPower: settings.frequencyPower });
  return { settings, model, book, solver, layout: alsLayout(items, settings), start: model.initial() };
}

function solvedOnce(report: AlsReport, factors: Float32Array): number[][] {
  const { settings, model, layout, start } = setUp(report);
  const sum = sumContributions(model, { ...start, factors }, histories, Infinity);
  const terms = { startNorm: settings.startNorm, unobserved: settings.unobserved, regularisation: settings.itemRegularisation, frequencyPower: settings.frequencyPower };
  return rowsOf(solveItems(layout, terms, start.factors, factors, { sum, shoppers: histories.length, noiseStd: 0 }), width);
}

const expectRows = (actual: readonly (readonly number[])[], expected: readonly (readonly number[])[]): void => {
  actual.forEach((row, index) => row.forEach((value, k) => expect(value).toBeCloseTo(expected[index][k], 9)));
};

describe('a sweep of als', () => {
  it('from equations is the textbook\'s, to nine digits', () => {
    const { book, start } = setUp('equations');
    const v = rowsOf(start.factors, width);
    expectRows(solvedOnce('equations', start.factors), itemFactors(book, shopperFactors(book, v), v));
  });

  it('from gradients is one Newton step with an upper bound of half the curvature', () => {
    const { book, start } = setUp('gradients');
    const v = rowsOf(start.factors, width);
    const u = shopperFactors(book, v);
    const stepped = solvedOnce('gradients', start.factors);
    v.forEach((row, item) => {
      const ridge = itemRidge(book, item);
      const slope = row.map((_, k) => u.reduce((sum, x, shopper) => {
        const basket = touched[shopper];
        const residual = basket.includes(item) ? 1 - inner(x, row) : 0;
        return sum + countOf(basket) * (residual - book.unobserved * inner(x, row)) * x[k];
      }, 0));
      const change = stepped[item].map((value, k) => value - row[k]);
      const curved = row.map((_, k) => u.reduce((sum, x, shopper) => sum + (book.unobserved + 0.5) * countOf(touched[shopper]) * x[k] * inner(x, change), ridge * change[k]));
      curved.forEach((value, k) => expect(value).toBeCloseTo(slope[k], 9));
    });
  });

  it('from either report stays where the other one converged', () => {
    let factors = setUp('equations').start.factors;
    for (let sweep = 0; sweep < 200; sweep += 1) factors = Float32Array.from(solvedOnce('equations', factors).flat());
    for (const report of alsReports) Array.from(solvedOnce(report, factors).flat()).forEach((value, at) => expect(value).toBeCloseTo(factors[at], 4));
  });

  it.each([['gradients', 0.3], ['equations', 0.3], ['gradients', 1e-4], ['equations', 1e-4]] as const)('from %s never raises the objective, with a ridge of %d on shoppers', (report, regularisation) => {
    const { model, book, solver, start } = setUp(report, regularisation);
    const factorsWithin = (params: AlsParams): number[][] => touched.map((basket) => [...solver.solveWithin(params, Int32Array.from(basket))]);
    let params = start;
    const values: number[] = [];
    const largest: number[] = [];
    for (let sweep = 0; sweep < 25; sweep += 1) {
      const u = factorsWithin(params);
      largest.push(Math.max(...u.map((x) => Math.sqrt(inner(x, x)))));
      values.push(objective(book, u, rowsOf(params.factors, width), rowsOf(start.factors, width)));
      params = model.update(params, { sum: sumContributions(model, params, histories, Infinity), shoppers: histories.length, noiseStd: 0 });
    }
    values.slice(1).forEach((value, sweep) => expect(value).toBeLessThanOrEqual(values[sweep] * (1 + 1e-6)));
    expect(values[1]).toBeLessThan(values[0] * 0.99);
    // Both sides of the bound are tried: with little ridge some factor reaches it, and none exceeds it.
    if (regularisation < 0.01) expect(largest[0]).toBeCloseTo(1, 9);
    else expect(largest[0]).toBeLessThan(0.99);
  });
});

describe('what a shopper reports', () => {
  it.each(alsReports)('of one item, as %s, can be computed by hand', (report) => {
    const { model, layout, book, start } = setUp(report);
    const row = rowsOf(start.factors, width)[4];
    const u = shopperFactors(book, rowsOf(start.factors, width))[2];
    const triangle = [u[0] * u[0], u[0] * u[1], u[0] * u[2], u[1] * u[1], u[1] * u[2], u[2] * u[2]];
    const expected = new Map<number, number>([
      ...u.map((value, k): [number, number] => [4 * width + k, value * (report === 'gradients' ? 1 - inner(u, row) : 1)]),
      ...(report === 'gradients' ? [] : triangle.map((value, at): [number, number] => [layout.triangles + 4 * 6 + at, value])),
      ...triangle.map((value, at): [number, number] => [layout.gram + at, value]),
      [layout.popularity + 4, 1],
    ]);
    const entries = entriesOf(contributionOf(model, histories[2]));
    expect(entries).toHaveLength(expected.size);
    for (const [index, value] of entries) expect(value).toBeCloseTo(expected.get(index) ?? NaN, 9);
  });
});
