import { describe, expect, it } from 'vitest';
import { fitLogistic } from '../../../shared/evaluation/attacks/logistic-fit.ts';
import { areaUnderCurve, f1Score, measuredAdvantage, measuredArea } from '../../../shared/evaluation/attacks/measures.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';

describe('the worth of an attack', () => {
  it('is the share of pairs in the right order, ties counted half', () => {
    expect(areaUnderCurve([3, 1], [2, 0])).toBe(0.75);
    expect(areaUnderCurve([1, 1], [1, 1])).toBe(0.5);
    expect(areaUnderCurve([2, 2], [1])).toBe(1);
  });

  it('comes with an interval that holds the truth of two shifted normals, and not a coin\'s', () => {
    const random = seededRandom(3, 'area');
    const normal = () => Array.from({ length: 12 }, () => random.nextFloat()).reduce((sum, value) => sum + value, -6);
    const area = measuredArea(Array.from({ length: 400 }, () => normal() + 1), Array.from({ length: 400 }, normal));
    // Phi(1 / sqrt 2)
    expect(area.low).toBeLessThan(0.7602);
    expect(area.high).toBeGreaterThan(0.7602);
    expect(area.low).toBeGreaterThan(0.6);
    expect(area.high - area.low).toBeLessThan(0.08);
  });

  it('counts only what goes beyond the prior', () => {
    expect(measuredAdvantage(Float64Array.of(1, 1), Float64Array.of(0.2, 0.6)).value).toBeCloseTo(1, 12);
    expect(measuredAdvantage(Float64Array.of(0.2, 0.6), Float64Array.of(0.2, 0.6)).value).toBe(0);
    expect(measuredAdvantage(Float64Array.of(0.6), Float64Array.of(0.2)).value).toBeCloseTo(0.5, 12);
  });

  it('is by F1 one for a perfect threshold and zero where nothing is found', () => {
    expect(f1Score([2, 3], [0, 1], 1)).toBe(1);
    expect(f1Score([0], [0], 1)).toBe(0);
    expect(f1Score([2, 0], [2, 0], 1)).toBe(0.5);
  });
});

describe('the weights of scores', () => {
  const random = seededRandom(5, 'logistic');
  const rows = 20_000;
  const informative = Float64Array.from({ length: rows }, () => 4 * random.nextFloat() - 2);
  const positives = Int32Array.from(informative.keys()).filter((row) => random.nextFloat() < 1 / (1 + Math.exp(3 - 1.5 * informative[row])));

  it('are those that made the labels', () => {
    const [weight, useless] = fitLogistic([{ columns: [informative, informative.map(() => random.nextFloat())], positives }], [0, 0]);
    expect(weight).toBeGreaterThan(1.35);
    expect(weight).toBeLessThan(1.65);
    expect(Math.abs(useless)).toBeLessThan(0.25);
  });

  it('stay finite and of the right sign where one score tells everything', () => {
    const separating = informative.map((_, row) => (row < 100 ? 12 : -12));
    const [weight] = fitLogistic([{ columns: [separating], positives: Int32Array.from({ length: 100 }, (_, row) => row) }], [0]);
    expect(weight).toBeGreaterThan(0.1);
    expect(weight).toBeLessThan(10);
  });
});
