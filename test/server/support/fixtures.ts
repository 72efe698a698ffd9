/** A small task, its catalogue, model and plans. */
import { pino } from 'pino';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import { planHash, type Plan } from '../../../shared/federation/plan.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { RobustSpec } from '../../../shared/federation/robust/rule.ts';
import { makePlan, parseTaskSpec, type TaskSpec } from '../../../shared/federation/task.ts';
import type { Manifest } from '../../../shared/federation/release.ts';
import { createModel } from '../../../shared/recommender/registry.ts';
import type { SignedReceipt } from '../../../shared/ledger/receipt.ts';
import type { RosterEntry } from '../../../server/storage/participant-records.ts';
import type { OpenRoundRecord, SpendRecord } from '../../../server/storage/storage.ts';

export const silent = pino({ level: 'silent' });

export const catalogue = createCatalogue(['apple', 'bread', 'cheese', 'dates'].map((id) => ({ id, title: `some ${id}` })));

export const model = createModel('popularity', catalogue, {});

export interface TaskShape {
  readonly name?: string;
  readonly mode?: 'none' | 'local';
  readonly rounds?: number;
  readonly min?: number;
  readonly target?: number;
  readonly trainingMs?: number;
  /** `maxStaleness` of a buffered task. */
  readonly buffered?: number;
  readonly robust?: RobustSpec;
}

export function taskInput({ name = 'trial', mode = 'none', rounds = 1, min = 2, target = 2, trainingMs = 20_000, buffered, robust }: TaskShape = {}): unknown {
  return {
    name,
    model: { kind: 'popularity' },
    privacy: { mode, rounds, ...(mode === 'local' ? { epsilon: 3, delta: 1e-5 } : {}) },
    cohort: { minParticipants: min, targetParticipants: target, overSelection: 2 },
    deadlines: { recruitingMs: 5_000, trainingMs },
    maxShoppersPerShop: 100,
    ...(buffered === undefined ? {} : { aggregation: { kind: 'buffered', maxStaleness: buffered } }),
    ...(robust === undefined ? {} : { robust }),
  };
}

export function taskOf(shape: TaskShape = {}): TaskSpec {
  return parseTaskSpec(taskInput(shape));
}

export function planOf(shape: TaskShape = {}, roundNumber = 1): Plan {
  return makePlan(taskOf(shape), { model, catalogue, roundNumber, baseRelease: null });
}

export const exampleEvents = [{ kind: 'skellam', l2: 1024, l1: 1024, variance: 1e8, sampling: 1, count: 1 }];

export function roundRecord(number: number, roundLimit: number | null, name = 'trial'): OpenRoundRecord {
  const plan = planOf({ name }, number);
  return { task: name, number, plan, planHash: planHash(plan), admit: roundLimit === null ? null : atMost(roundLimit), spend: { event: exampleEvents, epsilon: 0.25, delta: 1e-5 } };
}

export const comparedReleases = { k: 10, candidate: 'c'.repeat(64), served: 'a'.repeat(64), previous: null };

/** A round that scores releases. */
export function evaluationRecord(number: number, name = 'trial'): OpenRoundRecord {
  const plan = { ...planOf({ name }, number), model: { kind: 'evaluation' as const, hyperParameters: comparedReleases } };
  return { ...roundRecord(number, null, name), plan, planHash: planHash(plan) };
}

/** A budget of so many rounds. */
function atMost(rounds: number): (spends: readonly SpendRecord[]) => void {
  return (spends) => {
    const charged = spends.filter(({ state }) => state !== 'abandoned').length;
    if (charged >= rounds) throw new CestaError('budget.exhausted', `rounds: expected fewer than ${rounds} charged, got ${charged}`);
  };
}

export function manifestOf(plan: Plan, version: number): Manifest {
  return {
    protocol: 1, task: plan.task, version, round: plan.round, createdAt: '2025-01-02T03:04:05.000Z', model: { kind: 'popularity', hyperParameters: {} },
    catalogueHash: plan.catalogueHash, planHash: planHash(plan), cohort: 2, shoppers: 7,
    privacy: { mode: 'none', unit: 'one shopper', adjacency: 'add or remove', epsilon: null, delta: null, noiseStd: 0, clipNorm: null, assumptions: [] },
    metrics: { parameters: 4 }, tensorsSha256: '0'.repeat(64), parent: null, nextClipNorm: null,
  };
}

/** Members with keys of their own. */
export function rosterOf(members: number): RosterEntry[] {
  return Array.from({ length: members }, (_, i) => ({ participant: `shop-${i + 1}`, node: (i + 1).toString(16).padStart(64, '0') }));
}

/** As it stands in the journal: nothing verifies it there. */
export function receiptOf({ participant, node }: RosterEntry): SignedReceipt {
  return { receipt: { round: 'trial-1', planHash: planHash(planOf()), shop: participant, node, sha256: node, acceptedAt: '2025-01-02T03:04:05.000Z' }, signature: node.repeat(2) };
}
