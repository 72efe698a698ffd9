import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom, secureRandom } from '../../shared/numerics/random.ts';
import { addNoiseBlock, drawNoiseBlock } from '../../shared/privacy/noise.ts';
import { discreteGaussianSampler } from '../../shared/privacy/discrete-gaussian-sampler.ts';
import { discreteGaussianDelta, discreteGaussianNormaliser, discreteGaussianVariance, distributedDiscreteGaussianRdp } from '../../shared/privacy/accounting/discrete-gaussian.ts';
import { gaussianDelta } from '../../shared/privacy/accounting/gaussian.ts';
import { skellamReleaseEpsilon } from '../../shared/privacy/accounting/skellam.ts';
import { addDense, decodeDense, denseSensitivity, solveDense } from '../../shared/privacy/dense.ts';
import { emptySum } from '../../shared/privacy/clip.ts';
import { heuristicScale, roundedNormBound } from '../../shared/privacy/rounding.ts';
import { paddedLength, rotate, unrotate, walshHadamard } from '../../shared/privacy/rotation.ts';
import { chiSquareDeviation, isPlausible } from '../../shared/privacy/noise-test.ts';

describe('the rotation', () => {
  it('keeps norms, undoes itself, and flattens a spike', () => {
    const spike = new Float64Array(1000);
    spike[17] = 1;
    const rotated = rotate(spike, 9);
    expect(rotated).toHaveLength(1024);
    expect(Math.hypot(...rotated)).toBeCloseTo(1, 12);
    for (const value of rotated) expect(Math.abs(value)).toBeCloseTo(1 / 32, 12);
    unrotate(rotated, 9, 1000).forEach((value, i) => expect(value).toBeCloseTo(spike[i], 12));
    const wave = Float64Array.from({ length: 64 }, (_, i) => Math.sin(i));
    expect(rotate(wave, 10)).not.toEqual(rotate(wave, 9));
  });

  it('a Walsh-Hadamard transform is its own inverse', () => {
    const vector = Float64Array.from({ length: 64 }, (_, i) => Math.sin(i));
    const copy = vector.slice();
    walshHadamard(copy);
    walshHadamard(copy);
    copy.forEach((value, i) => expect(value).toBeCloseTo(vector[i], 13));
    expect(paddedLength(5)).toBe(8);
  });
});

describe('dense contributions', () => {
  it('never exceed the rounded norm, whatever they hold', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double()), { minLength: 3, maxLength: 40 }), fc.double({ min: 0.01, max: 10, noNaN: true }), fc.integer({ min: 0, max: 20 }), (values, clipNorm, exponent) => {
      const scale = 2 ** exponent;
      const sum = new Int32Array(paddedLength(values.length));
      addDense(sum, Float64Array.from(values), { clipNorm, scale, rotationSeed: 1 }, seededRandom(1, 'dense'));
      expect(Math.hypot(...sum)).toBeLessThanOrEqual(denseSensitivity(clipNorm, scale, values.length).l2 * (1 + 1e-12));
    }), { seed: 5, numRuns: 300 });
  });

  it('come back as their clipped sum', () => {
    const bounds = { clipNorm: 1, scale: 2000, rotationSeed: 5 };
    const random = seededRandom(2, 'round');
    const vector = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i));
    const norm = Math.hypot(...vector);
    const sum = new Int32Array(1024);
    for (let shopper = 0; shopper < 50; shopper += 1) addDense(sum, vector, bounds, random);
    const decoded = decodeDense(sum, bounds, 20, 1000);
    // The error of a coordinate has standard deviation of at most sqrt(50) / 2 steps.
    decoded.forEach((value, i) => expect(Math.abs(value - (50 * vector[i]) / norm) * 2000).toBeLessThan(6 * Math.sqrt(50) / 2));
  });

  it('survive the wrap of the modulus as long as the sum fits', () => {
    const bounds = { clipNorm: 1, scale: 100, rotationSeed: 6 };
    const sum = new Int32Array(16);
    addDense(sum, new Float64Array(16).fill(0.25), bounds, seededRandom(3, 'wrap'));
    const wrapped = sum.map((value) => value + 7 * 2 ** 12);
    expect([...decodeDense(wrapped, bounds, 12, 16)]).toEqual([...decodeDense(sum, bounds, 12, 16)]);
  });

  it('a vector with NaN counts as zero', () => {
    const sum = new Int32Array(4);
    addDense(sum, Float64Array.of(1, NaN, 2), { clipNorm: 1, scale: 100, rotationSeed: 1 }, seededRandom(1, 'nan'));
    expect([...sum]).toEqual([0, 0, 0, 0]);
    expect(() => addDense(sum, new Float64Array(9), { clipNorm: 1, scale: 1, rotationSeed: 1 }, seededRandom(1, 'x'))).toThrow('sum: expected a length of 16, got 4');
  });
});

describe('bits, scale and noise of dense contributions', () => {
  it('meet the promise on their own grid with little more noise than none would need', () => {
    for (const [epsilon, maxShoppers] of [[8, 100], [2, 100], [2, 5000], [1, 100_000]]) {
      const { bits, scale, noiseStd, inflation } = solveDense({ epsilon, delta: 1e-5, rounds: 100, clipNorm: 1, length: 4000, maxShoppers });
      const release = { ...denseSensitivity(1, scale, 4000), variance: (scale * noiseStd) ** 2 };
      expect(skellamReleaseEpsilon(release, { rounds: 100, delta: 1e-5 }).epsilon).toBeLessThanOrEqual(epsilon);
      expect(inflation).toBeLessThanOrEqual(1.05);
      expect(bits).toBeLessThanOrEqual(24);
      // Four standard deviations of the rotated sum stay inside the modulus.
      expect(4 * scale * Math.sqrt(maxShoppers ** 2 / 4096 + noiseStd ** 2)).toBeLessThan(2 ** (bits - 1));
    }
  });

  it('count shoppers: more of them need more bits', () => {
    const bits = (maxShoppers: number): number => solveDense({ epsilon: 2, delta: 1e-6, rounds: 10, clipNorm: 1, length: 1000, maxShoppers }).bits;
    expect(bits(1_000_000)).toBeGreaterThan(bits(1000));
  });

  it('throw instead of returning a useless scale', () => {
    expect(() => solveDense({ epsilon: 0.01, delta: 1e-9, rounds: 1000, clipNorm: 1e-3, length: 1 << 20, maxShoppers: 10_000_000, largestInflation: 1.0000001 })).toThrow(expect.objectContaining({ code: 'privacy.infeasible' }) as Error);
    expect(() => heuristicScale({ vectors: 1_000_000, clipNorm: 1, noiseStd: 1, length: 10, bits: 11 })).toThrow(expect.objectContaining({ code: 'privacy.infeasible' }) as Error);
  });

  it('rounding inflates a norm by at most sqrt(d), and beta 0 is the certain bound', () => {
    expect(roundedNormBound(10, 1024, 0)).toBe(42);
    expect(roundedNormBound(1000, 4096)).toBeLessThan(1064);
    expect(() => roundedNormBound(10, 10, 1)).toThrow('beta');
  });
});

describe('the exact discrete Gaussian', () => {
  it.each([1, 4, 100, 6400])('has its histogram at variance %i', (variance) => {
    const samples = new Int32Array(100_000);
    discreteGaussianSampler({ variance }).fill(samples, seededRandom(8, `gauss ${variance}`));
    const normaliser = discreteGaussianNormaliser(variance);
    const probability = (x: number): number => Math.exp(-(x * x) / (2 * variance)) / normaliser;
    expect(isPlausible(chiSquareDeviation(samples, probability, Math.ceil(7 * Math.sqrt(variance))))).toBe(true);
    expect(isPlausible(chiSquareDeviation(samples, (x) => probability(x - Math.ceil(Math.sqrt(variance) / 10)), Math.ceil(7 * Math.sqrt(variance))))).toBe(false);
  });

  it('has the variance of the largest parameter', () => {
    const variance = 1 << 25;
    const samples = new Int32Array(200_000);
    discreteGaussianSampler({ variance }).fill(samples, seededRandom(9, 'large'));
    const ratio = samples.reduce((sum, value) => sum + value * value, 0) / samples.length / variance;
    expect(isPlausible((ratio - 1) / Math.sqrt(2 / samples.length))).toBe(true);
  });

  it('serves as central noise on the same grid', () => {
    const words = seededRandom(1, 'central');
    const random = secureRandom((bytes) => { for (let i = 0; i < bytes.length; i += 1) bytes[i] = words.nextUint32(); });
    const noised = addNoiseBlock(emptySum(1000), drawNoiseBlock(1000, discreteGaussianSampler({ variance: 400 }), random));
    expect(new Set(noised).size).toBeGreaterThan(50);
  });

  it.each([0, 1.5, NaN, -4, (1 << 25) + 1])('refuses variance %d', (variance) => {
    expect(() => discreteGaussianSampler({ variance })).toThrow('variance: expected an integer in 1..33554432');
  });

  it('approaches the Gaussian curve as it widens', () => {
    expect(discreteGaussianDelta({ variance: 1e6, sensitivity: 1000, epsilon: 1 }) / gaussianDelta({ sigma: 1, epsilon: 1 })).toBeCloseTo(1, 2);
    expect(discreteGaussianVariance(50)).toBeCloseTo(50, 9);
  });

  it('a sum of many parties costs what one Gaussian does, until their noise is narrow', () => {
    const mechanism = { parties: 20, l2: 100, l1: 10_000, length: 256 };
    expect(distributedDiscreteGaussianRdp(4, { ...mechanism, localVariance: 100 })).toBeCloseTo((4 * 100 ** 2) / (2 * 2000), 9);
    expect(distributedDiscreteGaussianRdp(4, { ...mechanism, localVariance: 0.25 })).toBeGreaterThan(1.2 * (4 * 100 ** 2) / (2 * 5));
  });
});
