import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noiseMultiplierFor } from '../../shared/privacy/accounting/calibration.ts';
import { rdpToEpsilon, rdpToLogDelta, zcdpEpsilon, zcdpEpsilonSimple, zcdpGaussianEpsilon } from '../../shared/privacy/accounting/conversions.ts';
import { epsilonOf } from '../../shared/privacy/accounting/epsilon.ts';
import type { PrivacyEvent } from '../../shared/privacy/accounting/events.ts';
import { composedSigma, gaussianDelta, gaussianEpsilon, gaussianSigma } from '../../shared/privacy/accounting/gaussian.ts';
import { laplaceDelta, laplaceRdp } from '../../shared/privacy/accounting/laplace.ts';
import { commonOrders, rdpEpsilon } from '../../shared/privacy/accounting/rdp.ts';
import { logMoment, sampledGaussianLogDelta, sampledGaussianRdp } from '../../shared/privacy/accounting/sampled-gaussian.ts';
import { integerSensitivity, skellamEpsilon, skellamNoiseStd, skellamRdp, skellamReleaseEpsilon } from '../../shared/privacy/accounting/skellam.ts';
import { subsampledRdp } from '../../shared/privacy/accounting/subsampled-rdp.ts';
import { skellamProbability } from './skellam-law.ts';

const gaussian = (sigma: number, sampling: number, count: number): PrivacyEvent => ({ kind: 'gaussian', sigma, sampling, count });
const invalid = (field: string): Error => expect.objectContaining({ code: 'privacy.invalid', message: expect.stringContaining(`${field}: expected`) as string }) as Error;

describe('the exact Gaussian', () => {
  it('runs as its example says', () => {
    expect(gaussianEpsilon({ sigma: 1, delta: 1e-5 })).toBeCloseTo(4.37718, 5);
  });

  it('inverts itself over many magnitudes', () => {
    fc.assert(fc.property(fc.double({ min: -2, max: 5, noNaN: true }), fc.double({ min: -60, max: -1, noNaN: true }), (logSigma, logDelta) => {
      const [sigma, delta] = [10 ** logSigma, 10 ** logDelta];
      const epsilon = gaussianEpsilon({ sigma, delta });
      fc.pre(epsilon > 0);
      expect(Math.abs(gaussianSigma({ epsilon, delta }) / sigma - 1)).toBeLessThan(1e-9);
      expect(gaussianDelta({ sigma, epsilon })).toBeLessThanOrEqual(delta);
    }), { seed: 1 });
  });

  it('keeps its digits where the noise is large and the two tails nearly cancel', () => {
    // sigma epsilon small: delta(0) = erf(1 / (2 sqrt 2 sigma)), about 1 / (sigma sqrt(2 pi)).
    for (const sigma of [1e3, 1e6, 1e9]) expect(gaussianDelta({ sigma, epsilon: 0 }) * sigma * Math.sqrt(2 * Math.PI)).toBeCloseTo(1, 6);
  });

  it('is 0 where delta covers it', () => {
    expect(gaussianEpsilon({ sigma: 1, delta: 0.4 })).toBe(0);
    expect(gaussianEpsilon({ sigma: 1, delta: 0.38 })).toBeGreaterThan(0);
  });

  it('composes by precision', () => {
    expect(composedSigma([{ sigma: 2, count: 3 }, { sigma: 1, count: 1 }])).toBeCloseTo(1 / Math.sqrt(1.75), 14);
    expect(() => composedSigma([])).toThrow(invalid('releases'));
  });

  it.each([['sigma', 0], ['sigma', -1], ['sigma', NaN], ['sigma', Infinity], ['delta', 0], ['delta', 1], ['delta', NaN]])('refuses %s = %d', (field, value) => {
    expect(() => gaussianEpsilon({ sigma: 1, delta: 1e-5, [field]: value })).toThrow(invalid(field));
  });
});

describe('moments of the sampled Gaussian', () => {
  it('the binomial sum at integer orders agrees with the quadrature beside them', () => {
    for (const [sigma, sampling] of [[0.3, 0.02], [1, 0.01], [4, 0.3], [2, 1e-6], [1, 0.99]]) {
      for (const order of [2, 3, 7, 20]) {
        const exact = sampledGaussianRdp(order, { sigma, sampling });
        const beside = (sampledGaussianRdp(order - 1e-7, { sigma, sampling }) + sampledGaussianRdp(order + 1e-7, { sigma, sampling })) / 2;
        expect(Math.abs(beside / exact - 1)).toBeLessThan(1e-11);
      }
    }
  });

  it('keeps relative precision at a rate of 1e-12', () => {
    // log A is q^2 a (a - 1) / 2 (e^(1 / sigma^2) - 1) to first order.
    for (const order of [1.5, 2, 4.5]) {
      expect(logMoment(order, { sigma: 3, sampling: 1e-12 }) / (1e-24 * order * (order - 1) * 0.5 * Math.expm1(1 / 9))).toBeCloseTo(1, 9);
    }
  });

  it('joins the unsampled curve at rate 1 and vanishes at rate 0', () => {
    expect(sampledGaussianRdp(3.5, { sigma: 2, sampling: 1 })).toBe(3.5 / 8);
    expect(sampledGaussianRdp(3.5, { sigma: 2, sampling: 1 - 1e-9 })).toBeCloseTo(3.5 / 8, 7);
    expect(sampledGaussianRdp(3.5, { sigma: 2, sampling: 0 })).toBe(0);
  });

  it('rises with the order and the rate, and falls with the noise', () => {
    const rdp = (order: number, sigma: number, sampling: number): number => sampledGaussianRdp(order, { sigma, sampling });
    fc.assert(fc.property(fc.double({ min: 1.05, max: 30, noNaN: true }), fc.double({ min: 0.3, max: 10, noNaN: true }), fc.double({ min: 1e-6, max: 0.9, noNaN: true }), (order, sigma, sampling) => {
      const value = rdp(order, sigma, sampling);
      expect(rdp(order * 1.05, sigma, sampling)).toBeGreaterThanOrEqual(value * (1 - 1e-10));
      expect(rdp(order, sigma, sampling * 1.05)).toBeGreaterThanOrEqual(value * (1 - 1e-10));
      expect(rdp(order, sigma * 1.05, sampling)).toBeLessThanOrEqual(value * (1 + 1e-10));
    }), { seed: 2, numRuns: 60 });
  });

  it('one release has the Gaussian\'s own curve at rate 1, in both directions', () => {
    for (const direction of ['remove', 'add'] as const) {
      expect(Math.exp(sampledGaussianLogDelta(direction, 0.7, { sigma: 1.3, sampling: 1 }))).toBeCloseTo(gaussianDelta({ sigma: 1.3, epsilon: 0.7 }), 14);
    }
    expect(sampledGaussianLogDelta('remove', 1, { sigma: 1, sampling: 0 })).toBe(-Infinity);
  });

  it.each([[1, 1, 0.1, 'order'], [NaN, 1, 0.1, 'order'], [2, 0, 0.1, 'sigma'], [2, NaN, 0.1, 'sigma'], [2, 1, 1.1, 'sampling'], [2, 1, NaN, 'sampling']])(
    'refuses order %d, sigma %d, rate %d', (order, sigma, sampling, field) => {
      expect(() => sampledGaussianRdp(order, { sigma, sampling })).toThrow(invalid(field));
    });
});

describe('Renyi accounting', () => {
  it('refining the order only lowers the bound', () => {
    const events = [gaussian(0.5, 0.004, 3000)];
    const table = rdpEpsilon(events, 1e-12, { refine: false });
    const refined = rdpEpsilon(events, 1e-12);
    expect(refined.epsilon).toBeLessThan(table.epsilon);
    expect(refined.epsilon).toBeGreaterThan(table.epsilon * 0.99);
    expect(commonOrders).toContain(table.order);
  });

  it('finds orders beyond the table for very small epsilons', () => {
    const { epsilon, order } = rdpEpsilon([gaussian(2000, 1, 1)], 1e-9);
    expect(order).toBeGreaterThan(1024);
    expect(epsilon).toBeLessThan(1.1 * gaussianEpsilon({ sigma: 2000, delta: 1e-9 }) + 1e-3);
  });

  it('keeps a failure probability aside instead of composing it', () => {
    const event: PrivacyEvent = { kind: 'pure', epsilon: 0.1, delta: 1e-6, count: 10 };
    expect(rdpEpsilon([event], 9e-6).epsilon).toBe(Infinity);
    expect(rdpEpsilon([event], 1e-4).epsilon).toBeLessThanOrEqual(1);
  });

  it('the Laplace curve starts at the divergence and ends at the pure epsilon', () => {
    expect(laplaceRdp(1, 2)).toBeCloseTo(laplaceRdp(1 + 1e-7, 2), 6);
    expect(laplaceRdp(1e6, 2)).toBeCloseTo(0.5, 4);
    expect(laplaceDelta(0.5, 2)).toBe(0);
    expect(laplaceDelta(0, 2)).toBeCloseTo(1 - Math.exp(-0.25), 14);
  });

  it('conversions invert each other and bound the exact Gaussian from above', () => {
    for (const order of [1.5, 4, 60]) {
      const epsilon = rdpToEpsilon(order, 0.3 * order, 1e-7);
      expect(rdpToLogDelta(order, 0.3 * order, epsilon)).toBeCloseTo(Math.log(1e-7), 9);
    }
    for (const [rho, delta] of [[0.01, 1e-9], [0.5, 1e-6], [30, 1e-3], [1e-8, 0.1], [1e6, 0.1]]) {
      const [exact, tight, simple] = [zcdpGaussianEpsilon(rho, delta), zcdpEpsilon(rho, delta), zcdpEpsilonSimple(rho, delta)];
      expect(exact).toBeLessThanOrEqual(tight);
      expect(tight).toBeLessThanOrEqual(simple);
    }
    expect(zcdpEpsilon(0, 1e-6)).toBe(0);
  });
});

describe('the Skellam bound', () => {
  /** Renyi divergence of a shifted one-dimensional Skellam, by summation. */
  function exactRdp(order: number, variance: number, shift: number): number {
    const probability = skellamProbability(variance);
    const reach = Math.ceil(order * shift + 14 * Math.sqrt(variance) + 20);
    let sum = 0;
    for (let k = -reach; k <= reach; k += 1) {
      const [p, q] = [probability(k), probability(k - shift)];
      if (p > 1e-290 && q > 1e-290) sum += Math.exp(order * Math.log(q) + (1 - order) * Math.log(p));
    }
    return Math.log(sum) / (order - 1);
  }

  it('is never below the true divergence in one dimension, and close to it when the noise is wide', () => {
    for (const [variance, shift] of [[2, 1], [8, 2], [30, 3], [200, 10], [2000, 10]]) {
      for (const order of [2, 3, 5, 8]) {
        const bound = skellamRdp(order, { l2: shift, l1: shift, variance });
        const exact = exactRdp(order, variance, shift);
        expect(bound).toBeGreaterThanOrEqual(exact);
        if (variance >= 2000) expect(bound).toBeLessThan(1.02 * exact);
      }
    }
  });

  it('composes and approaches the Gaussian as the grid gets finer', () => {
    const plan = { clipNorm: 1, length: 1000, rounds: 5, delta: 1e-6, noiseStd: 3 };
    const coarse = skellamEpsilon({ ...plan, gridScale: 1 });
    const fine = skellamEpsilon({ ...plan, gridScale: 4096 });
    expect(coarse).toBeGreaterThan(fine);
    expect(fine / rdpEpsilon([{ kind: 'zcdp', rho: 5 / 18, count: 1 }], 1e-6, { orders: Array.from({ length: 200 }, (_, i) => i + 2), refine: false }).epsilon).toBeCloseTo(1, 5);
  });

  it('calibrated noise keeps the promise, and a thousandth less does not', () => {
    fc.assert(fc.property(fc.double({ min: 0.05, max: 12, noNaN: true }), fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 14 }), (epsilon, rounds, exponent) => {
      const plan = { delta: 1e-6, clipNorm: 0.8, gridScale: 2 ** exponent, length: 5000, rounds };
      const noiseStd = skellamNoiseStd({ ...plan, epsilon });
      expect(skellamEpsilon({ ...plan, noiseStd })).toBeLessThanOrEqual(epsilon);
      expect(skellamEpsilon({ ...plan, noiseStd: noiseStd * 0.999 })).toBeGreaterThan(epsilon);
    }), { seed: 3, numRuns: 40 });
  });

  it('integer vectors have the sensitivities of integers', () => {
    expect(integerSensitivity(10, 4)).toEqual({ l2: 10, l1: 20 });
    expect(integerSensitivity(2, 100)).toEqual({ l2: 2, l1: 4 });
  });

  it('sampling amplifies, and never hurts', () => {
    const release = { l2: 100, l1: 10_000, variance: 250_000 };
    const at = (sampling: number): number => skellamReleaseEpsilon(release, { rounds: 200, delta: 1e-6, sampling, orders: Array.from({ length: 64 }, (_, i) => i + 2) }).epsilon;
    expect(at(0.01)).toBeLessThan(at(0.1));
    expect(at(0.1)).toBeLessThan(at(1));
    expect(subsampledRdp(5, 0, (order) => order)).toBe(0);
    expect(subsampledRdp(5, 0.9, (order) => order)).toBeLessThanOrEqual(5);
    expect(subsampledRdp(5, 1, (order) => order)).toBe(5);
  });

  it('the sampled bound lies above the exact sampled Gaussian it approximates', () => {
    for (const sampling of [1e-10, 0.001, 0.05, 0.5]) {
      for (const order of [2, 4, 16]) {
        expect(subsampledRdp(order, sampling, (at) => at / 8)).toBeGreaterThanOrEqual(sampledGaussianRdp(order, { sigma: 2, sampling }) * (1 - 1e-12));
      }
    }
  });

  it.each([['clipNorm', 0], ['gridScale', 3], ['length', 0], ['rounds', 0], ['delta', 1], ['epsilon', -1], ['epsilon', NaN]])('refuses %s = %d', (field, value) => {
    expect(() => skellamNoiseStd({ epsilon: 1, delta: 1e-5, clipNorm: 1, gridScale: 16, length: 10, rounds: 1, [field]: value })).toThrow(invalid(field));
  });
});

describe('calibration of Gaussian noise', () => {
  it('runs as its example says', () => {
    expect(noiseMultiplierFor({ epsilon: 2, delta: 1e-5, rounds: 1000, sampling: 0.01 })).toBeCloseTo(0.9591, 4);
  });

  it('meets the promise, needs less than Renyi accounting, and no less would do', () => {
    for (const target of [{ epsilon: 1, delta: 1e-6, rounds: 100, sampling: 0.05 }, { epsilon: 0.5, delta: 1e-6, rounds: 10, sampling: 1 }]) {
      const at = (sigma: number): number => epsilonOf([gaussian(sigma, target.sampling, target.rounds)], target.delta, { crossCheck: false }).epsilon;
      const sigma = noiseMultiplierFor(target);
      expect(at(sigma)).toBeLessThanOrEqual(target.epsilon);
      expect(at(sigma * 0.999)).toBeGreaterThan(target.epsilon);
      expect(sigma).toBeLessThan(noiseMultiplierFor(target, 'rdp'));
    }
  });

  it.each([['epsilon', 0], ['epsilon', NaN], ['delta', 0], ['delta', 1], ['rounds', 0], ['rounds', 1.5], ['sampling', 0], ['sampling', 1.1], ['sampling', NaN]])('refuses %s = %d', (field, value) => {
    expect(() => noiseMultiplierFor({ epsilon: 1, delta: 1e-5, rounds: 10, sampling: 0.1, [field]: value })).toThrow(invalid(field));
  });
});
