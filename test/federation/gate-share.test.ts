/** Training and evaluations of a gated task share one promise. */
import { describe, expect, it } from 'vitest';
import { checkPromise, checkShape } from '../../client/plan-checks.ts';
import { createReleaseScores } from '../../shared/evaluation/release-scores.ts';
import { budgetReport, roundCost, taskBudget, type JournalledSpend } from '../../shared/federation/budget-report.ts';
import { planEvents } from '../../shared/federation/plan-cost.ts';
import { parsePlan, type Plan, type Purpose } from '../../shared/federation/plan.ts';
import { makePlan, parseTaskSpec, type TaskSpec } from '../../shared/federation/task.ts';
import { planRules } from '../../shared/ledger/plan-rules.ts';
import { replayLog } from '../../shared/ledger/replay.ts';
import { encodeEntry, membersOf, planEntry, spendEntry } from '../../shared/ledger/log-entries.ts';
import { composedRdp } from '../../shared/privacy/accounting/rdp.ts';
import { filterLimit, ledgerOrders, reserve } from '../../shared/privacy/budget.ts';
import type { AnyStatistic } from '../../shared/recommender/federated-model.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { codeOf, teaCatalogue } from '../recommender/fixtures.ts';

const catalogue = teaCatalogue(4);
const model = createModel('popularity', catalogue, {});
const scores = createReleaseScores(catalogue, { k: 10, candidate: 'a'.repeat(64), served: 'b'.repeat(64), previous: 'c'.repeat(64) }) as AnyStatistic;
const rounds = 4;

function taskOf(privacy: object = {}, gate: object | null = {}): TaskSpec {
  return parseTaskSpec({
    name: 'main', model: { kind: 'popularity' }, privacy: { mode: 'local', epsilon: 2, delta: 1e-5, rounds, ...privacy }, ...(gate === null ? {} : { gate }),
    cohort: { minParticipants: 5, targetParticipants: 6 }, deadlines: { recruitingMs: 1, trainingMs: 1 },
  });
}

/** A round of training and an evaluation. */
function pairOf(task: TaskSpec): [Plan, Plan] {
  return [makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null }), makePlan(task, { model: scores, catalogue, roundNumber: 2, baseRelease: null })];
}

/** So many pairs of them. */
function plansOf([training, evaluation]: [Plan, Plan], pairs = rounds): Plan[] {
  return Array.from({ length: pairs }, (_, index) => [{ ...training, round: `main-${2 * index + 1}` }, { ...evaluation, round: `main-${2 * index + 2}` }]).flat();
}

const promiseOf = ({ privacy }: Plan) => {
  if (privacy.mode === 'none') throw new Error('expected a promise');
  return privacy;
};
const costOf = (plan: Plan): number => composedRdp(planEvents(plan), promiseOf(plan).filterOrder);
const spendsOf = (plans: readonly Plan[]): JournalledSpend[] => plans.map((plan, index): JournalledSpend => ({ round: plan.round, purpose: (['training', 'evaluation'] satisfies Purpose[])[index % 2], state: 'committed', event: roundCost(plan).events }));

const kinds = [
  ['local', {}], ['distributed', { mode: 'distributed', tolerated: 1, colluding: 1 }], ['sampled', { sampling: { rate: 0.1, drawnBy: 'shop' } }],
  ['rotated', { encoding: 'rotated' }], ['adaptive', { adaptiveClip: { expectedShoppers: 500 }, clipNorm: 0.5 }],
] as const;

const made = new Map<string, [Plan, Plan]>();
/** The pair of a kind, made once: secret sampling takes seconds to account. */
function pairOfKind(kind: string, privacy: object): [Plan, Plan] {
  const pair = made.get(kind) ?? pairOf(taskOf(privacy));
  made.set(kind, pair);
  return pair;
}

describe('a gated task', () => {
  it.each(kinds)('of kind %s spends exactly its promise on training and evaluations, at the order of its filter', (kind, privacy) => {
    const task = taskOf(privacy);
    const pair = pairOfKind(kind, privacy);
    const plans = plansOf(pair);
    const limit = filterLimit(promiseOf(plans[0]));
    const [training, evaluation] = [0, 1].map((rest) => plans.filter((_, index) => index % 2 === rest).reduce((sum, plan) => sum + costOf(plan), 0));
    // Random rounding takes its scale in steps, and rounds its noise up a little.
    expect((training + evaluation) / limit).toBeGreaterThan(1 - 1e-8);
    expect(training + evaluation).toBeLessThanOrEqual(limit);
    if (kind !== 'rotated') expect(evaluation / limit).toBeCloseTo(0.1, 8);
    let budget = taskBudget(task, []);
    for (const plan of plans) budget = budget === null ? null : reserve(budget, plan.round, planEvents(plan));
    expect(budgetReport(task, spendsOf(plans))).toMatchObject({ roundsCharged: rounds, evaluationsCharged: rounds, roundsLeft: 0, state: 'exhausted' });
    expect(codeOf(() => budget !== null && reserve(budget, 'one more', planEvents(pair[1])))).toBe('budget.exhausted');
  });

  it.each(kinds)('of kind %s makes plans that its shops accept, and none that takes more than it says', (kind, privacy) => {
    const [training, evaluation] = pairOfKind(kind, privacy);
    expect(codeOf(() => checkShape(training, model))).toBe('nothing thrown');
    expect(codeOf(() => checkShape(evaluation, scores))).toBe('nothing thrown');
    for (const plan of [training, evaluation]) {
      expect(codeOf(() => checkPromise(plan))).toBe('nothing thrown');
      expect(codeOf(() => checkPromise({ ...plan, privacy: { ...promiseOf(plan), share: 0.99 * (promiseOf(plan).share ?? 0) } }))).toBe('privacy.invalid');
      expect(codeOf(() => checkPromise({ ...plan, privacy: { ...promiseOf(plan), noiseStd: 0.999 * promiseOf(plan).noiseStd } }))).toBe('privacy.invalid');
    }
  });

  it('refuses a share beyond the equal one: the rounds after it would have none', () => {
    const [plan] = pairOf(taskOf());
    expect(codeOf(() => parsePlan({ ...plan, privacy: { ...promiseOf(plan), share: 1 / rounds } }))).toBe('nothing thrown');
    expect(codeOf(() => parsePlan({ ...plan, privacy: { ...promiseOf(plan), share: 1.001 / rounds } }))).toBe('plan.invalid');
  });

  it('scores releases on the sparse grid at their own norm, whatever the model needs', () => {
    for (const [kind, privacy] of kinds) {
      const [, { bounds, statisticLength, baseRelease }] = pairOfKind(kind, privacy);
      expect({ encoding: bounds.encoding.kind, clipBit: bounds.clipBit, statisticLength, baseRelease }).toEqual({ encoding: 'sparse', clipBit: null, statisticLength: 5, baseRelease: null });
      expect(bounds.clipNorm).toBeCloseTo(scores.normBound / Math.sqrt(0.99), 12);
    }
  });

  it('leaves plans without a gate as they were', () => {
    const [plan] = [makePlan(taskOf({}, null), { model, catalogue, roundNumber: 1, baseRelease: null })];
    expect(plan.privacy).not.toHaveProperty('share');
    expect(codeOf(() => makePlan(taskOf({}, null), { model: scores, catalogue, roundNumber: 1, baseRelease: null }))).toBe('plan.invalid');
  });

  it('needs a second round, a share of at most a half, and a tolerance below 1', () => {
    expect(codeOf(() => taskOf({ rounds: 1 }))).toBe('plan.invalid');
    for (const gate of [{ share: 0 }, { share: 0.51 }, { tolerance: 1 }, { tolerance: -0.1 }, { surprise: 1 }]) expect(codeOf(() => taskOf({}, gate))).toBe('plan.invalid');
    expect(codeOf(() => parseTaskSpec({ ...taskOf(), model: { kind: 'evaluation' } }))).toBe('plan.invalid');
  });

  it('makes a record that adds up by its plans alone: one set of terms, and all of the budget', () => {
    const plans = plansOf(pairOf(taskOf()));
    const lines: Uint8Array[] = [];
    let rdp: readonly (number | null)[] = ledgerOrders.map(() => 0);
    for (const plan of plans) {
      const { planHash } = planEntry(plan);
      const ref = { task: plan.task, round: plan.round, planHash };
      const spend = spendEntry(ref, planEvents(plan), rdp);
      rdp = spend.cumulative.rdp;
      lines.push(...[planEntry(plan), { type: 'roster' as const, ...ref, members: membersOf(['ab'.repeat(32)]) }, spend].map(encodeEntry));
    }
    const { totals, inconsistency } = replayLog(lines, planRules);
    expect(inconsistency).toBeNull();
    expect(totals.tasks).toMatchObject([{ plans: 8, rounds: { charged: 8, released: 0 } }]);
  });
});
