/** Speed of the Skellam samplers: medians over repeated draws from the operating system's generator. */
import { randomFillSync } from 'node:crypto';
import { secureRandom } from '../../shared/numerics/random.ts';
import { skellamSampler, type SamplerKind } from '../../shared/privacy/skellam-sampler.ts';
import { median } from './median.ts';

/** Drawn in one run. */
export const noiseSamples = 1_000_000;

/** Standard deviation of the noise drawn: that of a plan at epsilon 1 on a grid of 1024 steps. */
const noiseStd = 4096.5;

export interface NoiseBench {
  readonly fastMs: number;
  readonly strictMs: number;
}

/** Milliseconds for 1,000,000 samples, tables built beforehand; median of `repeats`. */
export function benchNoise(repeats = 7): NoiseBench {
  return { fastMs: timeSampler('fast', repeats), strictMs: timeSampler('strict', repeats) };
}

function timeSampler(kind: SamplerKind, repeats: number): number {
  const sampler = skellamSampler({ variance: noiseStd ** 2, kind });
  const random = secureRandom((bytes) => randomFillSync(bytes));
  const noise = new Int32Array(noiseSamples);
  return median(repeats, () => sampler.fill(noise, random));
}
