import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../client/secure-random.ts';
import { secureRandom } from '../../shared/numerics/random.ts';
import { estimateShare, keepProbability, linearResponse, respond } from '../../shared/privacy/randomised-response.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';

const random = systemRandom();

/** Six standard deviations: a right one fails once in 500 million. */
const bound = (p: number, n: number): number => 6 * Math.sqrt((p * (1 - p)) / n);

describe('randomised response', () => {
  it('keeps the truth with e^epsilon / (e^epsilon + k - 1), and makes all others of it alike', () => {
    const draws = 60_000;
    for (const [values, epsilon, truth] of [[2, 1.3, 0], [4, 0.7, 2], [4, 2.5, 3]] as const) {
      const counts = new Array<number>(values).fill(0);
      for (let draw = 0; draw < draws; draw += 1) counts[respond(truth, { values, epsilon }, random).value] += 1;
      const keep = keepProbability({ values, epsilon });
      counts.forEach((count, value) => {
        const p = value === truth ? keep : (1 - keep) / (values - 1);
        expect(Math.abs(count / draws - p)).toBeLessThan(bound(p, draws));
      });
      // What the guarantee is: no value is more than e^epsilon times as likely for one truth as for another.
      expect(keep / ((1 - keep) / (values - 1))).toBeCloseTo(Math.exp(epsilon), 9);
    }
  });

  it('is Warner\'s for two values, and says nothing at epsilon 0', () => {
    expect(keepProbability({ values: 2, epsilon: Math.log(3) })).toBeCloseTo(0.75, 12);
    expect(linearResponse({ values: 4, epsilon: 0 }, 2).slope).toBeCloseTo(0, 12);
  });

  it('is undone in the mean, with the variance it states', () => {
    const terms = { values: 4, epsilon: 1.5 };
    const [devices, trials, share] = [400, 400, 0.3];
    const estimates: number[] = [];
    let stated = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      let inSet = 0;
      for (let device = 0; device < devices; device += 1) {
        const truth = random.nextUint32() / 2 ** 32 < share ? 2 + (device % 2) : device % 2;
        if (respond(truth, terms, random).value >= 2) inSet += 1;
      }
      const { share: estimated, variance } = estimateShare(terms, 2, { inSet, reports: devices });
      estimates.push(estimated);
      stated += variance / trials;
    }
    const mean = estimates.reduce((sum, value) => sum + value, 0) / trials;
    const variance = estimates.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (trials - 1);
    expect(Math.abs(mean - share)).toBeLessThan(6 * Math.sqrt(stated / trials));
    // The variance of a sample variance of normal values: 2 sigma^4 / (n - 1).
    expect(Math.abs(variance / stated - 1)).toBeLessThan(6 * Math.sqrt(2 / (trials - 1)));
  });

  it.each([[4, { values: 4, epsilon: 1 }], [0, { values: 1, epsilon: 1 }], [0, { values: 4, epsilon: -1 }], [0, { values: 4, epsilon: Infinity }], [0, { values: 4, epsilon: NaN }]])('refuses %j under %j', (truth, terms) => {
    try {
      respond(truth, terms, secureRandom((bytes) => void bytes.fill(0)));
      expect.unreachable();
    } catch (thrown) {
      expect(toCestaError(thrown).code).toBe('privacy.invalid');
    }
  });
});
