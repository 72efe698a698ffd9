/** What a release of a simulation is worth, on the split of its moment. */
import { rankTests } from '../../shared/evaluation/evaluate-model.ts';
import { average } from '../../shared/evaluation/metrics.ts';
import { metricsOfShelves } from '../../shared/evaluation/scenario-metrics.ts';
import { isColdShop } from '../../shared/simulation/cold-shops.ts';
import { nextModel } from '../../shared/federation/stages.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import type { SimulationState } from './checkpoint.ts';
import type { Federation } from './federation.ts';
import type { Metrics, TestValues } from './simulation.ts';

export interface TestedModel {
  readonly model: AnyFederatedModel;
  readonly params: unknown;
}

/** What is served after a round: the last release, or before any what the catalogue alone says. */
export function testedModel({ world, task, modelOf, stageAt, momentOf }: Federation, { served }: Pick<SimulationState, 'served'>): TestedModel {
  if (served !== null) return { model: modelOf(served.model), params: served.params };
  const model = modelOf(stageAt(nextModel(task, world.dataset.catalogue, null), momentOf(1).asOf));
  return { model, params: model.initial() };
}

/** With an attack, `exposure@20` is the share of test shoppers who have the pushed item on their first 20. */
export function measure({ world, momentOf, attack }: Federation, { model, params }: TestedModel, round: number): { readonly metrics: Metrics; readonly tests: TestValues } {
  const { split } = momentOf(round);
  const shelves = rankTests(split, ({ history }, scores) => model.score(params, history, scores));
  const { metrics, perShopper } = metricsOfShelves(shelves, split, (shopper) => world.population.shopOfReal(shopper), (shop) => isColdShop(world.scenario.population, shop));
  const exposure = attack === null ? {} : { 'exposure@20': average(shelves.map((shelf) => (shelf.includes(attack.target) ? 1 : 0))) };
  return { metrics: { ...metrics, ...exposure }, tests: perShopper };
}
