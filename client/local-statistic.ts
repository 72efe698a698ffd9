/**
 * A participant's statistic, made in slices: between them the event loop runs, so that heartbeats are answered and other nodes of
 * the process get their turn. Consent comes first, whatever the unit: who did not agree is neither summed nor trained on.
 */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import type { ShopperHistory } from '../shared/commerce/history.ts';
import type { Dataset } from '../shared/datasets/dataset.ts';
import type { Plan } from '../shared/federation/plan.ts';
import { contributeShop, type Controls } from '../shared/federation/shop-change.ts';
import { startStatistic } from '../shared/federation/statistic.ts';
import type { SecureRandom } from '../shared/numerics/random.ts';
import { createPoissonSample } from '../shared/privacy/poisson-sample.ts';
import type { Clipped } from '../shared/privacy/vectors.ts';
import type { AnyStatistic } from '../shared/recommender/federated-model.ts';
import { mapHistories, type MappingReport } from './federation-histories.ts';
import { nextTurn } from './next-turn.ts';

/** Far below the patience of a heartbeat, far above the cost of a turn of the loop. */
const sliceMs = 20;

export interface ShopWork {
  readonly dataset: Dataset;
  readonly catalogue: Catalogue;
  readonly model: AnyStatistic;
  readonly params: unknown;
  readonly plan: Plan;
  readonly random: SecureRandom;
}

export interface ShopSum {
  readonly sum: Clipped;
  readonly report: MappingReport;
}

/** Rejects with the signal's reason when it fires, and with `privacy.infeasible` for more shoppers than the plan has room for. */
export async function sumShoppers({ dataset, catalogue, model, params, plan, random }: ShopWork, signal: AbortSignal): Promise<ShopSum> {
  await model.prepare?.();
  const mapper = mapHistories(dataset.catalogue, catalogue);
  const statistic = startStatistic(model, params, plan, random);
  // Who is taken is nobody's business but this shop's: nothing about it leaves, or the smaller noise protects nobody.
  const takes = createPoissonSample({ rate: plan.privacy.mode === 'none' ? 1 : plan.privacy.sampling, random });
  const pause = slices(signal);
  for (const shopper of dataset.shoppers) {
    const history = mapper.map(shopper);
    if (history !== null && takes()) statistic.add(history);
    await pause();
  }
  return { sum: statistic.finish(), report: mapper.report() };
}

export interface ShopChange extends ShopSum {
  /** See `contributeShop`. */
  readonly own: Float32Array | null;
}

/** The one contribution of a shop, where that is the unit. Rejects with the signal's reason when it fires. */
export async function trainShop({ dataset, catalogue, model, params, plan, random, controls }: ShopWork & { readonly controls: Controls | null }, signal: AbortSignal): Promise<ShopChange> {
  const mapper = mapHistories(dataset.catalogue, catalogue);
  const histories: ShopperHistory[] = [];
  const pause = slices(signal);
  for (const shopper of dataset.shoppers) {
    const history = mapper.map(shopper);
    if (history !== null) histories.push(history);
    await pause();
  }
  const { sum, own } = await contributeShop({ plan, model, params, histories, controls, random, pause });
  return { sum, own, report: mapper.report() };
}

/** Lets the event loop run when a slice is over; rejects when the work is to stop. */
function slices(signal: AbortSignal): () => Promise<void> {
  let sliceEnd = performance.now() + sliceMs;
  return async () => {
    if (performance.now() < sliceEnd) return;
    await nextTurn();
    signal.throwIfAborted();
    sliceEnd = performance.now() + sliceMs;
  };
}
