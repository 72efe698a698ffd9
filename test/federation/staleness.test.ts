import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { createAccumulator, type DecodedReports } from '../../shared/federation/accumulator.ts';
import { combineParts, describeStaleness, stalenessWeight, type SumPart } from '../../shared/federation/staleness.ts';
import { examplePlan } from './plans.ts';

function part(staleness: number, sum: readonly number[], { shoppers = 10, noiseStd = 0, nextClipNorm = null, participants = 1 }: { shoppers?: number; noiseStd?: number; nextClipNorm?: number | null; participants?: number } = {}): SumPart {
  return { reports: { sum: Float64Array.from(sum), shoppers: Math.max(1, shoppers), noisyShoppers: shoppers, noiseStd, nextClipNorm }, participants, staleness };
}

describe('the weight of a report', () => {
  it('is 1 when fresh, 1/sqrt(2) one release later, 1/2 three releases later', () => {
    expect([0, 1, 3].map(stalenessWeight)).toEqual([1, 1 / Math.sqrt(2), 0.5]);
  });

  it('is not given to what is not a number of releases', () => {
    expect(() => stalenessWeight(-1)).toThrow('staleness: expected a whole number from 0, got -1');
    expect(() => stalenessWeight(0.5)).toThrow('0.5');
  });
});

describe('sums of several plans', () => {
  it('are added up by weight: counts like coordinates, noise by its variance', () => {
    // By hand: weights 1 and 1/2.
    const combined = combineParts([part(3, [10, 0, -4], { shoppers: 6, noiseStd: 8 }), part(0, [1, 2, 3], { shoppers: 20, noiseStd: 3 })]);
    expect([...combined.sum]).toEqual([6, 2, 1]);
    expect(combined.shoppers).toBe(23);
    expect(combined.noiseStd).toBe(5);
  });

  it('are left as they are where all is fresh', () => {
    const { sum, shoppers, noiseStd, nextClipNorm } = combineParts([part(0, [1, 2], { shoppers: 7, noiseStd: 2, nextClipNorm: 0.5 })]);
    expect({ sum: [...sum], shoppers, noiseStd, nextClipNorm }).toEqual({ sum: [1, 2], shoppers: 7, noiseStd: 2, nextClipNorm: 0.5 });
  });

  it('have at least one shopper, and a count below none in one part takes from the others', () => {
    expect(combineParts([part(0, [0], { shoppers: 5 }), part(0, [0], { shoppers: -3 })]).shoppers).toBe(2);
    expect(combineParts([part(8, [0], { shoppers: 1.5 })]).shoppers).toBe(1);
  });

  it('are divided by less than one shopper where the weights of contributions add up to less, without noise', () => {
    const reports = { sum: Float64Array.of(0.1), shoppers: 0.2, noisyShoppers: 0.2, noiseStd: 0, nextClipNorm: null };
    const { sum, shoppers } = combineParts([{ reports, participants: 1, staleness: 0 }, { reports, participants: 1, staleness: 3 }]);
    expect(shoppers).toBeCloseTo(0.3, 12);
    expect(sum[0] / shoppers).toBeCloseTo(0.5, 12);
  });

  it('take the next clip norm of the freshest part that has one', () => {
    const parts = [part(2, [0], { nextClipNorm: 4 }), part(1, [0], { nextClipNorm: 3 }), part(0, [0])];
    expect(combineParts(parts).nextClipNorm).toBe(3);
    expect(combineParts([part(2, [0])]).nextClipNorm).toBeNull();
  });

  it('are not made of nothing, nor of sums of different models', () => {
    expect(() => combineParts([])).toThrow(expect.objectContaining({ code: 'round.failed' }));
    expect(() => combineParts([part(0, [1]), part(1, [1, 2])])).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('may come from grids of different steps', () => {
    const summed = (gridScale: number, units: readonly number[]): DecodedReports => {
      const plan = examplePlan({ privacy: { mode: 'none' }, bounds: { ...examplePlan().bounds, gridScale } });
      const accumulator = createAccumulator(plan);
      accumulator.add(Int32Array.from(units, (unit) => unit * gridScale));
      return accumulator.decode();
    };
    const combined = combineParts([
      { reports: summed(1024, [1, 2, 3, 0.25]), participants: 1, staleness: 0 },
      { reports: summed(64, [4, 4, 4, 0.5]), participants: 1, staleness: 3 },
    ]);
    expect([...combined.sum]).toEqual([3, 4, 5]);
    expect(combined.shoppers).toBe(4);
  });
});

describe('figures of staleness', () => {
  it('are means over reports, not over plans', () => {
    expect(describeStaleness([part(0, [0], { participants: 6 }), part(1, [0], { participants: 2 }), part(4, [0], { participants: 2 })])).toEqual({ staleReports: 4, meanStaleness: 1 });
    expect(describeStaleness([part(0, [0], { participants: 3 })])).toEqual({ staleReports: 0, meanStaleness: 0 });
  });
});

describe('any parts', () => {
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const anyPart = fc.record({ staleness: fc.nat(100), sum: fc.array(number, { minLength: 3, maxLength: 3 }), shoppers: number, noiseStd: fc.double({ min: 0, max: 1e3, noNaN: true }), participants: fc.integer({ min: 1, max: 9 }) })
    .map(({ staleness, sum, ...rest }) => part(staleness, sum, rest));
  const parts = fc.array(anyPart, { minLength: 1, maxLength: 12 });

  it('give the same whatever order they come in', () => {
    fc.assert(fc.property(parts.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))), ([list, shuffled]) => {
      const [one, other] = [combineParts(list), combineParts(shuffled)];
      const scale = list.reduce((most, { reports }) => Math.max(most, ...reports.sum.map(Math.abs), Math.abs(reports.noisyShoppers)), 1);
      one.sum.forEach((value, i) => expect(Math.abs(value - other.sum[i])).toBeLessThanOrEqual(1e-12 * scale * list.length));
      expect(Math.abs(one.shoppers - other.shoppers)).toBeLessThanOrEqual(1e-12 * scale * list.length);
      expect(one.noiseStd).toBeCloseTo(other.noiseStd, 9);
    }));
  });

  it('carry no more noise than if all were fresh, no less than the loudest by its weight, and one shopper at least', () => {
    fc.assert(fc.property(parts, (list) => {
      const { noiseStd, shoppers } = combineParts(list);
      expect(noiseStd).toBeLessThanOrEqual(Math.hypot(...list.map(({ reports }) => reports.noiseStd)) * (1 + 1e-12));
      expect(noiseStd).toBeGreaterThanOrEqual(Math.max(...list.map((one) => stalenessWeight(one.staleness) * one.reports.noiseStd)) * (1 - 1e-12));
      expect(shoppers).toBeGreaterThanOrEqual(1);
    }));
  });

  it('of one age keep the mean over shoppers: staleness scales a sum and its count alike', () => {
    fc.assert(fc.property(fc.nat(100), fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.integer({ min: 200, max: 10_000 }), (staleness, mean, shoppers) => {
      const combined = combineParts([part(staleness, [mean * shoppers], { shoppers })]);
      expect(combined.sum[0] / combined.shoppers).toBeCloseTo(mean, 6);
    }));
  });
});
