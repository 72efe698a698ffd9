/** What a release of a simulation is worth, on the split of its moment. */
import { rankTests } from '../../shared/evaluation/evaluate-model.ts';
import { average } from '../../shared/evaluation/metrics.ts';
import { metricsOfShelves } from '../../shared/evaluation/scenario-metrics.ts';
import { isColdShop } from '../../shared/simulation/cold-shops.ts';
import type { Split } from '../../shared/evaluation/splits.ts';
import { nextModel } from '../../shared/federation/stages.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { SimulationState } from './checkpoint.ts';
import type { Federation } from './federation.ts';
import type { Measured, TestValues } from './simulation.ts';

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
export function measure({ world, momentOf, attack }: Federation, { model, params }: TestedModel, round: number): Measured {
  return together(momentOf(round).asked.map((split) => measureOn(split, { model, params }, { world, attack })));
}

function measureOn(split: Split, { model, params }: TestedModel, { world, attack }: Pick<Federation, 'world' | 'attack'>): Measured {
  const shelves = rankTests(split, ({ history }, scores) => model.score(params, history, scores));
  const { metrics, perShopper } = metricsOfShelves(shelves, split, (shopper) => world.population.shopOfReal(shopper), (shop) => isColdShop(world.scenario.population, shop));
  const exposure = attack === null ? {} : { 'exposure@20': average(shelves.map((shelf) => (shelf.includes(attack.target) ? 1 : 0))) };
  return { metrics: { ...metrics, ...exposure }, tests: perShopper };
}

/**
 * Several measurements as one: all test cases, and the mean of each metric by their number. Of what is no mean over test cases, such
 * as coverage, that is a mean over the measurements. Those without test cases, such as a day off, say nothing.
 */
export function together(all: readonly Measured[]): Measured {
  const parts = all.filter(isTold);
  if (all.length === 1 || parts.length === 0) return all[0];
  const names = new Set(parts.flatMap(({ metrics }) => Object.keys(metrics)));
  const meanOf = (name: string): number => {
    const known = parts.filter(({ metrics }) => Object.hasOwn(metrics, name));
    return known.reduce((sum, { metrics, tests }) => sum + metrics[name] * tests.ndcg10.length, 0) / known.reduce((sum, { tests }) => sum + tests.ndcg10.length, 0);
  };
  const joined = (valuesOf: (tests: TestValues) => Float64Array): Float64Array => Float64Array.from(parts.flatMap(({ tests }) => [...valuesOf(tests)]));
  return {
    metrics: Object.fromEntries([...names].map((name) => [name, meanOf(name)])),
    tests: { ndcg10: joined(({ ndcg10 }) => ndcg10), recall10: joined(({ recall10 }) => recall10), shops: Int32Array.from(parts.flatMap(({ tests }) => [...tests.shops])) },
  };
}

/** @param rounds that there are in all: the last one is always tested */
export function isTestedAfter({ evaluateEvery }: Pick<Scenario, 'evaluateEvery'>, round: number, rounds: number): boolean {
  return round % evaluateEvery === 0 || round === rounds;
}

/** Whether anybody was asked. */
export function isTold({ tests }: Measured): boolean {
  return tests.ndcg10.length > 0;
}

/** @throws CestaError `data.empty` where nobody was asked after any round: figures of nobody would be taken for bad ones */
export function requireTold(measured: Measured): Measured {
  if (!isTold(measured)) throw new CestaError('data.empty', 'schedule: expected shoppers who can be asked about the days after a round, got none');
  return measured;
}
