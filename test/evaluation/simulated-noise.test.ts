import { describe, expect, it } from 'vitest';
import { noiseOfSum, simulatedNoise } from '../../shared/evaluation/simulated-noise.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import { totalNoiseStd, type Plan } from '../../shared/federation/plan.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { wordless } from '../recommender/fixtures.ts';

const catalogue = wordless(20_000);
const model = createModel('popularity', catalogue, {});

/** Of a cohort of one-shopper participants, whose noise in the sum is far beyond what one sampler's table holds. */
function cohortPlan(mode: 'local' | 'distributed', participants: number): Plan {
  const task = parseTaskSpec({ name: 'noise', model: { kind: 'popularity' }, privacy: { mode, epsilon: 4, delta: 1e-5 }, cohort: { minParticipants: Math.ceil(0.8 * participants), targetParticipants: participants, overSelection: 1 }, deadlines: { recruitingMs: 1, trainingMs: 1 }, maxShoppersPerShop: 1 });
  return makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
}

function planOf(rounds: number): Plan {
  const task = parseTaskSpec({ name: 'noise', model: { kind: 'popularity' }, privacy: { mode: 'local', epsilon: 4, delta: 1e-5, rounds }, cohort: { minParticipants: 1, targetParticipants: 1, overSelection: 1 }, deadlines: { recruitingMs: 1, trainingMs: 1 }, maxShoppersPerShop: 100_000 });
  return makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
}

const variance = (noise: Int32Array): number => noise.reduce((sum, value) => sum + value * value, 0) / noise.length;

describe('simulated noise', () => {
  it.each(['skellam', 'gaussian'] as const)('%s has the standard deviation it states', (kind) => {
    const plan = planOf(3);
    const source = simulatedNoise(kind);
    const noise = source.next(plan, seededRandom(2, kind)) ?? new Int32Array(0);
    const stated = (source.noiseStd(plan, 1) * plan.bounds.gridScale) ** 2;
    // Six standard errors of a sample variance.
    expect(Math.abs(variance(noise) / stated - 1)).toBeLessThan(6 * Math.sqrt(2 / noise.length));
  });

  it('a Gaussian needs less than Skellam noise, whose accounting is not as tight', () => {
    const plan = planOf(1);
    const ratio = simulatedNoise('gaussian').noiseStd(plan, 1) / simulatedNoise('skellam').noiseStd(plan, 1);
    expect(ratio).toBeLessThan(1);
    expect(ratio).toBeGreaterThan(0.85);
  });

  it('correlated noise cancels over rounds: its sum is smaller than that of as many independent rounds', () => {
    const plan = planOf(16);
    const source = simulatedNoise('correlated');
    const total = new Float64Array(plan.statisticLength);
    let single = 0;
    for (let round = 1; round <= 16; round += 1) {
      const noise = source.next(plan, seededRandom(3, `round ${round}`)) ?? new Int32Array(0);
      single = variance(noise);
      noise.forEach((value, at) => (total[at] += value));
    }
    const sum = total.reduce((square, value) => square + value * value, 0) / total.length;
    expect(sum).toBeLessThan(0.5 * 16 * single);
    expect(Math.sqrt(single) / plan.bounds.gridScale).toBeCloseTo(source.noiseStd(plan, 1), 1);
  });

  it('charges what the fast sampler is off by, and nothing for exact ones', () => {
    const plan = planOf(3);
    const charged = simulatedNoise('skellam').samplerDelta(plan);
    expect(charged).toBeGreaterThan(0);
    // Far below the plan's own 1e-5, and three times that of one round.
    expect(charged).toBeLessThan(1e-8);
    expect(simulatedNoise('gaussian').samplerDelta(plan)).toBe(0);
  });

  it('is none in mode none', () => {
    const plan: Plan = { ...planOf(1), privacy: { mode: 'none' } };
    for (const kind of ['skellam', 'gaussian', 'correlated'] as const) {
      expect(simulatedNoise(kind).next(plan, seededRandom(1, 'none'))).toBeNull();
      expect(simulatedNoise(kind).noiseStd(plan, 1)).toBe(0);
    }
  });
});

describe('the noise of a sum', () => {
  it.each([['local', 20], ['distributed', 20], ['local', 300], ['distributed', 300]] as const)('mode %s, %i participants: has the standard deviation that decoding reckons with', (mode, participants) => {
    const plan = cohortPlan(mode, participants);
    const noise = noiseOfSum(plan, { roster: participants, reports: participants }, (place) => seededRandom(4, `noise ${place}`)) ?? new Int32Array(0);
    const stated = (totalNoiseStd(plan.privacy, participants) * plan.bounds.gridScale) ** 2;
    // Six standard errors of a sample variance.
    expect(Math.abs(variance(noise) / stated - 1)).toBeLessThan(6 * Math.sqrt(2 / noise.length));
  });

  it('after dropouts is exactly the planned one: what survivors keep of removable noise makes up for who is gone', () => {
    const plan = cohortPlan('distributed', 300);
    const noise = noiseOfSum(plan, { roster: 300, reports: 290 }, () => seededRandom(5, 'noise')) ?? new Int32Array(0);
    const stated = (totalNoiseStd(plan.privacy, 290) * plan.bounds.gridScale) ** 2;
    expect(Math.abs(variance(noise) / stated - 1)).toBeLessThan(6 * Math.sqrt(2 / noise.length));
  });

  it('of few participants is what each of them draws by itself', () => {
    const plan = cohortPlan('distributed', 20);
    const stream = (place: number): ReturnType<typeof seededRandom> => seededRandom(6, `noise ${place}`);
    const apart = Array.from({ length: 20 }, (_, place) => simulatedNoise('skellam').next(plan, stream(place), 20) ?? new Int32Array(0));
    expect(noiseOfSum(plan, { roster: 20, reports: 20 }, stream)).toEqual(Int32Array.from(apart[0], (_, at) => apart.reduce((sum, noise) => sum + noise[at], 0)));
  });
});
