import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { decodeSum } from '../../shared/federation/accumulator.ts';
import { budgetReport } from '../../shared/federation/budget-report.ts';
import { sharesIn } from '../../shared/federation/noise-shares.ts';
import { planEvents } from '../../shared/federation/plan-cost.ts';
import { honestShares, parsePlan, totalNoiseStd, type Plan } from '../../shared/federation/plan.ts';
import { combineSums, rowOfSum } from '../../shared/federation/robust/sums.ts';
import { sessionCohort } from '../../shared/federation/session-cohort.ts';
import { makePlan, parseTaskSpec, type TaskSpec } from '../../shared/federation/task.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { skellamSampler, type SkellamSampler } from '../../shared/privacy/skellam-sampler.ts';
import { createReleaseScores } from '../../shared/evaluation/release-scores.ts';
import { createModel } from '../../shared/recommender/registry.ts';

const items = 2000;
const catalogue = createCatalogue(Array.from({ length: items }, (_, i) => ({ id: `p${i}`, title: `Product ${i}` })));
const model = createModel('popularity', catalogue, {});

function taskOf(changes: object = {}): TaskSpec {
  return parseTaskSpec({
    name: 'main', model: { kind: 'popularity' }, privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, tolerated: 2, colluding: 1 },
    cohort: { minParticipants: 54, targetParticipants: 72, overSelection: 1 }, deadlines: { recruitingMs: 1000, trainingMs: 1000 }, maxShoppersPerShop: 500,
    robust: { rule: 'median', byzantine: 2, groups: 9 }, ...changes,
  });
}

function planOf(changes: object = {}): Plan {
  return makePlan(taskOf(changes), { model, catalogue, roundNumber: 1, baseRelease: null });
}

function distributed({ privacy }: Plan): Extract<Plan['privacy'], { mode: 'distributed' }> {
  if (privacy.mode !== 'distributed') throw new Error('expected a distributed plan');
  return privacy;
}

/** Their tables take longer than the draws. */
const samplers = new Map<number, SkellamSampler>();

function samplerOf(variance: number): SkellamSampler {
  const sampler = samplers.get(variance) ?? skellamSampler({ variance, kind: 'fast' });
  samplers.set(variance, sampler);
  return sampler;
}

/** What a group of `size` leaves in its sum after `dropped` left: shares of the others, less what was removed. */
function groupSum(plan: Plan, { size, dropped, seed }: { size: number; dropped: number; seed: number }): Int32Array {
  const { base, components } = sharesIn(plan, size);
  const sum = new Int32Array(plan.statisticLength);
  const share = new Int32Array(plan.statisticLength);
  const kept = [base, ...components.slice(0, dropped)].map(samplerOf);
  for (let shop = 0; shop < size - dropped; shop += 1) {
    kept.forEach((sampler, i) => {
      sampler.fill(share, seededRandom(seed, `${shop} ${i}`));
      for (let k = 0; k < sum.length; k += 1) sum[k] += share[k];
    });
  }
  // Eight thousand shoppers, so that the noise of their count is small beside it.
  sum[items] += Math.round(8000 * plan.bounds.countValue * plan.bounds.gridScale);
  return sum;
}

function deviationOf(values: Float64Array, length: number): number {
  return Math.sqrt(values.slice(0, length).reduce((sum, value) => sum + value * value, 0) / length);
}

describe('the noise of groups', () => {
  it('is shared within each as within a whole cohort: planned for its quorum, not for that of the round', () => {
    const plan = planOf();
    expect(sessionCohort(plan)).toEqual({ minParticipants: 6, targetParticipants: 8, maxParticipants: 8 });
    expect(honestShares(plan)).toBe(3);
    const planned = (distributed(plan).noiseStd * plan.bounds.gridScale) ** 2;
    for (const size of [6, 7, 8]) {
      const { base, components } = sharesIn(plan, size);
      for (let dropped = 0; dropped <= 2; dropped += 1) {
        const kept = components.slice(0, dropped).reduce((sum, variance) => sum + variance, base);
        expect(((size - dropped - 1) * kept) / planned).toBeCloseTo(1, 10);
      }
    }
  });

  it('is all of the promise in every sum, which costs what one sum costs', () => {
    const plan = planOf();
    const alone = planOf({ cohort: { minParticipants: 6, targetParticipants: 8, overSelection: 1 }, robust: undefined });
    expect(distributed(plan).noiseStd).toBe(distributed(alone).noiseStd);
    expect(planEvents(plan)).toEqual(planEvents(alone));
    const report = budgetReport(taskOf(), []);
    expect(report.assumptions.join(' ')).toMatch(/drawn into 9 groups, and the sum of each carries the noise of the whole promise/);
    expect(report.threatModel).toMatch(/one masked sum of each group/);
    expect(budgetReport(taskOf({ robust: undefined }), []).threatModel).toMatch(/The coordinator sees one masked sum,/);
  });

  it('has its planned variance in the sum of a group, whoever drops out', () => {
    const plan = planOf();
    for (const dropped of [0, 1, 2]) {
      const { sum, noiseStd } = decodeSum(groupSum(plan, { size: 8, dropped, seed: 5 }), plan, 8 - dropped);
      expect(noiseStd).toBeCloseTo(totalNoiseStd(plan.privacy, 8 - dropped), 10);
      // Five standard deviations of the deviation of 2000 numbers.
      expect(Math.abs(deviationOf(sum, items) / noiseStd - 1)).toBeLessThan(5 / Math.sqrt(2 * items));
    }
  });

  it.each(['median', 'trimmed-mean'] as const)('is what a release says of a %s of sums', (rule) => {
    const plan = planOf();
    const rows = Array.from({ length: 9 }, (_, group) => {
      const dropped = group % 3;
      return rowOfSum(decodeSum(groupSum(plan, { size: 8, dropped, seed: 100 + group }), plan, 8 - dropped));
    });
    const { sum, shoppers, noiseStd, robust } = combineSums({ rule, byzantine: 2, groups: 9 }, rows);
    expect(robust?.reports).toBe(9);
    expect(Math.abs(shoppers / 72_000 - 1)).toBeLessThan(0.01);
    // The formulas are for many rows: of nine they are some percent off.
    expect(Math.abs(deviationOf(sum, items) / noiseStd - 1)).toBeLessThan(0.05 + 5 / Math.sqrt(2 * items));
    // And more than the noise of a plain sum of all.
    expect(noiseStd).toBeGreaterThan(distributed(plan).noiseStd * 2.5);
  });
});

describe('a task with groups', () => {
  const refused = (changes: object, code: string, text: RegExp): void => {
    expect(() => planOf(changes)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(text) as string }) as Error);
  };
  const robust = { rule: 'median', byzantine: 1, groups: 5 };

  it('is refused with field and reason where nobody could keep to it', () => {
    refused({ robust: { ...robust, rule: 'krum' } }, 'plan.invalid', /expected median or trimmed-mean with groups, got krum[^]*robust\.rule/);
    refused({ robust: { ...robust, byzantine: 3 } }, 'plan.invalid', /expected less than half of 5 groups, got 3[^]*robust\.byzantine/);
    refused({ robust: { rule: 'median', byzantine: 1 } }, 'plan.invalid', /expected a number of them in mode distributed[^]*robust\.groups/);
    refused({ robust: { ...robust, groups: 501 } }, 'plan.invalid', /500/);
    refused({ robust, privacy: { mode: 'local', epsilon: 3, delta: 1e-5 } }, 'plan.invalid', /expected none in mode local[^]*robust\.groups/);
    refused({ robust, privacy: { mode: 'none' } }, 'plan.invalid', /expected none in mode none/);
    refused({ robust: { ...robust, groups: 14 } }, 'privacy.invalid', /cohort.minParticipants: expected at least 56 in mode distributed with 14 groups, got 54/);
    refused({ privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, colluding: 2 } }, 'privacy.invalid', /privacy.colluding: expected less than a third of cohort.minParticipants \/ robust.groups, 6, got 2/);
    refused({ privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, colluding: 1, tolerated: 5 } }, 'privacy.invalid', /cohort.minParticipants \/ robust.groups: expected more than tolerated and colluding together, 5 \+ 1, got 6/);
  });

  it('has plans that shops refuse where they are not what a task could have', () => {
    const plan = planOf();
    const bad = (changes: object): void => expect(() => parsePlan({ ...plan, ...changes })).toThrow(expect.objectContaining({ code: 'plan.invalid' }) as Error);
    expect(parsePlan(plan).robust).toEqual({ rule: 'median', byzantine: 2, groups: 9 });
    bad({ robust: { rule: 'median', byzantine: 2 } });
    bad({ robust: { rule: 'bulyan', byzantine: 2, groups: 9 } });
    bad({ robust: { rule: 'median', byzantine: 5, groups: 9 } });
    bad({ robust: { rule: 'median', byzantine: 1, groups: 14 } });
    // Enough for one sum, too many for a group.
    bad({ privacy: { ...plan.privacy, colluding: 2 } });
    bad({ privacy: { ...plan.privacy, tolerated: 5 } });
  });

  it('scores releases in one sum of all: the gate asks for every shopper', () => {
    const task = taskOf({ gate: {}, privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, rounds: 2 } });
    const statistic = createReleaseScores(catalogue, { k: 10, candidate: '1'.repeat(64), served: '2'.repeat(64), previous: null });
    const plan = makePlan(task, { model: statistic, catalogue, roundNumber: 2, baseRelease: null });
    expect(plan.robust).toBeUndefined();
    expect(sessionCohort(plan).minParticipants).toBe(54);
  });
});
