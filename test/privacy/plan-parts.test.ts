import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { gaussianEpsilon } from '../../shared/privacy/accounting/gaussian.ts';
import { clipBitCoordinate, clipBitFraction, nextClipNorm, planAdaptiveClip, valueNoiseMultiplier } from '../../shared/privacy/adaptive-clip.ts';
import { clopperPearson, membershipEpsilonLowerBound, oneRunEpsilonLowerBound, oneRunPValue } from '../../shared/privacy/audit.ts';
import { noiseShares, residualVariance, shortfallVariance } from '../../shared/privacy/xnoise.ts';
import { addClipped, emptySum } from '../../shared/privacy/clip.ts';
import { seededRandom, uniform53 } from '../../shared/numerics/random.ts';
import { skellamSampler } from '../../shared/privacy/skellam-sampler.ts';
import { createSparseVector } from '../../shared/numerics/sparse-vector.ts';

const infeasible = expect.objectContaining({ code: 'privacy.infeasible' }) as Error;

describe('adaptive clipping', () => {
  it('vector and bit together are one release of the multiplier that was split', () => {
    const [noiseMultiplier, countStd, clipNorm] = [2, 10, 0.3];
    const valueNoise = valueNoiseMultiplier({ noiseMultiplier, countStd });
    const coordinate = clipBitCoordinate({ within: true, clipNorm, countStd, valueNoise });
    expect(Math.hypot(clipNorm, coordinate)).toBeCloseTo((valueNoise * clipNorm) / noiseMultiplier, 12);
  });

  it('the summed coordinate gives the fraction back', () => {
    const shape = { clipNorm: 0.3, countStd: 5, valueNoise: 1.1 };
    let coordinate = 0;
    for (let i = 0; i < 100; i += 1) coordinate += clipBitCoordinate({ ...shape, within: i < 37 });
    expect(clipBitFraction({ ...shape, coordinate, contributors: 100 })).toBeCloseTo(0.37, 12);
  });

  it('is refused for cohorts in which the bit would cost too much', () => {
    expect(() => planAdaptiveClip({ noiseMultiplier: 4, cohort: 50 })).toThrow(infeasible);
    expect(() => planAdaptiveClip({ noiseMultiplier: 4, cohort: 70 })).toThrow('expected enough contributors');
    const plan = planAdaptiveClip({ noiseMultiplier: 4, cohort: 1000 });
    expect(plan.countStd).toBe(50);
    expect(plan.inflation).toBeLessThan(1.01);
  });

  it('moves the clip norm towards the quantile', () => {
    const step = { clipNorm: 1, quantile: 0.5, rate: 0.2 };
    expect(nextClipNorm({ ...step, noisyFraction: 0.9 })).toBeLessThan(1);
    expect(nextClipNorm({ ...step, noisyFraction: 0.1 })).toBeGreaterThan(1);
    expect(nextClipNorm({ ...step, noisyFraction: 0.5 })).toBe(1);
    expect(() => nextClipNorm({ ...step, noisyFraction: NaN })).toThrow('noisyFraction');
  });
});

describe('noise that survives dropouts', () => {
  it('leaves exactly the central variance for every number of dropouts it tolerates', () => {
    for (const [participants, tolerated] of [[3, 1], [16, 4], [40, 20], [5, 0]]) {
      const shares = noiseShares({ participants, tolerated, centralVariance: 9 });
      for (let dropped = 0; dropped <= tolerated; dropped += 1) {
        expect(residualVariance({ participants, shares, dropped })).toBeCloseTo(9, 12);
      }
      const all = shares.components.reduce((sum, value) => sum + value, shares.base);
      expect(all).toBeCloseTo(9 / (participants - tolerated), 12);
    }
  });

  it('leaves at least the central variance, and no more than a component too many brings, where one makes up for several dropouts', () => {
    const cohort = fc.tuple(fc.integer({ min: 2, max: 500 }), fc.nat(), fc.integer({ min: 1, max: 60 }), fc.nat());
    fc.assert(fc.property(cohort, ([participants, some, dropoutStep, others]) => {
      const tolerated = some % participants;
      const dropped = others % (tolerated + 1);
      const shares = noiseShares({ participants, tolerated, centralVariance: 9, dropoutStep });
      expect(shares.components.length).toBe(Math.ceil(tolerated / dropoutStep));
      const residual = residualVariance({ participants, shares, dropped, dropoutStep });
      expect(residual).toBeGreaterThanOrEqual(9 * (1 - 1e-12));
      expect(residual).toBeLessThanOrEqual(9 * (1 + (dropoutStep - 1) / (participants - tolerated)) * (1 + 1e-12));
      // Nobody adds more than where every dropout has a component of its own.
      expect(shares.components.reduce((sum, value) => sum + value, shares.base)).toBeCloseTo(9 / (participants - tolerated), 10);
    }), { numRuns: 2_000 });
  });

  it('without components the variance falls with every dropout', () => {
    const shares = noiseShares({ participants: 16, tolerated: 4, centralVariance: 9 });
    expect(shortfallVariance({ participants: 16, shares, dropped: 2 })).toBe(7.875);
  });

  it('refuses to decode beyond what was planned for', () => {
    expect(() => noiseShares({ participants: 4, tolerated: 4, centralVariance: 1 })).toThrow('tolerated');
  });
});

describe('audits', () => {
  it('confidence limits enclose what was seen', () => {
    const { lower, upper } = clopperPearson(30, 100, 0.025);
    expect(lower).toBeCloseTo(0.2124, 4);
    expect(upper).toBeCloseTo(0.3998, 4);
    expect(clopperPearson(0, 50, 0.05).lower).toBe(0);
    expect(clopperPearson(50, 50, 0.05).upper).toBe(1);
  });

  it('a guesser without knowledge refutes nothing, a perfect one refutes much', () => {
    expect(oneRunEpsilonLowerBound({ canaries: 1000, guesses: 1000, correct: 500, delta: 0 })).toBe(0);
    expect(oneRunEpsilonLowerBound({ canaries: 2000, guesses: 2000, correct: 2000, delta: 1e-5 })).toBeGreaterThan(5);
    expect(oneRunPValue({ canaries: 10, guesses: 10, correct: 0, delta: 1e-5 }, 1)).toBe(1);
    expect(membershipEpsilonLowerBound({ runsWith: 100, truePositives: 10, runsWithout: 100, falsePositives: 10, delta: 1e-5 }).epsilon).toBe(0);
  });

  /** Canaries at their own coordinates, each included by a coin; the attacker guesses by half the canary's size. */
  function auditSum(trueSigma: number, canaries: number, seed: number): number {
    const random = seededRandom(seed, 'audit');
    const bounds = { clipNorm: 1, rowCap: 1, gridScale: 1024 };
    const sum = emptySum(canaries);
    const included = Array.from({ length: canaries }, () => uniform53(random) < 0.5);
    const contribution = createSparseVector(1);
    included.forEach((isIn, i) => {
      contribution.clear();
      contribution.add(i, 1);
      if (isIn) addClipped(sum, contribution, bounds);
    });
    const noised = new Int32Array(sum.length);
    if (trueSigma > 0) skellamSampler({ variance: (1024 * trueSigma) ** 2, kind: 'fast' }).fill(noised, random);
    for (let i = 0; i < noised.length; i += 1) noised[i] += sum[i];
    // Only the canaries the attacker is surest of: a fifth at each end.
    const ranked = [...noised.keys()].sort((a, b) => noised[b] - noised[a]);
    const fifth = Math.floor(canaries / 5);
    const correct = ranked.slice(0, fifth).filter((i) => included[i]).length + ranked.slice(-fifth).filter((i) => !included[i]).length;
    return oneRunEpsilonLowerBound({ canaries, guesses: 2 * fifth, correct, delta: 1e-5 });
  }

  it('the mechanism stays below its claim at five seeds', () => {
    const claim = gaussianEpsilon({ sigma: 1, delta: 1e-5 });
    for (let seed = 1; seed <= 5; seed += 1) {
      const bound = auditSum(1, 2000, seed);
      expect(bound).toBeLessThan(claim);
      expect(bound).toBeGreaterThan(0.5);
    }
  });

  it('a quarter of the noise, or none, is found out', () => {
    const claim = gaussianEpsilon({ sigma: 1, delta: 1e-5 });
    expect(auditSum(0.25, 4000, 1)).toBeGreaterThan(claim);
    expect(auditSum(0, 4000, 1)).toBeGreaterThan(5);
  });

  it('refuses counts that cannot be', () => {
    expect(() => oneRunEpsilonLowerBound({ canaries: 10, guesses: 11, correct: 1, delta: 0 })).toThrow('guesses');
    expect(() => oneRunEpsilonLowerBound({ canaries: 10, guesses: 5, correct: 6, delta: 0 })).toThrow('correct');
    expect(() => oneRunEpsilonLowerBound({ canaries: 10, guesses: 5, correct: 5, delta: 0 }, 1.5)).toThrow('significance');
  });
});
