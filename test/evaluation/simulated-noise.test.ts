import { describe, expect, it } from 'vitest';
import { simulatedNoise } from '../../shared/evaluation/simulated-noise.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { wordless } from '../recommender/fixtures.ts';

const catalogue = wordless(20_000);
const model = createModel('popularity', catalogue, {});

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
