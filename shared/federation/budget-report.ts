/**
 * What a task promises and has spent, in numbers and in words. Every report names unit, adjacency, delta,
 * assumptions and the threat model, because an epsilon without them says nothing.
 */
import { CestaError } from '../protocol/errors.ts';
import { epsilonOf } from '../privacy/accounting/epsilon.ts';
import { privacyEventsSchema, type PrivacyEvent } from '../privacy/accounting/events.ts';
import { acrossShops, filterOrderOf, ledgerOrders, reportBudget, restoreBudget, type BudgetEntry, type BudgetState } from '../privacy/budget.ts';
import type { PrivacyStatement } from './release.ts';
import { epsilonOfRounds, planEvents } from './plan-cost.ts';
import type { Plan, Purpose } from './plan.ts';
import { sharesOf, type TaskSpec } from './task.ts';

const unit = 'one shopper in one shop';
const adjacency = 'add or remove all records of one shopper at one shop';

const threatModel: Record<Plan['privacy']['mode'], string> = {
  none: 'No protection: the coordinator receives every shop\'s exact sums. For tests and for data that may be public.',
  local: 'Each shop adds all of the noise itself, so the guarantee holds against the coordinator, the other shops and every reader of a release, whoever of them collude. It does not protect a shopper from the shop that holds the orders.',
  distributed: 'The coordinator sees one masked sum, to which every shop adds a share of the noise: the guarantee holds against the coordinator, every reader of a release and as many shops as are named, all colluding, if the other shops are honest and really exist. It does not protect a shopper from the shop that holds the orders.',
};

const nothingPromised = ['Nothing is promised, so nothing is assumed.'] as const;

/** What a task or plan says of its noise. */
interface NoiseTerms {
  readonly sampling: number;
  readonly shopsPerShopper: number;
  /** Null where every shop adds all of the noise. */
  readonly shares: { readonly tolerated: number; readonly colluding: number } | null;
  /** Of a buffered task. */
  readonly maxStaleness: number | null;
}

function assumptionsOf({ sampling, shopsPerShopper, shares, maxStaleness }: NoiseTerms): readonly string[] {
  return [
    ...(shares === null ? [] : [
      `At most ${shares.colluding} of the shops in a sum collude with the coordinator or with one another, and fewer than a third of its roster; all others exist, belong to different owners, and add their share of the noise. Where enrolment is open, nobody checks that.`,
      `After up to ${shares.tolerated} dropouts the sum carries exactly the planned noise; beyond that nothing is revealed. Noise that may be removed comes from 256-bit seeds: to whoever cannot break AES-256 it is noise.`,
    ]),
    `A person who is a shopper of ${shopsPerShopper} shops has a larger epsilon, which the budget states beside this one; of more shops, a larger one still.`,
    sampling === 1
      ? 'Every round uses the whole of a shop\'s consenting shoppers: no amplification by sampling is claimed.'
      : `Every shop takes each of its shoppers with probability ${sampling}, independently, and tells nobody whom: against whoever learns the sample, the shop itself first of all, the numbers do not hold.`,
    ...(maxStaleness === null ? [] : [
      `A report may be in a sum up to ${maxStaleness} releases later than its plan, with less weight: every plan is charged in full before anybody trains under it, and a shop answers each once. Weights follow from when reports arrive, which may depend on how long a shop trains; that time is not padded.`,
    ]),
    'Parameters of a round may depend on earlier releases: the budget is a filter at one Renyi order that was fixed before the first round.',
  ];
}

/** What a journal records before a round's first frame is sent. */
export interface RoundCost {
  /** Of this round by itself; null where nothing is promised. */
  readonly epsilon: number | null;
  readonly delta: number | null;
  /** Enough for any later accountant to recompute the cost; none where nothing is promised. */
  readonly events: readonly PrivacyEvent[];
}

export function roundCost(plan: Plan): RoundCost {
  return { epsilon: epsilonOfRounds(plan, 1), delta: plan.privacy.mode === 'none' ? null : plan.privacy.delta, events: planEvents(plan) };
}

/** A line of the coordinator's journal, as far as the budget looks at it. */
export interface JournalledSpend {
  readonly round: string;
  readonly purpose: Purpose;
  readonly state: BudgetEntry['kind'];
  /** What {@link roundCost} gave, read back from a disk. */
  readonly event: unknown;
}

/**
 * The budget of a task as its journal has it; null where the task promises nothing.
 * @throws CestaError `storage.failed` for a journal that this version did not write.
 */
export function taskBudget({ privacy }: TaskSpec, spends: readonly JournalledSpend[]): BudgetState | null {
  const { mode, epsilon, delta, rounds, sampling, shopsPerShopper } = privacy;
  if (mode === 'none' || epsilon === undefined || delta === undefined) return null;
  const filterOrder = filterOrderOf({ epsilon, delta, rounds, sampling: sampling?.rate ?? 1 });
  const journal = spends.flatMap(({ round, state, event }): BudgetEntry[] => {
    const reserved: BudgetEntry = { kind: 'reserved', id: round, events: journalledEvents(round, event) };
    return state === 'reserved' ? [reserved] : [reserved, { kind: state, id: round }];
  });
  return restoreBudget({ epsilon, delta, filterOrder, shopsPerShopper }, journal);
}

/** @throws CestaError `storage.failed` */
export function journalledEvents(round: string, event: unknown): readonly PrivacyEvent[] {
  const parsed = privacyEventsSchema.safeParse(event);
  if (!parsed.success) throw new CestaError('storage.failed', `spends: expected the events of ${round} as this version writes them, got others`, { cause: parsed.error });
  return parsed.data;
}

/** The privacy paragraph of a release's manifest, after rounds that cost `charged`; `noiseStd` is that of the sum. */
export function describePrivacy(plan: Plan, charged: readonly PrivacyEvent[], { noiseStd }: { readonly noiseStd: number }): PrivacyStatement {
  const { privacy, bounds } = plan;
  return {
    mode: privacy.mode,
    unit,
    adjacency,
    epsilon: privacy.mode === 'none' ? null : epsilonOf(charged, privacy.delta, { crossCheck: false }).epsilon,
    delta: privacy.mode === 'none' ? null : privacy.delta,
    noiseStd,
    clipNorm: bounds.clipNorm,
    assumptions: [...(privacy.mode === 'none' ? nothingPromised : assumptionsOf({ ...privacy, shares: privacy.mode === 'distributed' ? privacy : null, maxStaleness: plan.aggregation?.maxStaleness ?? null })), ...robustnessOf(plan), threatModel[privacy.mode]],
  };
}

/** What is made of noised reports costs nothing; how noisy it is depends on more than the plan. */
function robustnessOf({ robust, privacy }: Plan): readonly string[] {
  if (robust === undefined || privacy.mode === 'none') return [];
  return [`Noised reports are combined by ${robust.rule}, which costs nothing of the budget. The noise of the release is stated for shops that differ by noise alone: where they differ by more, it may be larger.`];
}

/** `GET /v1/budget` and `cesta budget`: one task. */
export interface BudgetReport {
  readonly task: string;
  readonly mode: Plan['privacy']['mode'];
  readonly unit: string;
  readonly adjacency: string;
  readonly delta: number | null;
  readonly epsilonLimit: number | null;
  readonly epsilonSpent: number | null;
  readonly epsilonLeft: number | null;
  /** For a person who is a shopper of `shopsPerShopper` shops. */
  readonly epsilonAcrossShops: number | null;
  readonly shopsPerShopper: number;
  /** The Renyi order of the filter, and the share of its limit that is used: at 1 the task stops. */
  readonly filterOrder: number | null;
  readonly filterUsed: number | null;
  /** Composed Renyi divergence of everything charged, at fixed orders: what a later accountant may start from. */
  readonly rdp: { readonly orders: readonly number[]; readonly values: readonly number[] } | null;
  /** A ledger of its own: what the same releases tell about one whole shop. Null where that is not bounded. */
  readonly shopLedger: { readonly unit: string; readonly adjacency: string; readonly epsilon: number } | null;
  /** Of training; evaluations of releases, which have a part of the budget of their own, beside them. */
  readonly roundsCharged: number;
  readonly evaluationsCharged: number;
  readonly roundsLeft: number;
  /** open: rounds may follow. exhausted: the task has spent what it promised, and stops for good. */
  readonly state: 'open' | 'exhausted' | 'unlimited';
  readonly assumptions: readonly string[];
  readonly threatModel: string;
}

/**
 * @param task with the rounds that it really takes
 * @throws CestaError `storage.failed` for a journal that this version did not write.
 */
export function budgetReport(task: TaskSpec, spends: readonly JournalledSpend[]): BudgetReport {
  const { privacy } = task;
  const budget = taskBudget(task, spends);
  const charges = spends.filter(({ state }) => state !== 'abandoned');
  const roundsCharged = charges.filter(({ purpose }) => purpose === 'training').length;
  const roundsLeft = Math.max(0, privacy.rounds - roundsCharged);
  const shares = privacy.mode === 'distributed' ? sharesOf(task) : null;
  const mode = budget === null ? 'none' : shares === null ? 'local' : 'distributed';
  const base = { task: task.name, mode, unit, adjacency, shopsPerShopper: privacy.shopsPerShopper, roundsCharged, evaluationsCharged: charges.length - roundsCharged, roundsLeft, assumptions: budget === null ? nothingPromised : assumptionsOf({ sampling: privacy.sampling?.rate ?? 1, shopsPerShopper: privacy.shopsPerShopper, shares, maxStaleness: task.aggregation.kind === 'buffered' ? task.aggregation.maxStaleness : null }), threatModel: threatModel[mode] } as const;
  if (budget === null) {
    return { ...base, delta: null, epsilonLimit: null, epsilonSpent: null, epsilonLeft: null, epsilonAcrossShops: null, filterOrder: null, filterUsed: null, rdp: null, shopLedger: null, state: 'unlimited' };
  }
  const { spent, spentAcrossShops, filterUsed, epsilonLimit, delta, charged } = reportBudget(budget);
  return {
    ...base,
    delta,
    epsilonLimit,
    epsilonSpent: spent.epsilon,
    epsilonLeft: Math.max(0, epsilonLimit - spent.epsilon),
    epsilonAcrossShops: spentAcrossShops.epsilon,
    filterOrder: budget.terms.filterOrder,
    filterUsed,
    rdp: { orders: ledgerOrders, values: budget.rdp },
    shopLedger: {
      unit: 'one whole shop',
      adjacency: `add or remove all records of a shop of at most ${task.maxShoppersPerShop} shoppers`,
      // All its shoppers at once: the clip norm bounds each of them, so their number times it bounds the shop.
      epsilon: epsilonOf(charged.map((event) => acrossShops(withoutSampling(event), task.maxShoppersPerShop)), delta, { crossCheck: false }).epsilon,
    },
    state: roundsLeft === 0 ? 'exhausted' : 'open',
  };
}

/** A shop is in every round, whichever of its shoppers are. */
function withoutSampling(event: PrivacyEvent): PrivacyEvent {
  return 'sampling' in event ? { ...event, sampling: 1 } : event;
}
