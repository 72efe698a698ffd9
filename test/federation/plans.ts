/** A small valid plan for tests of rooms that only pass it along. */
import type { Plan } from '../../shared/federation/plan.ts';
import { signingKey, type SigningKey } from '../../shared/ledger/signing-key.ts';

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

/** Five shops of a masked round, their keys, and its plan. */
export const maskedCoordinator: SigningKey = signingKey(new Uint8Array(32).fill(7));
export const maskedShops = ['a', 'b', 'c', 'd', 'e'] as const;
export const maskedKeys: readonly SigningKey[] = maskedShops.map((_, i) => signingKey(new Uint8Array(32).fill(i + 1)));
export const maskedDirectory: ReadonlyMap<string, string> = new Map(maskedShops.map((name, i) => [name, maskedKeys[i].publicKey]));
export const maskedPlan: Plan = examplePlan({
  cohort: { minParticipants: 4, targetParticipants: 5, maxParticipants: 5 },
  privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, rounds: 1, noiseStd: 2, mechanism: 'skellam', sampling: 1, filterOrder: 8, shopsPerShopper: 2, tolerated: 1, colluding: 1 },
});

/** Shops of a masked round in groups: `count` of them, named a, b, c and so on. */
export interface GroupedShops {
  readonly names: readonly string[];
  readonly keys: ReadonlyMap<string, SigningKey>;
  readonly directory: ReadonlyMap<string, string>;
}

export function groupedShops(count: number): GroupedShops {
  const keys = new Map(Array.from({ length: count }, (_, i) => [String.fromCharCode(97 + i), signingKey(new Uint8Array(32).fill(i + 1))]));
  return { names: [...keys.keys()], keys, directory: new Map([...keys].map(([name, { publicKey }]) => [name, publicKey])) };
}

/** Groups of four to five shops; one of the sums may be spoilt. */
export function groupedPlan(groups: number, changes: Partial<Plan> = {}): Plan {
  return examplePlan({
    cohort: { minParticipants: 4 * groups, targetParticipants: 5 * groups, maxParticipants: 5 * groups },
    privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, rounds: 1, noiseStd: 0.02, mechanism: 'skellam', sampling: 1, filterOrder: 8, shopsPerShopper: 2, tolerated: 1, colluding: 1 },
    robust: { rule: 'median', byzantine: 1, groups },
    ...changes,
  });
}
