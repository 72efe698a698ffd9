import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../client/secure-random.ts';
import { experimentReport, minReports } from '../../shared/commerce/experiment-report.ts';
import { armOf, dueMs, experimentSchema } from '../../shared/commerce/experiments.ts';
import { encodeMeasurement, measurementBytes } from '../../shared/commerce/measurement.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { respond } from '../../shared/privacy/randomised-response.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';

const experiment = experimentSchema.parse({ id: 'shelf-order', arms: ['usual', 'varied'], from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z', measure: { epsilon: 2 } });
const secure = systemRandom();

const salts = (count: number): string[] => Array.from({ length: count }, (_, index) => index.toString(16).padStart(32, '0'));

/** Counts of devices that bought with these probabilities; everybody was shown it, half of them clicked. */
function simulate(devices: number, rates: readonly number[], seed: number): number[][] {
  const random = seededRandom(seed, 'shoppers');
  return rates.map((rate) => {
    const counts = [0, 0, 0, 0];
    for (let device = 0; device < devices; device += 1) {
      const truth = random.nextFloat() < rate ? 3 : device % 2 === 0 ? 2 : 1;
      counts[respond(truth, { values: 4, epsilon: 2 }, secure).value] += 1;
    }
    return counts;
  });
}

describe('the arm of a device', () => {
  it('is the same each time, and split evenly', () => {
    const devices = 30_000;
    for (const arms of [['a', 'b'], ['a', 'b', 'c', 'd', 'e']]) {
      const counts = arms.map(() => 0);
      for (const salt of salts(devices)) counts[armOf({ id: 'trial', arms }, salt)] += 1;
      const expected = devices / arms.length;
      const chi2 = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // Chi-square with at most 4 degrees of freedom exceeds 30 once in 200,000.
      expect(chi2).toBeLessThan(30);
    }
    expect(armOf(experiment, salts(1)[0])).toBe(armOf(experiment, salts(1)[0]));
  });

  it('of one experiment says nothing about that of another', () => {
    const devices = 20_000;
    const same = salts(devices).filter((salt) => armOf({ id: 'one', arms: ['a', 'b'] }, salt) === armOf({ id: 'two', arms: ['a', 'b'] }, salt)).length;
    expect(Math.abs(same / devices - 0.5)).toBeLessThan(6 * Math.sqrt(0.25 / devices));
  });
});

describe('the report of an experiment', () => {
  it('has intervals that hold the truth as often as they say, noise included', () => {
    const trials = 600;
    const rates = [0.1, 0.22];
    let [shares, differences] = [0, 0];
    for (let trial = 0; trial < trials; trial += 1) {
      const report = experimentReport(experiment, simulate(300, rates, trial));
      const { low, high } = report.arms[0].share.purchase;
      if (low <= rates[0] && rates[0] <= high) shares += 1;
      const { purchase } = report.differences[0];
      if (purchase.low <= rates[1] - rates[0] && rates[1] - rates[0] <= purchase.high) differences += 1;
    }
    // 95 % stated; five standard deviations of the count below, and not so wide that they always hold it.
    const slack = 5 * Math.sqrt((0.95 * 0.05) / trials);
    for (const held of [shares, differences]) {
      expect(held / trials).toBeGreaterThan(0.95 - slack);
      expect(held / trials).toBeLessThan(1);
    }
  });

  it('is wider than sampling alone would make it', () => {
    const { low, high } = experimentReport(experiment, simulate(2_000, [0.1, 0.1], 1)).arms[0].share.purchase;
    expect(high - low).toBeGreaterThan(1.3 * 2 * 1.96 * Math.sqrt((0.1 * 0.9) / 2_000));
  });

  it('is refused for few reports, without saying how few', () => {
    try {
      experimentReport(experiment, [[minReports, 0, 0, 0], [minReports - 2, 1, 0, 0]]);
      expect.unreachable();
    } catch (thrown) {
      expect(toCestaError(thrown)).toMatchObject({ code: 'measure.too-few', message: expect.not.stringContaining(String(minReports - 1)) as string });
    }
  });
});

describe('a report on the wire', () => {
  it('has one length whatever it says, and is due at a time that depends on nothing it says', () => {
    const lengths = ['a', 'a'.repeat(63)].flatMap((subject) => [0, 3].map((value) => encodeMeasurement({ id: 'ab'.repeat(16), subject, arm: 0, value }).length));
    expect(new Set(lengths)).toEqual(new Set([measurementBytes]));
    const start = Date.parse('2026-01-10T00:00:00Z');
    expect([dueMs(experiment, start), dueMs(experiment, start + 20 * 86_400_000)]).toEqual([Date.parse('2026-01-17T00:00:00Z'), Date.parse(experiment.to)]);
  });
});
