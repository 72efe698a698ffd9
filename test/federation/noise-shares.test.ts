import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../client/secure-random.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { componentNoise, drawNoise, sharesIn } from '../../shared/federation/noise-shares.ts';
import { honestShares, totalNoiseStd, type Plan } from '../../shared/federation/plan.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { softwareCrypto } from '../../shared/secagg/software-crypto.ts';
import { platformCrypto } from '../../shared/secagg/web-crypto.ts';

const catalogue = createCatalogue(Array.from({ length: 3000 }, (_, i) => ({ id: `p${i}`, title: `Product ${i}` })));
const model = createModel('popularity', catalogue, {});

function planOf(privacy: object = {}): Plan {
  const task = parseTaskSpec({
    name: 'main', model: { kind: 'popularity' }, privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, ...privacy },
    cohort: { minParticipants: 16, targetParticipants: 20 }, deadlines: { recruitingMs: 1000, trainingMs: 1000 }, maxShoppersPerShop: 500,
  });
  return makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
}

function plainPlan(cohort: object, privacy: object = {}): Plan {
  return makePlan(parseTaskSpec({
    name: 'main', model: { kind: 'popularity' }, privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, ...privacy },
    cohort: { ...cohort, overSelection: 1 }, deadlines: { recruitingMs: 1000, trainingMs: 1000 }, maxShoppersPerShop: 1,
  }), { model, catalogue, roundNumber: 1, baseRelease: null });
}

function varianceOf(values: Int32Array): number {
  return values.reduce((sum, value) => sum + value * value, 0) / values.length;
}

describe('shares of noise', () => {
  it('leave exactly the planned variance to the honest survivors after every tolerated number of dropouts', () => {
    const plan = planOf();
    const { privacy, bounds } = plan;
    if (privacy.mode !== 'distributed') throw new Error('expected a distributed plan');
    expect(privacy).toMatchObject({ tolerated: 4, colluding: 1 });
    const planned = (privacy.noiseStd * bounds.gridScale) ** 2;
    for (const participants of [16, 20, 26]) {
      const { base, components } = sharesIn(plan, participants);
      for (let dropped = 0; dropped <= privacy.tolerated; dropped += 1) {
        const kept = components.slice(0, dropped).reduce((sum, variance) => sum + variance, base);
        const honest = participants - dropped - privacy.colluding;
        expect((honest * kept) / planned).toBeCloseTo(1, 10);
        // What the release says of the sum includes the shares that are not counted on.
        const all = (totalNoiseStd(privacy, participants - dropped) * bounds.gridScale) ** 2;
        expect(((participants - dropped) * kept) / all).toBeCloseTo(1, 10);
      }
    }
  });

  it('are drawn with their variance: the base from the system, a component from its seed, alike on every side', async () => {
    const plan = planOf();
    const { base, components } = sharesIn(plan, 20);
    const drawn = drawNoise(plan, 20, systemRandom());
    expect(varianceOf(drawn ?? new Int32Array(1)) / base).toBeGreaterThan(0.85);
    expect(varianceOf(drawn ?? new Int32Array(1)) / base).toBeLessThan(1.15);
    const seed = new Uint8Array(32).fill(9);
    const here = await componentNoise(plan, platformCrypto())(seed, { component: 2, participants: 20 });
    const there = await componentNoise(plan, softwareCrypto)(seed, { component: 2, participants: 20 });
    expect(here).toEqual(there);
    expect(varianceOf(here) / components[1]).toBeGreaterThan(0.85);
    expect(varianceOf(here) / components[1]).toBeLessThan(1.15);
  });

  it('need less noise than a plan in which every shop adds all of it', () => {
    const distributed = planOf();
    const local = planOf({ mode: 'local' });
    expect(totalNoiseStd(distributed.privacy, 20)).toBeLessThan(totalNoiseStd(local.privacy, 20) / 4);
  });

  it('are refused where they cannot be shared: too many that collude or drop out, frames too long, shares too small to draw', () => {
    expect(() => planOf({ colluding: 6 })).toThrow(/privacy.colluding: expected less than a third of cohort.minParticipants, 16, got 6/);
    expect(() => planOf({ tolerated: 15 })).toThrow(/tolerated and colluding together, 15 \+ 1, got 16/);
    const large = (cohort: object, privacy: object = {}): Plan => makePlan(parseTaskSpec({
      name: 'main', model: { kind: 'popularity' }, privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, ...privacy },
      cohort: { ...cohort, overSelection: 1 }, deadlines: { recruitingMs: 1000, trainingMs: 1000 }, maxShoppersPerShop: 100,
    }), { model, catalogue, roundNumber: 1, baseRelease: null });
    expect(() => large({ minParticipants: 150, targetParticipants: 200 }, { tolerated: 100, dropoutStep: 1 })).toThrow(/privacy.tolerated: expected shares of at most/);
    // What a default says must be possible.
    for (const [minParticipants, targetParticipants] of [[4, 4], [5, 8], [80, 100], [150, 200], [300, 500]]) {
      const { privacy } = large({ minParticipants, targetParticipants });
      expect(privacy.mode === 'distributed' && privacy.tolerated <= 20).toBe(true);
    }
  });

  it('are components of several dropouts each where one for every dropout is more than a participant can deal or draw', () => {
    const few = plainPlan({ minParticipants: 16, targetParticipants: 20 });
    expect(few.privacy).not.toHaveProperty('dropoutStep');
    expect(plainPlan({ minParticipants: 16, targetParticipants: 20 }, { tolerated: 4, dropoutStep: 2 }).privacy).toMatchObject({ tolerated: 4, dropoutStep: 2 });
    for (const [participants, tolerated] of [[100_000, 10_000], [1_000_000, 100_000]]) {
      const plan = plainPlan({ minParticipants: 0.8 * participants, targetParticipants: participants }, { tolerated });
      const { privacy, bounds } = plan;
      if (privacy.mode !== 'distributed') throw new Error('expected a distributed plan');
      const { dropoutStep = 1, noiseStd, colluding } = privacy;
      const { base, components } = sharesIn(plan, participants);
      expect(components.length).toBe(Math.ceil(tolerated / dropoutStep));
      // What a share is made of can be drawn, and one dropout fewer to a component would be too many components, or too small ones.
      expect(Math.min(base, ...components)).toBeGreaterThanOrEqual(0.01);
      expect(() => plainPlan({ minParticipants: 0.8 * participants, targetParticipants: participants }, { tolerated, dropoutStep: dropoutStep - 1 })).toThrow(/privacy.tolerated: expected shares/);
      const planned = (noiseStd * bounds.gridScale) ** 2;
      for (const dropped of [0, 1, dropoutStep, dropoutStep + 1, tolerated - 1, tolerated]) {
        const kept = components.slice(0, Math.ceil(dropped / dropoutStep)).reduce((sum, variance) => sum + variance, base);
        const excess = ((participants - dropped - colluding) * kept) / planned;
        expect(excess).toBeGreaterThan(1 - 1e-9);
        expect(excess).toBeLessThan(1 + (dropoutStep - 1) / honestShares(plan) + 1e-9);
        expect(excess).toBeLessThan(1.01);
      }
    }
  });

  it('are planned for a twentieth of a cohort that is larger than ever before', () => {
    expect(plainPlan({ minParticipants: 80_000, targetParticipants: 100_000 }).privacy).toMatchObject({ tolerated: 4_000, colluding: 8_000 });
    expect(plainPlan({ minParticipants: 60_000, targetParticipants: 60_000 }).privacy).toMatchObject({ tolerated: 20 });
    expect(() => plainPlan({ minParticipants: 800_000, targetParticipants: (1 << 20) + 1 })).toThrow(/cohort.maxParticipants: expected at most 1048576 in one masked sum, got 1048577/);
    expect(() => plainPlan({ minParticipants: 80_000, targetParticipants: 100_000 }, { tolerated: 10_000, dropoutStep: 5 })).toThrow(/privacy.dropoutStep: expected at most 1000 components/);
  });
});
