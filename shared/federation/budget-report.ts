/**
 * What a task promises and has spent, in numbers and in words. Every report names unit, adjacency, delta,
 * assumptions and the threat model, because an epsilon without them says nothing.
 */
import { CestaError } from '../protocol/errors.ts';
import { epsilonOf } from '../privacy/accounting/epsilon.ts';
import { privacyEventsSchema, type PrivacyEvent } from '../privacy/accounting/events.ts';
import { acrossShops, filterOrderOf, ledgerOrders, reportBudget, restoreBudget, type BudgetEntry, type BudgetState } from '../privacy/budget.ts';
import type { PrivacyStatement } from './release.ts';
import { contributionsOfPerson, epsilonOfRounds, planEvents } from './plan-cost.ts';
import type { Plan, Purpose } from './plan.ts';
import { sharesOf } from './noise-terms.ts';
import type { TaskSpec } from './task.ts';

/** Whose presence the numbers are about. */
const shopperUnit = { unit: 'one shopper in one shop', adjacency: 'add or remove all records of one shopper at one shop' } as const;
const shopUnit = { unit: 'one whole shop', adjacency: 'add or remove all data of one shop, of all its shoppers at once; that the shop takes part is public' } as const;

/** Whose presence an epsilon is about, and what is added or removed. */
export function unitOf(unit: TaskSpec['unit'] | undefined): { readonly unit: string; readonly adjacency: string } {
  return unit === 'shop' ? shopUnit : shopperUnit;
}

const threatModel: Record<Plan['privacy']['mode'], string> = {
  none: 'No protection: the coordinator receives every shop\'s exact sums. For tests and for data that may be public.',
  local: 'Each shop adds all of the noise itself, so the guarantee holds against the coordinator, the other shops and every reader of a release, whoever of them collude. It does not protect a shopper from the shop that holds the orders.',
  distributed: 'The coordinator sees one masked sum, to which every shop adds a share of the noise: the guarantee holds against the coordinator, every reader of a release and as many shops as are named, all colluding, if the other shops are honest and really exist. It does not protect a shopper from the shop that holds the orders.',
};

/** Of a task whose members are drawn into groups. */
const groupedThreatModel = 'The coordinator sees one masked sum of each group of shops, to which every shop of the group adds a share of the noise: the guarantee holds against the coordinator, every reader of a release and as many shops as are named, all colluding, in whichever groups they are, if the other shops are honest and really exist. It does not protect a shopper from the shop that holds the orders.';

/** Against whom a guarantee holds. @param groups that members are drawn into; null where there is one sum */
export function threatModelOf(mode: Plan['privacy']['mode'], groups: number | null): string {
  return groups === null ? threatModel[mode] : groupedThreatModel;
}

const nothingPromised = ['Nothing is promised, so nothing is assumed.'] as const;

/** What a task or plan says of its noise. */
interface NoiseTerms {
  readonly sampling: number;
  readonly shopsPerShopper: number;
  readonly unit: TaskSpec['unit'];
  readonly weightedUpTo: number | undefined;
  /** Null where every shop adds all of the noise. */
  readonly shares: {
    readonly tolerated: number;
    /** Undefined where it is left to the plan of a round. */
    readonly dropoutStep: number | undefined;
    readonly colluding: number;
  } | null;
  /** That members are drawn into, each with a masked sum; null where there is one sum. */
  readonly groups: number | null;
  /** Of a buffered task. */
  readonly maxStaleness: number | null;
}

function assumptionsOf({ sampling, shopsPerShopper, unit, weightedUpTo, shares, groups, maxStaleness }: NoiseTerms): readonly string[] {
  return [
    ...(shares === null ? [] : [
      `At most ${shares.colluding} of the shops in a sum collude with the coordinator or with one another, and fewer than a third of its roster; all others exist, belong to different owners, and add their share of the noise. Where enrolment is open, nobody checks that.`,
      ...(groups === null ? [] : [`The shops of a round are drawn into ${groups} groups, and the sum of each carries the noise of the whole promise. A shop is in one group, so a shopper is in one sum: a round costs what that costs, whatever the number of groups.`]),
      `After up to ${shares.tolerated} dropouts the sum carries ${shares.dropoutStep === 1 ? 'exactly' : 'at least'} the planned noise; beyond that nothing is revealed. Noise that may be removed comes from 256-bit seeds: to whoever cannot break AES-256 it is noise.`,
    ]),
    ...(unit === 'shop' ? [
      'The unit is the shop: epsilon is for everything a shop has, and the change that all its shoppers make together is clipped as one. Single shoppers have no bound of their own: the records of one of them change what the shop contributes, by up to twice the clip norm, so for that shopper epsilon is a larger one, which the budget states beside this one.',
      `A person who is a shopper of ${shopsPerShopper} shops changes the contributions of all of them: epsilon is larger still, and stated as well.`,
    ] : [`A person who is a shopper of ${shopsPerShopper} shops has a larger epsilon, which the budget states beside this one; of more shops, a larger one still.`]),
    ...weightingOf(weightedUpTo),
    samplingOf(sampling, unit),
    ...(maxStaleness === null ? [] : [
      `A report may be in a sum up to ${maxStaleness} releases later than its plan, with less weight: every plan is charged in full before anybody trains under it, and a shop answers each once. Weights follow from when reports arrive, which may depend on how long a shop trains; that time is not padded.`,
    ]),
    'Parameters of a round may depend on earlier releases: the budget is a filter at one Renyi order that was fixed before the first round.',
  ];
}

export function samplingOf(sampling: number, unit: TaskSpec['unit']): string {
  if (sampling !== 1) return `Every shop takes each of its shoppers with probability ${sampling}, independently, and tells nobody whom: against whoever learns the sample, the shop itself first of all, the numbers do not hold.`;
  return unit === 'shop' ? 'Every round uses the whole of a shop: no amplification by sampling is claimed.' : 'Every round uses the whole of a shop\'s consenting shoppers: no amplification by sampling is claimed.';
}

export function weightingOf(weightedUpTo: number | undefined): readonly string[] {
  if (weightedUpTo === undefined) return [];
  return [`A contribution of n events counts min(n, ${weightedUpTo}) / ${weightedUpTo}, in the sum and in its count of contributions: at most 1, so nobody's guarantee is weaker for it.`];
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
export function taskBudget({ privacy, unit }: TaskSpec, spends: readonly JournalledSpend[]): BudgetState | null {
  const { mode, epsilon, delta, rounds, sampling, shopsPerShopper } = privacy;
  if (mode === 'none' || epsilon === undefined || delta === undefined) return null;
  const filterOrder = filterOrderOf({ epsilon, delta, rounds, sampling: sampling?.rate ?? 1 });
  const journal = spends.flatMap(({ round, state, event }): BudgetEntry[] => {
    const reserved: BudgetEntry = { kind: 'reserved', id: round, events: journalledEvents(round, event) };
    return state === 'reserved' ? [reserved] : [reserved, { kind: state, id: round }];
  });
  return restoreBudget({ epsilon, delta, filterOrder, shopsPerShopper: contributionsOfPerson(unit, shopsPerShopper) }, journal);
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
    ...unitOf(plan.unit),
    epsilon: privacy.mode === 'none' ? null : epsilonOf(charged, privacy.delta, { crossCheck: false }).epsilon,
    delta: privacy.mode === 'none' ? null : privacy.delta,
    noiseStd,
    clipNorm: bounds.clipNorm,
    assumptions: [...(privacy.mode === 'none' ? [...nothingPromised, ...weightingOf(plan.weightedUpTo)] : assumptionsOf({ ...privacy, unit: plan.unit ?? 'shopper', weightedUpTo: plan.weightedUpTo, shares: privacy.mode === 'distributed' ? { ...privacy, dropoutStep: privacy.dropoutStep ?? 1 } : null, groups: plan.robust?.groups ?? null, maxStaleness: plan.aggregation?.maxStaleness ?? null })), ...robustnessOf(plan), threatModelOf(privacy.mode, plan.robust?.groups ?? null)],
  };
}

/** What is made of noised reports costs nothing; how noisy it is depends on more than the plan. */
function robustnessOf({ robust, privacy }: Plan): readonly string[] {
  if (robust === undefined || privacy.mode === 'none') return [];
  return [`Noised ${robust.groups === undefined ? 'reports' : 'sums of groups'} are combined by ${robust.rule}, which costs nothing of the budget. The noise of the release is stated for ${robust.groups === undefined ? 'shops' : 'groups'} that differ by noise alone: where they differ by more, it may be larger.`];
}

/** What the same releases tell about another unit than the one that the budget is for. */
export interface SideLedger {
  readonly unit: string;
  readonly adjacency: string;
  readonly epsilon: number;
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
  /** A ledger of its own: what the same releases tell about one whole shop. Null where that is not bounded, or the unit. */
  readonly shopLedger: SideLedger | null;
  /** And about one shopper in one shop, where the unit is the shop. */
  readonly shopperLedger: SideLedger | null;
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
  const shares = privacy.mode === 'distributed' ? { ...sharesOf(task), dropoutStep: privacy.dropoutStep } : null;
  const mode = budget === null ? 'none' : shares === null ? 'local' : 'distributed';
  const base = { task: task.name, mode, ...unitOf(task.unit), shopsPerShopper: privacy.shopsPerShopper, roundsCharged, evaluationsCharged: charges.length - roundsCharged, roundsLeft, assumptions: budget === null ? nothingPromised : assumptionsOf({ sampling: privacy.sampling?.rate ?? 1, shopsPerShopper: privacy.shopsPerShopper, unit: task.unit, weightedUpTo: task.weightedUpTo, shares, groups: task.robust?.groups ?? null, maxStaleness: task.aggregation.kind === 'buffered' ? task.aggregation.maxStaleness : null }), threatModel: threatModelOf(mode, task.robust?.groups ?? null) } as const;
  if (budget === null) {
    return { ...base, delta: null, epsilonLimit: null, epsilonSpent: null, epsilonLeft: null, epsilonAcrossShops: null, filterOrder: null, filterUsed: null, rdp: null, shopLedger: null, shopperLedger: null, state: 'unlimited' };
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
    ...sideLedgers(task, charged, delta),
    state: roundsLeft === 0 ? 'exhausted' : 'open',
  };
}

function sideLedgers(task: TaskSpec, charged: readonly PrivacyEvent[], delta: number): Pick<BudgetReport, 'shopLedger' | 'shopperLedger'> {
  const epsilonAt = (contributions: number): number => epsilonOf(charged.map((event) => acrossShops(withoutSampling(event), contributions)), delta, { crossCheck: false }).epsilon;
  if (task.unit === 'shop') {
    return { shopLedger: null, shopperLedger: { unit: shopperUnit.unit, adjacency: `${shopperUnit.adjacency}, whose other shoppers stay`, epsilon: epsilonAt(contributionsOfPerson(task.unit, 1)) } };
  }
  // All its shoppers at once: the clip norm bounds each of them, so their number times it bounds the shop.
  return { shopLedger: { unit: shopUnit.unit, adjacency: `add or remove all records of a shop of at most ${task.maxShoppersPerShop} shoppers`, epsilon: epsilonAt(task.maxShoppersPerShop) }, shopperLedger: null };
}

/** A shop is in every round, whichever of its shoppers are. */
function withoutSampling(event: PrivacyEvent): PrivacyEvent {
  return 'sampling' in event ? { ...event, sampling: 1 } : event;
}
