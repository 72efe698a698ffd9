import { describe, expect, it } from 'vitest';
import { normalCdf } from '../../shared/numerics/special.ts';
import { seededRandom, type RandomWords } from '../../shared/numerics/random.ts';
import { aliasTable } from '../../shared/privacy/alias-table.ts';
import { magnitudeCdf } from '../../shared/privacy/skellam-pmf.ts';
import { samplingDelta, skellamSampler, type SamplerKind } from '../../shared/privacy/skellam-sampler.ts';
import { chiSquareDeviation, isPlausible, skellamDeviations } from '../../shared/privacy/noise-test.ts';
import { skellamProbability } from './skellam-law.ts';

const kinds: readonly SamplerKind[] = ['fast', 'strict'];

function draw(kind: SamplerKind, variance: number, count: number, name = 'skellam'): Int32Array {
  const samples = new Int32Array(count);
  skellamSampler({ variance, kind }).fill(samples, seededRandom(11, `${name} ${kind} ${variance}`));
  return samples;
}

describe('the Skellam distribution in fixed point', () => {
  /** Values of mpmath at 50 digits. */
  it.each([
    [0.01, 0, 0.990074585149707499], [0.01, 3, 2.06261671161687195e-8], [16, 0, 0.100544127361252019], [16, 5, 0.0451785003146907083],
    [16, 40, 8.49454036162466243e-19], [4096.5, 100, 0.00183907117263610349], [4096.5, 700, 7.59153708495646374e-29],
  ])('P[X = k] at variance %d, k = %i', (variance, k, expected) => {
    const { low, high, bits } = magnitudeCdf(variance, 192);
    const signs = k === 0 ? 1 : 2;
    const mass = (value: bigint): number => Number(value) / 2 ** Number(bits) / signs;
    const before = k === 0 ? 0n : high[k - 1];
    expect(Math.abs(mass(low[k] - before) / expected - 1)).toBeLessThan(1e-14);
  });

  it('brackets the truth: finer brackets lie inside coarser ones', () => {
    for (const variance of [0.01, 0.37, 5, 1234.5]) {
      const coarse = magnitudeCdf(variance, 96);
      const fine = magnitudeCdf(variance, 256);
      coarse.low.forEach((low, m) => {
        expect(fine.low[m] >= low << 160n).toBe(true);
        expect(fine.high[m] <= coarse.high[m] << 160n).toBe(true);
        expect(coarse.high[m] - low).toBeLessThan(1n << 40n);
      });
    }
  });

  it('tables rise to 1', () => {
    const { low, high } = magnitudeCdf(77.7, 128);
    for (let m = 1; m < low.length; m += 1) expect(low[m] >= low[m - 1]).toBe(true);
    expect(Number(high[high.length - 1] - low[low.length - 1]) / 2 ** 128).toBeLessThan(1e-30);
    expect(Number((1n << 128n) - low[low.length - 1]) / 2 ** 128).toBeLessThan(1e-30);
  });
});

describe.each(kinds)('the %s Skellam sampler', (kind) => {
  it.each([0.01, 0.7, 3.3, 16, 4096.5, 1024 ** 2, 8192 ** 2])('has the mean, variance and kurtosis of variance %d', (variance) => {
    const { mean, variance: spread, fourth } = skellamDeviations(draw(kind, variance, 1_000_000), variance);
    expect(isPlausible(mean), `mean ${mean}`).toBe(true);
    // At a hundredth the fourth power of a rare value dominates, and a normal bound does not hold.
    if (variance > 0.5) {
      expect(isPlausible(spread), `variance ${spread}`).toBe(true);
      expect(isPlausible(fourth), `fourth moment ${fourth}`).toBe(true);
    }
  });

  it.each([0.01, 0.7, 3.3, 16, 200.25])('has the histogram of variance %d', (variance) => {
    const reach = Math.ceil(8 * Math.sqrt(variance) + 6);
    expect(isPlausible(chiSquareDeviation(draw(kind, variance, 400_000), skellamProbability(variance), reach))).toBe(true);
  });

  it('has the histogram of the largest variance, in cells of 512 steps', () => {
    const std = 8192;
    const cells = Int32Array.from(draw(kind, std ** 2, 400_000), (value) => Math.floor((value + 256) / 512));
    const probability = (cell: number): number => normalCdf((512 * cell + 255.5) / std) - normalCdf((512 * cell - 256.5) / std);
    expect(isPlausible(chiSquareDeviation(cells, probability, 120))).toBe(true);
  });

  it('the same checks refuse a variance that is off by three percent, and a histogram that is off by one', () => {
    const samples = draw(kind, 16, 1_000_000);
    expect(isPlausible(skellamDeviations(samples, 16 * 1.03).variance)).toBe(false);
    expect(isPlausible(chiSquareDeviation(samples, skellamProbability(16 * 1.03), 40))).toBe(false);
    const probability = skellamProbability(16);
    expect(isPlausible(chiSquareDeviation(samples, (value) => probability(value - 1), 40))).toBe(false);
  });

  it('draws are independent of each other', () => {
    const samples = draw(kind, 9.5, 1_000_000, 'lag');
    let product = 0;
    for (let i = 1; i < samples.length; i += 1) product += samples[i] * samples[i - 1];
    expect(isPlausible(product / 9.5 / Math.sqrt(samples.length - 1))).toBe(true);
  });

  it('shares add up to a Skellam of the summed variance', () => {
    const sum = draw(kind, 2.5, 400_000, 'first');
    const second = draw(kind, 4.25, 400_000, 'second');
    const total = sum.map((value, i) => value + second[i]);
    expect(isPlausible(chiSquareDeviation(total, skellamProbability(6.75), 30))).toBe(true);
  });

  it.each([0, -1, NaN, Infinity, 0.009, 8192 ** 2 + 1])('refuses variance %d', (variance) => {
    expect(() => skellamSampler({ variance, kind })).toThrow(expect.objectContaining({ code: 'privacy.invalid' }) as Error);
  });
});

describe('what the samplers say about themselves', () => {
  it('strict is exact, fast is within its certified distance of the exact law', () => {
    expect(skellamSampler({ variance: 5, kind: 'strict' }).deltaPerDraw).toBe(0);
    for (const variance of [0.01, 5, 400.5]) {
      const { columnBits, high, low, alias, distance } = aliasTable(variance);
      const columns = 2 ** columnBits;
      // The law of the table, exactly, in units of 2^-64 / columns.
      const law = new Array<bigint>(columns).fill(0n);
      for (let column = 0; column < columns; column += 1) {
        const stays = alias[column] === column ? 1n << 64n : (BigInt(high[column]) << 32n) | BigInt(low[column]);
        law[column] += stays;
        law[alias[column]] += (1n << 64n) - stays;
      }
      const exact = magnitudeCdf(variance, 256);
      const unit = 256n - 64n - BigInt(columnBits);
      let twice = 0n;
      for (let m = 0; m < columns; m += 1) {
        const mass = m < exact.low.length ? exact.low[m] - (m === 0 ? 0n : exact.low[m - 1]) : 0n;
        const difference = (law[m] << unit) - mass;
        twice += difference < 0n ? -difference : difference;
      }
      const measured = Number(twice) / 2 ** 257;
      expect(measured).toBeLessThanOrEqual(distance);
      expect(distance).toBeLessThan(2 ** -60);
    }
  });

  it('the charge of a fast sampler grows with draws and with e^epsilon', () => {
    const charge = samplingDelta({ deltaPerDraw: 1e-20 }, 1_000_000, 1);
    expect(charge).toBeCloseTo(1e-14 * (1 + Math.E), 25);
    expect(samplingDelta({ deltaPerDraw: 0 }, 1_000_000, 1)).toBe(0);
  });
});

describe('refinement of the strict sampler', () => {
  /** The words of a uniform number: first those of `prefix`, then `rest` for ever. */
  function scripted(prefix: bigint, rest: number): RandomWords {
    const words = [Number(prefix >> 32n), Number(prefix & 0xffff_ffffn)];
    return { nextUint32: () => words.shift() ?? rest };
  }

  it('decides a draw on a boundary by the bits that follow', () => {
    const variance = 12.3;
    const { low } = magnitudeCdf(variance, 128);
    const sampler = skellamSampler({ variance, kind: 'strict' });
    for (const m of [0, 1, 7]) {
      const floor = low[m] >> 64n;
      const one = new Int32Array(1);
      // Zeros leave the number at the floor, below the true boundary; ones take it past it.
      sampler.fill(one, scripted(floor, 0));
      expect(Math.abs(one[0])).toBe(m);
      sampler.fill(one, scripted(floor, 0xffff_ffff));
      expect(Math.abs(one[0])).toBe(m + 1);
      // Neighbours of the boundary need no refinement.
      sampler.fill(one, scripted(floor - 1n, 0xffff_ffff));
      expect(Math.abs(one[0])).toBe(m);
      sampler.fill(one, scripted(floor + 1n, 0));
      expect(Math.abs(one[0])).toBe(m + 1);
    }
  });

  it('reaches values beyond the table', () => {
    const one = new Int32Array(1);
    // Sixty-four ones, then a zero bit pattern: a value of probability about 2^-64.
    skellamSampler({ variance: 12.3, kind: 'strict' }).fill(one, scripted(0xffff_ffff_ffff_ffffn, 0x8000_0000));
    const { low } = magnitudeCdf(12.3, 256);
    const beyond = low.findIndex((value) => value >> 192n >= 0xffff_ffff_ffff_ffffn);
    expect(Math.abs(one[0])).toBeGreaterThanOrEqual(beyond);
    expect(Math.abs(one[0])).toBeLessThan(beyond + 5);
  });
});
