import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portableDecay, portableLog } from '../../shared/recommender/portable-math.ts';

describe('portable mathematics', () => {
  it('agrees with the logarithm of the engine', () => {
    fc.assert(fc.property(fc.double({ min: 1, max: 1e12, noNaN: true }), (x) => {
      expect(portableLog(x)).toBeCloseTo(Math.log(x), 12);
    }));
    expect(portableLog(1)).toBe(0);
  });

  it('agrees with the exponential of the engine, relative to its size', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 700, noNaN: true }), (x) => {
      expect(portableDecay(x) / Math.exp(-x)).toBeCloseTo(1, 10);
    }));
    expect(portableDecay(0)).toBe(1);
    expect(portableDecay(1e6)).toBe(0);
    expect(portableDecay(Infinity)).toBe(0);
  });
});
