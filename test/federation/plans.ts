/** A small valid plan for tests of rooms that only pass it along. */
import type { Plan } from '../../shared/federation/plan.ts';

export function examplePlan(changes: Partial<Plan> = {}): Plan {
  return {
    protocol: 1,
    task: 'main',
    round: 'main-1',
    model: { kind: 'popularity', hyperParameters: {} },
    catalogueHash: 'ab'.repeat(32),
    statisticLength: 4,
    bounds: { encoding: { kind: 'sparse' }, clipBit: null, clipNorm: 1, rowCap: 1, countValue: 0.125, gridScale: 1024, modulusBits: 32, maxShoppersPerShop: 100 },
    privacy: { mode: 'local', epsilon: 3, delta: 1e-5, rounds: 1, noiseStd: 1.5, mechanism: 'skellam', sampling: 1, filterOrder: 8, shopsPerShopper: 2 },
    cohort: { minParticipants: 2, targetParticipants: 3, maxParticipants: 4 },
    deadlines: { recruitingMs: 1_000, trainingMs: 10_000 },
    baseRelease: null,
    ...changes,
  };
}
