import { describe, expect, it } from 'vitest';
import type { RoundSums } from '../../../shared/recommender/neighbours/contribution.ts';
import { remember, withMemory } from '../../../shared/recommender/neighbours/memory.ts';
import { aggregate, giftShop, neighboursOf, noisyAggregate, shoppersOf, today } from './fixtures.ts';

const round = (values: readonly number[], noiseStd: number, asOf: number | null, shoppers = 100): RoundSums => ({
  pairs: aggregate(values, noiseStd, shoppers),
  popularity: aggregate(values, 2 * noiseStd, shoppers),
  period: asOf === null ? undefined : { ...aggregate(values, 3 * noiseStd, shoppers), asOf },
});

const combined = (first: RoundSums, second: RoundSums): RoundSums => withMemory(remember(first), second);

describe('the memory of rounds', () => {
  it('combines each block by inverse variance, on the scale of the newest round', () => {
    const { pairs, popularity, period } = combined(round([10, 0], 3, today, 100), round([40, 8], 3, today, 200));
    // The first round on the scale of the second: values 20 and 0, noise 6; weights 1/36 and 1/9.
    for (const block of [pairs, popularity, period]) {
      expect(block?.sum[0]).toBeCloseTo(0.2 * 20 + 0.8 * 40, 2);
      expect(block?.sum[1]).toBeCloseTo(0.8 * 8, 2);
      expect(block?.shoppers).toBe(200);
    }
    expect(pairs.noiseStd).toBeCloseTo(3 * Math.sqrt(0.8), 12);
    expect(popularity.noiseStd).toBeCloseTo(6 * Math.sqrt(0.8), 12);
    expect(period?.noiseStd).toBeCloseTo(9 * Math.sqrt(0.8), 12);
  });

  it('takes the period from the newest round alone where the as-of date moved', () => {
    const { pairs, period } = combined(round([10, 0], 3, today), round([20, 8], 3, today + 1));
    expect(pairs.sum[0]).toBeCloseTo(15, 2);
    expect(period).toEqual({ ...aggregate([20, 8], 9, 100), asOf: today + 1 });
    expect(combined(round([10, 0], 3, null), round([20, 8], 3, today)).period?.noiseStd).toBe(9);
    expect(combined(round([10, 0], 3, today), round([20, 8], 3, null)).period).toBeUndefined();
  });

  it('starts afresh with another layout, and after a round without noise', () => {
    const newest = round([20, 8], 3, today);
    expect(combined(round([1, 2, 3], 3, today), newest)).toEqual(newest);
    const exact = round([20, 8], 0, today);
    expect(combined(round([10, 0], 3, today), exact)).toEqual(exact);
  });

  it('rounds to a 65,535th of the range', () => {
    const { pairs } = combined(round([-50, 0, 600, 3.21], 1, null), round([0, 0, 0, 0], 1e12, null));
    [-50, 0, 600, 3.21].forEach((value, index) => expect(Math.abs(pairs.sum[index] - value)).toBeLessThan(650 / 65_535));
  });

  it('lets many noisy rounds come near one exact round', () => {
    const model = neighboursOf(giftShop, { asOf: today });
    const shoppers = shoppersOf(400);
    const exact = model.update(model.initial(), noisyAggregate(model, shoppers, 0));
    const distance = (rounds: number): number => {
      let params = model.initial();
      for (let seed = 1; seed <= rounds; seed += 1) params = model.update(params, noisyAggregate(model, shoppers, 6, seed));
      return Math.hypot(...params.weights.weights.map((weight, index) => weight - exact.weights.weights[index]));
    };
    expect(distance(40)).toBeLessThan(distance(1) / 2);
  });
});
