import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alsHyperParameters, createAls } from '../../../shared/recommender/als/model.ts';
import type { AlsParams } from '../../../shared/recommender/als/release.ts';
import { alsLayout, alsReports, type AlsReport } from '../../../shared/recommender/als/statistic.ts';
import { createModel } from '../../../shared/recommender/registry.ts';
import { trainCentrally } from '../../evaluation/central-training.ts';
import { anyHistory, codeOf, contributionOf, entriesOf, scoresOf, teaCatalogue, visits, wordless } from '../fixtures.ts';

const items = 12;
const settings = alsHyperParameters.parse({ factors: 4, popularityWeight: 0, unobserved: 0.05, shopperRegularisation: 0.1, itemRegularisation: 0.01 });
const modelWith = (changed: Partial<typeof settings>, catalogue = teaCatalogue(items)) => createAls(catalogue, { ...settings, ...changed });
/** Two kinds of shoppers that never mix. */
const histories = Array.from({ length: 60 }, (_, shopper) => visits(shopper % 2 === 0 ? [0, 1, 2, 3, 4] : [6, 7, 8, 9, 10]));

function trainRounds(rounds: number, model = modelWith({})): AlsParams {
  let params = model.initial();
  for (let round = 0; round < rounds; round += 1) params = trainCentrally(model, histories, { params });
  return params;
}

describe.each(alsReports)('als from %s', (report: AlsReport) => {
  const model = modelWith({ report });

  it('tells two kinds of shoppers apart', () => {
    const scores = scoresOf(model, trainRounds(8, model), visits([0, 1]), items);
    expect(Math.min(...[2, 3, 4].map((item) => scores[item]))).toBeGreaterThan(Math.max(...[6, 7, 8, 9, 10].map((item) => scores[item])));
  });

  it('never reports the shopper\'s own factor as it is: products leave its sign open', () => {
    const params = trainRounds(2, model);
    const negated = { ...params, factors: params.factors.map((value) => -value) };
    const { triangles } = alsLayout(items, model.hyperParameters as typeof settings);
    const products = (of: AlsParams): number[] => entriesOf(contributionOf({ ...model, initial: () => of }, histories[0])).filter(([index]) => index >= triangles).map(([, value]) => value);
    expect(products(params)).toEqual(products(negated));
  });

  it('keeps every contribution within its bounds, also where factors would grow beyond theirs', () => {
    const loose = modelWith({ report, shopperRegularisation: 1e-6, unobserved: 1e-3, startNorm: 0.05 });
    for (const params of [loose.initial(), trainRounds(2, loose)]) {
      fc.assert(fc.property(anyHistory(items), (history) => {
        const values = entriesOf(contributionOf({ ...loose, initial: () => params }, history)).map(([, value]) => value);
        expect(Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))).toBeLessThanOrEqual(loose.normBound * (1 + 1e-12));
        for (const value of values) expect(Math.abs(value)).toBeLessThanOrEqual(loose.entryBound);
      }));
    }
  });

  it('stands noise that makes the sums of products indefinite', () => {
    const sum = new Float64Array(model.statisticLength()).fill(-50);
    const { factors } = model.update(model.initial(), { sum, shoppers: 10, noiseStd: 40 });
    expect(factors.every(Number.isFinite)).toBe(true);
  });

  it('leaves items near their public start while noise hides all else', () => {
    const { factors } = model.initial();
    const sum = Float64Array.from({ length: model.statisticLength() }, (_, at) => Math.sin(at));
    const updated = model.update(model.initial(), { sum, shoppers: 10, noiseStd: 1e6 });
    updated.factors.forEach((value, at) => expect(value).toBeCloseTo(factors[at], 4));
  });
});

describe('als', () => {
  it('starts like items alike, from their titles alone, and others on their own', () => {
    const { factors, similar } = modelWith({}).initial();
    const product = (a: number, b: number): number => [0, 1, 2, 3].reduce((sum, k) => sum + factors[a * 4 + k] * factors[b * 4 + k], 0);
    expect(product(0, 1)).toBeGreaterThan(product(0, items - 1));
    expect(product(0, 0)).toBeCloseTo(settings.startNorm ** 2, 6);
    expect(similar.partners).toContain(1);
    expect(modelWith({}, wordless(items)).initial().similar.partners).toHaveLength(0);
  });

  it('explains a score to the last bit that its precision holds', () => {
    const model = modelWith({});
    const params = trainRounds(4, model);
    const history = visits([0], [1, 2]);
    const reasons = model.explain(params, history, 3, 10);
    expect(reasons).toHaveLength(3);
    expect(reasons.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(scoresOf(model, params, history, items)[3], 6);
  });

  it('lets recent visits count for more', () => {
    const params = trainRounds(4);
    const model = modelWith({ recallVisits: 0.5 });
    const [late, early] = [visits([6], [0]), visits([0], [6])].map((history) => scoresOf(model, params, history, items)[1]);
    expect(late).toBeGreaterThan(early);
  });

  it('ranks by popularity who has no history', () => {
    const model = modelWith({ popularityWeight: 1 });
    const popularity = new Float32Array(items).map((_, item) => item - 1);
    const scores = scoresOf(model, { ...model.initial(), popularity }, visits(), items);
    scores.forEach((score, item) => expect(score).toBeCloseTo(Math.log(Math.max(1, item)), 5));
  });

  it('refuses a release of another width', () => {
    expect(codeOf(() => modelWith({ factors: 5 }).decode(modelWith({}).encode(trainRounds(1))))).toBe('release.untrusted');
  });

  it('releases each pair of like titles once, and refuses one that is told from its higher item', () => {
    const model = modelWith({});
    const start = model.initial();
    const tensors = model.encode(start);
    expect(tensors['weights'].data.length).toBe(start.similar.weights.length / 2);
    expect(model.decode(tensors)).toEqual(start);
    const partners = tensors['weight_partners'].data.slice();
    const starts = tensors['weight_starts'].data;
    partners[starts[2]] = 1;
    expect(codeOf(() => model.decode({ ...tensors, weight_partners: { shape: [partners.length], data: partners } }))).toBe('release.untrusted');
  });

  it('refuses equations longer than a plan can hold, and says what to do', () => {
    expect(codeOf(() => createModel('als', wordless(9_000), { factors: 256, report: 'equations' }))).toBe('model.unusable');
    expect(() => alsLayout(9_000, { factors: 256, report: 'equations' })).toThrow('report gradients');
    expect(alsLayout(8_000, { factors: 256, report: 'equations' }).length).toBeLessThan(2 ** 28);
    expect(alsLayout(9_000, { factors: 256, report: 'gradients' }).length).toBeLessThan(2 ** 22);
  });
});
