/**
 * What few bits cost: the mean-squared error of a private sum of dense vectors over the 16-bit ring (rotated, rounded at
 * random, Skellam noise) over that of continuous Gaussian noise at the same epsilon, measured on random vectors.
 */
import { noiseMultiplierFor } from '../../shared/privacy/accounting/calibration.ts';
import { addDense, decodeDense, solveDense } from '../../shared/privacy/dense.ts';
import { paddedLength } from '../../shared/privacy/rotation.ts';
import { skellamSampler } from '../../shared/privacy/skellam-sampler.ts';
import { seededRandom, type SeededRandom } from '../../shared/numerics/random.ts';

export interface DenseBench {
  readonly bits: number;
  readonly vectors: number;
  readonly length: number;
  /** Mean-squared errors over that of a Gaussian accounted the same way (Renyi), and by its exact curve. */
  readonly mseRatio: number;
  readonly mseRatioToExactGaussian: number;
  /** How far chance alone moves the ratios: one standard error. */
  readonly standardError: number;
}

const [vectors, length, repeats] = [100, 4096, 12];
const promise = { epsilon: 8, delta: 1e-5, rounds: 100, sampling: 1 };

export function benchDense(bits = 16): DenseBench {
  const plan = solveDense({ ...promise, clipNorm: 1, length, maxShoppers: vectors, bits, largestInflation: 1.02 });
  const random = seededRandom(1, 'dense bench');
  const bounds = { clipNorm: 1, scale: plan.scale, rotationSeed: 5 };
  const sampler = skellamSampler({ variance: (plan.scale * plan.noiseStd) ** 2, kind: 'fast' });
  let squares = 0;
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const exact = new Float64Array(length);
    const sum = new Int32Array(paddedLength(length));
    sampler.fill(sum, random);
    for (let vector = 0; vector < vectors; vector += 1) {
      const value = unitVector(random);
      value.forEach((entry, at) => (exact[at] += entry));
      addDense(sum, value, bounds, random);
    }
    decodeDense(sum, bounds, plan.bits, length).forEach((entry, at) => (squares += (entry - exact[at]) ** 2));
  }
  const mse = squares / (repeats * length);
  return {
    bits: plan.bits,
    vectors,
    length,
    mseRatio: mse / noiseMultiplierFor(promise, 'rdp') ** 2,
    mseRatioToExactGaussian: mse / noiseMultiplierFor(promise, 'tight') ** 2,
    standardError: Math.sqrt(2 / (repeats * length)),
  };
}

/** A direction in which no coordinate stands out: uniform entries, scaled to norm 1. */
function unitVector(random: SeededRandom): Float64Array {
  const values = Float64Array.from({ length }, () => random.nextFloat() - 0.5);
  const norm = Math.sqrt(values.reduce((square, value) => square + value * value, 0));
  return values.map((value) => value / norm);
}
