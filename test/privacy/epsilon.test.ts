import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contourEpsilon } from '../../shared/privacy/accounting/contour.ts';
import { epsilonOf } from '../../shared/privacy/accounting/epsilon.ts';
import type { PrivacyEvent, GaussianEvent } from '../../shared/privacy/accounting/events.ts';
import { gaussianEpsilon } from '../../shared/privacy/accounting/gaussian.ts';
import { pldEpsilon } from '../../shared/privacy/accounting/pld.ts';
import { rdpEpsilon } from '../../shared/privacy/accounting/rdp.ts';
import { sampledGaussianLogDelta } from '../../shared/privacy/accounting/sampled-gaussian.ts';

const gaussian = (sigma: number, sampling: number, count: number): GaussianEvent => ({ kind: 'gaussian', sigma, sampling, count });
const quick = (events: readonly PrivacyEvent[], delta: number): number => epsilonOf(events, delta, { crossCheck: false }).epsilon;

describe('two tight engines', () => {
  it.each([
    [1, 0.01, 1000, 1e-5], [0.3, 0.01, 100, 1e-6], [0.7, 0.001, 20_000, 1e-7], [5, 0.1, 10_000, 1e-6], [0.8, 0.1, 2, 1e-6],
    [1, 0.9, 10, 1e-5], [0.3, 0.5, 10, 1e-30], [0.3, 0.01, 10_000, 1e-30], [200, 0.1, 10, 1e-6], [0.3, 1e-6, 1_000_000, 1e-12],
  ])('agree at sigma %d, rate %d, %i rounds, delta %d', (sigma, sampling, count, delta) => {
    const events = [gaussian(sigma, sampling, count)];
    const bound = rdpEpsilon(events, delta);
    const contour = contourEpsilon(events, 'remove', delta, bound);
    const pld = pldEpsilon(events, 'remove', delta, bound.epsilon);
    expect(contour).toBeDefined();
    // The loss distribution is pessimistic; the two grids together are closer.
    expect(pld.epsilon).toBeGreaterThan((contour as number) * (1 - 1e-9));
    expect(pld.epsilon).toBeLessThan((contour as number) * 1.002);
    expect(Math.abs(pld.estimate / (contour as number) - 1)).toBeLessThan(3e-4);
    expect(contour).toBeLessThan(bound.epsilon);
  });

  it('agree in the other direction of adjacency', () => {
    const events = [gaussian(2, 0.25, 50)];
    const bound = rdpEpsilon(events, 1e-5);
    const contour = contourEpsilon(events, 'add', 1e-5, bound) as number;
    expect(Math.abs(pldEpsilon(events, 'add', 1e-5, bound.epsilon).estimate / contour - 1)).toBeLessThan(1e-5);
    expect(contour).toBeLessThan(contourEpsilon(events, 'remove', 1e-5, bound) as number);
  });

  it('agree with the closed form of unsampled Gaussians', () => {
    const events = [gaussian(20, 1, 2000)];
    const bound = rdpEpsilon(events, 1e-10);
    const exact = gaussianEpsilon({ sigma: 20 / Math.sqrt(2000), delta: 1e-10 });
    expect(Math.abs((contourEpsilon(events, 'remove', 1e-10, bound) as number) / exact - 1)).toBeLessThan(1e-10);
    const pld = pldEpsilon(events, 'remove', 1e-10, bound.epsilon);
    expect(pld.epsilon).toBeGreaterThan(exact * (1 - 1e-9));
    expect(Math.abs(pld.estimate / exact - 1)).toBeLessThan(1e-6);
  });

  it('agree with the closed form of one sampled release', () => {
    const event = gaussian(0.8, 0.1, 1);
    const pld = pldEpsilon([event], 'remove', 1e-6, rdpEpsilon([event], 1e-6).epsilon);
    expect(sampledGaussianLogDelta('remove', pld.estimate, event)).toBeCloseTo(Math.log(1e-6), 2);
    expect(sampledGaussianLogDelta('remove', pld.epsilon, event)).toBeLessThan(Math.log(1e-6));
  });
});

describe('epsilonOf', () => {
  it('runs as its example says, with both engines reported', () => {
    const report = epsilonOf([gaussian(1, 0.01, 1000)], 1e-5);
    expect(report.epsilon).toBeCloseTo(1.82824, 5);
    expect(report.engine).toBe('contour');
    expect(report.epsilon).toBeLessThan(report.rdp);
    expect(report.pld).toBeGreaterThan(1.8282366);
  });

  it('reports the least of the sound bounds and says which', () => {
    expect(epsilonOf([gaussian(1, 1, 5), gaussian(2, 1, 7)], 1e-6).engine).toBe('exact');
    expect(epsilonOf([{ kind: 'laplace', scale: 1, count: 1 }], 1e-5)).toMatchObject({ engine: 'exact', epsilon: 1 + 2 * Math.log1p(-1e-5) });
    expect(epsilonOf([{ kind: 'laplace', scale: 10, count: 50 }], 1e-6).engine).toBe('pld');
    expect(epsilonOf([{ kind: 'pure', epsilon: 0.5, delta: 0, count: 100 }], 1e-6).engine).toBe('pld');
    expect(epsilonOf([{ kind: 'zcdp', rho: 0.1, count: 1 }, gaussian(1, 0.1, 10)], 1e-6).engine).toBe('rdp');
    expect(epsilonOf([{ kind: 'skellam', l2: 100, l1: 1e4, variance: 1e6, sampling: 1, count: 3 }], 1e-6).engine).toBe('rdp');
  });

  it('composes pure releases better than by adding them up, and never worse', () => {
    expect(quick([{ kind: 'pure', epsilon: 0.1, delta: 0, count: 400 }], 1e-6)).toBeLessThan(40 * 0.4);
    expect(quick([{ kind: 'pure', epsilon: 1, delta: 0, count: 1 }], 1e-9)).toBeLessThanOrEqual(1);
    // Two randomised responses at the best epsilon: the curve of (e0 = 1) has atoms at 2, 0 and -2.
    const delta = 1e-3;
    const top = (1 / (1 + Math.exp(-1))) ** 2;
    expect(quick([{ kind: 'pure', epsilon: 1, delta: 0, count: 2 }], delta)).toBeCloseTo(2 + Math.log1p(-delta / top), 6);
  });

  it('covers the far corners: a million rounds, tiny rates and deltas, little noise', () => {
    // Values of a 45-digit contour integral.
    const rare = quick([gaussian(0.5, 1e-6, 1_000_000)], 1e-9) / 0.5628450731787;
    expect(rare).toBeGreaterThan(1);
    expect(rare).toBeLessThan(1.002);
    const many = quick([gaussian(0.6, 1e-4, 1_000_000)], 1e-12) / 4.9997519023;
    expect(many).toBeGreaterThan(1);
    expect(many).toBeLessThan(1 + 2e-6);
    // Here moments mislead (Renyi accounting says 0.061), and the distribution of losses does not.
    const frequent = quick([gaussian(5, 1e-3, 100)], 1e-12) / 0.01249;
    expect(frequent).toBeGreaterThan(1);
    expect(frequent).toBeLessThan(1.002);
    expect(quick([gaussian(0.3, 1, 1)], 1e-30)).toBeCloseTo(43.33593968817, 8);
    // One participation is seen through so little noise: epsilon is far above 1 / (2 sigma^2) = 1250, and finite.
    const plain = quick([gaussian(0.02, 0.01, 3)], 1e-5);
    expect(plain).toBeGreaterThan(1250);
    expect(plain).toBeLessThan(1250 * 4);
  });

  it('never reports less than a single release of the composition costs', () => {
    fc.assert(fc.property(fc.double({ min: 0.4, max: 4, noNaN: true }), fc.double({ min: 0.01, max: 0.9, noNaN: true }), fc.integer({ min: 2, max: 200 }), fc.double({ min: -9, max: -3, noNaN: true }), (sigma, sampling, count, logDelta) => {
      const delta = 10 ** logDelta;
      const whole = quick([gaussian(sigma, sampling, count)], delta);
      expect(whole).toBeGreaterThanOrEqual(quick([gaussian(sigma, sampling, 1)], delta) * (1 - 1e-9));
      expect(whole).toBeLessThanOrEqual(rdpEpsilon([gaussian(sigma, sampling, count)], delta).epsilon);
    }), { seed: 4, numRuns: 8 });
  });

  it('rises with rounds and rate, falls with noise and delta', () => {
    const base = quick([gaussian(1, 0.05, 100)], 1e-6);
    expect(quick([gaussian(1, 0.05, 110)], 1e-6)).toBeGreaterThan(base);
    expect(quick([gaussian(1, 0.055, 100)], 1e-6)).toBeGreaterThan(base);
    expect(quick([gaussian(1.05, 0.05, 100)], 1e-6)).toBeLessThan(base);
    expect(quick([gaussian(1, 0.05, 100)], 2e-6)).toBeLessThan(base);
  });

  it('does not depend on the order or the grouping of events', () => {
    const parts = [gaussian(1, 0.02, 30), gaussian(0.8, 0.05, 20), gaussian(5, 1, 3)];
    const value = quick(parts, 1e-6);
    expect(quick([...parts].reverse(), 1e-6)).toBeCloseTo(value, 9);
    expect(quick([gaussian(1, 0.02, 10), gaussian(1, 0.02, 20), ...parts.slice(1)], 1e-6)).toBeCloseTo(value, 9);
  });

  it('nothing, or a rate of 0, costs nothing', () => {
    expect(epsilonOf([], 1e-6).epsilon).toBe(0);
    expect(epsilonOf([gaussian(1, 0, 1000)], 1e-6).epsilon).toBe(0);
    expect(epsilonOf([gaussian(1000, 0.01, 1)], 0.1).epsilon).toBe(0);
  });

  it('a failure probability of its own is taken from delta, and beyond delta there is no epsilon', () => {
    const event: PrivacyEvent = { kind: 'pure', epsilon: 0.1, delta: 1e-7, count: 5 };
    expect(quick([event], 1e-6)).toBeLessThanOrEqual(0.5);
    expect(quick([event], 4e-7)).toBe(Infinity);
  });

  const malformed: [string, PrivacyEvent][] = [
    ['sigma', gaussian(0, 0.1, 1)], ['sigma', gaussian(NaN, 0.1, 1)], ['sampling', gaussian(1, 1.5, 1)], ['sampling', gaussian(1, NaN, 1)], ['count', gaussian(1, 0.1, 0)],
    ['count', gaussian(1, 0.1, 2.5)], ['scale', { kind: 'laplace', scale: -1, count: 1 }], ['rho', { kind: 'zcdp', rho: -1, count: 1 }], ['epsilon', { kind: 'pure', epsilon: NaN, delta: 0, count: 1 }],
    ['delta', { kind: 'pure', epsilon: 1, delta: 1, count: 1 }], ['variance', { kind: 'skellam', l2: 1, l1: 1, variance: 0, sampling: 1, count: 1 }],
  ];
  it.each(malformed)('refuses an event with a bad %s', (field, event) => {
    expect(() => epsilonOf([event], 1e-6)).toThrow(expect.objectContaining({ code: 'privacy.invalid', message: expect.stringContaining(field) as string }) as Error);
  });

  it.each([0, 1, -1, NaN, Infinity])('refuses delta %d', (delta) => {
    expect(() => epsilonOf([gaussian(1, 0.1, 1)], delta)).toThrow('delta: expected a number strictly between 0 and 1');
  });
});
