/**
 * A participant's statistic, summed in slices: between them the event loop runs, so that heartbeats are answered and
 * other nodes of the process get their turn.
 */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import type { Dataset } from '../shared/datasets/dataset.ts';
import type { Plan } from '../shared/federation/plan.ts';
import { startStatistic } from '../shared/federation/statistic.ts';
import type { SecureRandom } from '../shared/numerics/random.ts';
import { createPoissonSample } from '../shared/privacy/poisson-sample.ts';
import type { Clipped } from '../shared/privacy/vectors.ts';
import type { AnyStatistic } from '../shared/recommender/federated-model.ts';
import { mapHistories, type MappingReport } from './federation-histories.ts';
import { nextTurn } from './next-turn.ts';

/** Far below the patience of a heartbeat, far above the cost of a turn of the loop. */
const sliceMs = 20;

export interface ShopSum {
  readonly sum: Clipped;
  readonly report: MappingReport;
}

/** Rejects with the signal's reason when it fires, and with `privacy.infeasible` for more shoppers than the plan has room for. */
export async function sumShoppers(
  { dataset, catalogue, model, params, plan, random }: { dataset: Dataset; catalogue: Catalogue; model: AnyStatistic; params: unknown; plan: Plan; random: SecureRandom },
  signal: AbortSignal,
): Promise<ShopSum> {
  const mapper = mapHistories(dataset.catalogue, catalogue);
  await model.prepare?.();
  const statistic = startStatistic(model, params, plan, random);
  // Who is taken is nobody's business but this shop's: nothing about it leaves, or the smaller noise protects nobody.
  const takes = createPoissonSample({ rate: plan.privacy.mode === 'none' ? 1 : plan.privacy.sampling, random });
  let sliceEnd = performance.now() + sliceMs;
  for (const shopper of dataset.shoppers) {
    const history = mapper.map(shopper);
    if (history !== null && takes()) statistic.add(history);
    if (performance.now() < sliceEnd) continue;
    await nextTurn();
    signal.throwIfAborted();
    sliceEnd = performance.now() + sliceMs;
  }
  return { sum: statistic.finish(), report: mapper.report() };
}
