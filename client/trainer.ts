/**
 * What a participant sums for a plan, and when its spend is on record: the same for shop nodes and browsers. The spend is
 * durable before the noised sum exists outside of this module, so before its first byte can be sent.
 */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { permits } from '../shared/commerce/consent.ts';
import type { Dataset } from '../shared/datasets/dataset.ts';
import type { Plan } from '../shared/federation/plan.ts';
import { drawNoise } from '../shared/federation/noise-shares.ts';
import { addDrawnNoise } from '../shared/federation/statistic.ts';
import type { Noised } from '../shared/privacy/vectors.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { AnyStatistic } from '../shared/recommender/federated-model.ts';
import type { Awaitable } from '../shared/secagg/crypto.ts';
import { contributionsOf, type ControlStore } from './contributions.ts';
import { fetchCatalogue, fetchRelease } from './coordinator-api.ts';
import type { MappingReport } from './federation-histories.ts';
import type { Fetch } from './http.ts';
import { createModelCache, type ModelCache } from './model-cache.ts';
import { checkBudget } from './plan-checks.ts';
import { roundSubject, type RoundSubject } from './round-subject.ts';
import { systemRandom } from './secure-random.ts';
import { defaultMaxDelta, spendOf, totalSpent, type Spend, type SpendLimits, type SpendRecord, type Spent } from './spends.ts';

/** The statistic is made and its spend is on record. */
export interface TrainedEvent {
  readonly kind: 'trained';
  readonly round: string;
  readonly mapping: MappingReport;
  readonly spent: Spent;
}

export interface TrainerOptions {
  /** What is there now, for a round of this plan: a browser's history grows while it takes part. */
  readonly dataset: (plan: Plan) => Dataset;
  readonly coordinator: URL;
  /** Null before first contact. */
  readonly coordinatorKey: () => string | null;
  /** Without `maxEpsilon`, nothing is declined for what it costs. */
  readonly limits: Partial<SpendLimits>;
  /** Shoppers that plans must have room for; without it, those who consent. */
  readonly capacity?: number;
  /**
   * Gives `decide` the record of spends, and appends what it returns before anybody else can; whatever it throws, nothing is
   * appended. Resolves to the record with it when that is durable.
   */
  readonly commit: (decide: (record: SpendRecord) => Spend) => Awaitable<SpendRecord>;
  /** Without it, plans whose strategy needs control variates are declined. */
  readonly controls?: ControlStore;
  readonly tell: (event: TrainedEvent) => void;
  readonly fetch: Fetch;
  /** One may serve all participants that run together. */
  readonly modelCache?: ModelCache;
}

/** What `startParticipant` asks for, and one thing more. */
export interface Trainer {
  /** A round ended in a release that has this participant's report. @throws CestaError `storage.failed` */
  readonly settle: (round: string) => void;
  model(plan: Plan): Promise<AnyStatistic>;
  accept(plan: Plan): void;
  statistic(plan: Plan, planHash: string, terms: { readonly participants: number; readonly signal: AbortSignal }): Promise<Noised>;
}

export function createTrainer(options: TrainerOptions): Trainer {
  const { coordinator, capacity, limits, controls: store = null, modelCache = createModelCache(), fetch } = options;
  const catalogueOf = ({ catalogueHash }: Plan): Promise<Catalogue> => modelCache.catalogue(catalogueHash, () => fetchCatalogue(fetch, coordinator, catalogueHash));
  const subjectOf = async (plan: Plan): Promise<RoundSubject> => roundSubject(plan, await catalogueOf(plan), { modelCache, release: (sha256) => fetchRelease(fetch, { coordinator, coordinatorKey: options.coordinatorKey() ?? '', task: plan.task }, sha256) });
  let proposed: Plan | null = null;
  return {
    settle(round) {
      if (proposed?.round === round) store?.commit(proposed.task, round);
    },
    model: async (plan) => (await subjectOf(plan)).statistic,
    accept(plan) {
      const { unit, strategy, bounds: { maxShoppersPerShop } } = plan;
      if (strategy?.kind === 'scaffold' && store === null) throw new CestaError('plan.invalid', 'strategy: expected one without control variates, which this participant does not keep, got scaffold');
      // A shop that is one contribution is that whatever its size.
      if (unit === 'shop') return;
      const room = capacity ?? options.dataset(plan).shoppers.filter(({ degree }) => permits(degree, 'improve')).length;
      // The answer goes to the coordinator: it names what is declared, never what was counted.
      if (room > maxShoppersPerShop) {
        throw new CestaError('privacy.infeasible', `maxShoppersPerShop: expected room for ${capacity ?? 'all shoppers of this shop'}, got ${maxShoppersPerShop}`);
      }
    },
    async statistic(plan, planHash, { participants, signal }) {
      const catalogue = await catalogueOf(plan);
      const subject = await subjectOf(plan);
      const base = await subject.base();
      const random = systemRandom();
      // Before the data: the time of a draw depends on its value and must not be measured against the data.
      const noise = drawNoise(plan, participants, random);
      const { sum, report, controls } = await contributionsOf({ dataset: options.dataset(plan), catalogue, model: subject.statistic, params: base.params, plan, random }, { base, store, signal });
      signal.throwIfAborted();
      const record = await options.commit((before) => decideSpend(plan, planHash, before, limits));
      if (controls !== null) store?.propose(plan.task, plan.round, controls);
      proposed = controls === null ? null : plan;
      const noised = addDrawnNoise(sum, noise);
      options.tell({ kind: 'trained', round: plan.round, mapping: report, spent: totalSpent(record, limits) });
      return noised;
    },
  };
}

/** @throws CestaError `protocol.replayed`, or what `checkBudget` objects to. */
function decideSpend(plan: Plan, planHash: string, before: SpendRecord, { maxEpsilon, maxDelta = defaultMaxDelta }: Partial<SpendLimits>): Spend {
  // A second sum of the same data under one plan would be two for the price of one in every public account.
  if (plan.privacy.mode !== 'none' && before.spends.some((spend) => spend.planHash === planHash)) {
    throw new CestaError('protocol.replayed', `plan of ${plan.round}: expected to be answered once, and it was before`);
  }
  // The record is looked at again here: another round may have spent since the invitation.
  if (maxEpsilon !== undefined) checkBudget(plan, before, { maxEpsilon, maxDelta });
  return spendOf(plan, planHash, new Date().toISOString());
}
