import { describe, expect, it } from 'vitest';
import { skellamEpsilon } from '../../shared/privacy/accounting/skellam.ts';
import { solveGrid } from '../../shared/privacy/grid.ts';
import { calibrateGrid } from '../../shared/privacy/grid-calibration.ts';

describe('the grid of a plan', () => {
  it('holds the worst case of all shoppers and the noise, and the next finer one would not', () => {
    for (const maxShoppers of [1, 37, 5000, 1_000_000]) {
      for (const noiseStd of [0, 4, 300]) {
        const rowCap = 1;
        const { gridScale } = solveGrid({ maxShoppers, rowCap, noiseStd, localNoiseStd: 0, modulusBits: 32 });
        const load = (scale: number): number => maxShoppers * scale * rowCap + 8 * scale * noiseStd;
        expect(load(gridScale)).toBeLessThan(2 ** 31);
        expect(load(2 * gridScale)).toBeGreaterThanOrEqual(2 ** 31);
      }
    }
  });

  it('runs as its example says', () => {
    expect(solveGrid({ maxShoppers: 5000, rowCap: 1, noiseStd: 4, localNoiseStd: 0.1, modulusBits: 32 })).toEqual({ gridScale: 65_536 });
  });

  it('keeps one participant\'s noise within what the samplers hold', () => {
    const { gridScale } = solveGrid({ maxShoppers: 100, rowCap: 1, noiseStd: 5, localNoiseStd: 5, modulusBits: 32 });
    expect(gridScale * 5).toBeLessThanOrEqual(8192);
    expect(gridScale * 10).toBeGreaterThan(8192);
  });

  it('refuses a grid that is too coarse to be worth anything', () => {
    const requirements = { maxShoppers: 1000, rowCap: 1, noiseStd: 4, localNoiseStd: 4, modulusBits: 12 };
    expect(() => solveGrid(requirements)).toThrow(expect.objectContaining({ code: 'privacy.infeasible' }) as Error);
    expect(() => solveGrid({ ...requirements, modulusBits: 32, localNoiseStd: 1e5 })).toThrow('expected at least 4 grid steps');
  });

  it.each([['maxShoppers', 0], ['rowCap', 0], ['rowCap', NaN], ['noiseStd', -1], ['localNoiseStd', Infinity], ['modulusBits', 33]])('refuses %s = %d', (field, value) => {
    const requirements = { maxShoppers: 10, rowCap: 1, noiseStd: 1, localNoiseStd: 1, modulusBits: 32, [field]: value };
    expect(() => solveGrid(requirements)).toThrow(expect.objectContaining({ code: 'privacy.invalid', message: expect.stringContaining(field) as string }) as Error);
  });

  it('is solved together with the noise, which then meets the promise on that very grid', () => {
    const plan = { epsilon: 1, delta: 1e-5, rounds: 3, clipNorm: 1, rowCap: 0.06, length: 40_000, maxShoppers: 26_000, maxParticipants: 20, modulusBits: 32 };
    for (const honestShares of [1, 15]) {
      const { gridScale, noiseStd, localNoiseStd } = calibrateGrid({ ...plan, honestShares });
      expect(skellamEpsilon({ ...plan, gridScale, noiseStd })).toBeLessThanOrEqual(1);
      expect(skellamEpsilon({ ...plan, gridScale, noiseStd: noiseStd * 0.999 })).toBeGreaterThan(1);
      expect(localNoiseStd * Math.sqrt(honestShares)).toBeCloseTo(noiseStd, 12);
      expect(plan.maxShoppers * gridScale * plan.rowCap + 8 * gridScale * localNoiseStd * Math.sqrt(20)).toBeLessThan(2 ** 31);
    }
  });
});
