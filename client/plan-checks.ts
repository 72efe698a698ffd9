/**
 * What a participant checks before it joins a round. A plan comes from outside: its signature says who made it,
 * these checks say whether its promise is true and affordable. Nothing a coordinator claims about epsilon is
 * believed: the noise is accounted again here.
 */
import * as z from 'zod';
import { requireLocalTerms } from '../shared/federation/local-terms.ts';
import { requireMaskable } from '../shared/federation/masked-terms.ts';
import { epsilonOfRounds } from '../shared/federation/plan-cost.ts';
import { contributionLength, equalRounds, honestShares, modelNorm, planHash, planStatement, protocolVersion, slotsOf, type Plan } from '../shared/federation/plan.ts';
import { verifySignature } from '../shared/ledger/signature.ts';
import { largestNoiseSteps } from '../shared/privacy/grid.ts';
import { paddedLength } from '../shared/privacy/rotation.ts';
import { statisticKinds, type AnyStatistic } from '../shared/recommender/federated-model.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import { spendOf, spentAfter, totalSpent, type SpendLimits, type SpendRecord } from './spends.ts';

/** Rounding of sums of epsilons, and of the accountant between platforms; far below anything that matters. */
const relativeSlack = 1e-9;

/** @throws CestaError `plan.invalid` unless the coordinator signed exactly this plan. */
export async function checkSignature(plan: Plan, signature: string, coordinatorKey: string | null): Promise<void> {
  if (coordinatorKey === null || !(await verifySignature(coordinatorKey, signature, planStatement(planHash(plan))))) {
    throw new CestaError('plan.invalid', `signature: expected one over this plan by the coordinator's key ${coordinatorKey ?? '(none known)'}`);
  }
}

/** @throws CestaError `plan.invalid` when the plan is for none of the tasks that the participant limits itself to. */
export function checkTask({ task }: Plan, tasks: readonly string[] | undefined): void {
  if (tasks !== undefined && !tasks.includes(task)) throw new CestaError('plan.invalid', `task: expected one that this participant takes part in, ${tasks.join(', ')}, got ${task}`);
}

/** @throws CestaError `plan.invalid` when the plan is for another model or length than this participant's, or asks of it what it cannot do. */
export function checkShape(plan: Plan, model: AnyStatistic): void {
  const expect = (field: string, expected: string | number, got: string | number): void => {
    if (expected !== got) throw new CestaError('plan.invalid', `${field}: expected ${expected}, got ${got}`);
  };
  expect('model.kind', model.kind, plan.model.kind);
  requireLocalTerms(plan, model);
  // The slots behind the model's vector count shoppers, and those within the clip norm.
  const length = model.statisticLength() + slotsOf(plan.bounds);
  expect('statisticLength', length, contributionLength(plan));
  if (plan.bounds.encoding.kind === 'rotated') expect('statisticLength', paddedLength(length), plan.statisticLength);
}

/**
 * Whether the noise of the plan gives the epsilon it promises, by the same accountant the coordinator should have used.
 * @throws CestaError `privacy.invalid`, or `privacy.infeasible` for more noise than can be drawn.
 */
export function checkPromise(plan: Plan): void {
  const { privacy, bounds } = plan;
  switch (privacy.mode) {
    case 'none':
      return;
    case 'local':
    case 'distributed': {
      const { clipNorm, countValue, clipBit, gridScale } = bounds;
      if (clipNorm === null) throw new CestaError('privacy.invalid', `bounds.clipNorm: expected a number in mode ${privacy.mode}, got none`);
      // The model part keeps what the slots leave of the norm. Asked of that very number: a norm of the slots that
      // rounds to the clip norm may leave the root of a negative one.
      if (!(modelNorm(bounds) > 0)) {
        throw new CestaError('privacy.invalid', `bounds.countValue: expected less than the clip norm ${clipNorm} in all slots, got ${Math.hypot(countValue, clipBit?.value ?? 0)}`);
      }
      const { epsilon, noiseStd } = privacy;
      // Found out only when noise is drawn, the spend would be on record already.
      const shareSteps = (noiseStd * gridScale) / Math.sqrt(honestShares(plan));
      if (shareSteps > largestNoiseSteps) {
        throw new CestaError('privacy.infeasible', `privacy.noiseStd: expected at most ${largestNoiseSteps} grid steps in a share, got ${shareSteps}`);
      }
      const real = epsilonOfRounds(plan, equalRounds(privacy)) ?? Infinity;
      if (!(real <= epsilon * (1 + relativeSlack))) {
        throw new CestaError('privacy.invalid', `privacy.noiseStd: expected enough noise for epsilon ${epsilon}, got ${noiseStd}, which gives ${real}`);
      }
      requireMaskable(plan);
      return;
    }
    default:
      return privacy satisfies never;
  }
}

/**
 * Whether one more round under this plan stays inside the participant's own limits. Epsilon is stated at the
 * participant's own delta: a coordinator that may choose it freely could buy an exact sum for a tiny epsilon.
 * @throws CestaError `privacy.mode-unavailable` for a plan without a promise, `budget.exhausted` at a limit.
 */
export function checkBudget(plan: Plan, record: SpendRecord, limits: SpendLimits): void {
  const { maxEpsilon } = limits;
  if (plan.privacy.mode === 'none') {
    throw new CestaError('privacy.mode-unavailable', `privacy.mode: expected a private mode, since this participant limits epsilon to ${maxEpsilon}, got none`);
  }
  const before = totalSpent(record, limits).epsilon;
  if (!Number.isFinite(before)) throw new CestaError('budget.exhausted', `epsilon: expected at most ${maxEpsilon} spent by this participant, got a report without protection on record`);
  try {
    spentAfter(record, plan, limits);
  } catch (cause) {
    if (toCestaError(cause).code !== 'budget.exhausted') throw cause;
    const after = totalSpent({ ...record, spends: [...record.spends, spendOf(plan, '', '')] }, limits).epsilon;
    throw new CestaError('budget.exhausted', `epsilon: expected at most ${maxEpsilon} spent by this participant, got ${after} after ${plan.round} (${before} so far)`, { cause });
  }
}

const unreadableInvite = z.object({
  type: z.literal('invite'),
  plan: z.object({
    round: z.string().min(1).max(96),
    protocol: z.unknown(),
    privacy: z.object({ mode: z.string() }).optional().catch(undefined),
    model: z.object({ kind: z.string() }).optional().catch(undefined),
  }),
});

/** An invitation that this version cannot read: the round it is for and why it is declined; null for anything else. */
export function refuseUnreadable(text: string): { readonly round: string; readonly code: ErrorCode; readonly message: string } | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = unreadableInvite.safeParse(value);
  if (!parsed.success) return null;
  const { round, protocol, privacy, model } = parsed.data.plan;
  if (protocol !== protocolVersion) return { round, code: 'protocol.version', message: `plan.protocol: expected ${protocolVersion}, got ${shorten(protocol)}` };
  if (privacy !== undefined && !['none', 'local', 'distributed'].includes(privacy.mode)) {
    return { round, code: 'privacy.mode-unavailable', message: `privacy.mode: expected none, local or distributed, got ${shorten(privacy.mode)}` };
  }
  if (model !== undefined && !(statisticKinds as readonly string[]).includes(model.kind)) {
    return { round, code: 'model.unknown', message: `model.kind: expected ${statisticKinds.join(', ')}, got ${shorten(model.kind)}` };
  }
  return { round, code: 'plan.invalid', message: 'plan: expected the fields of this protocol version, got others' };
}

function shorten(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 64);
}
