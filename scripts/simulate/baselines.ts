/** What a federation is compared with, on the same split: what is popular, each shop alone, and all orders in one place. */
import { rankTests } from '../../shared/evaluation/evaluate-model.ts';
import { metricsOfShelves } from '../../shared/evaluation/scenario-metrics.ts';
import type { StageModel } from '../../shared/federation/stages.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { encodeTensors } from '../../shared/protocol/tensors.ts';
import type { Baseline } from '../../shared/simulation/scenario.ts';
import { isColdShop } from '../../shared/simulation/cold-shops.ts';
import { createModel, deploymentDefaults } from '../../shared/recommender/registry.ts';
import { localOnlyShelves } from '../local-only.ts';
import { trainings } from '../simulated-training.ts';
import { scheduleOf } from './schedule.ts';
import type { SimulationResult } from './simulation.ts';
import { historiesOfClient, type World } from './world.ts';

interface Shelves {
  readonly shelves: readonly Int32Array[];
  readonly model: Uint8Array | null;
}

/** Without noise, hence without epsilon; with a calendar, at the moment of the last round. */
export async function simulateBaseline(world: World, baseline: Baseline): Promise<SimulationResult> {
  const { scenario, population, dataHash } = world;
  const { split, asOf } = scheduleOf(world)(scenario.rounds);
  const { kind, hyperParameters } = scenario.model;
  const stage = { kind, hyperParameters: { ...deploymentDefaults(kind, { asOf }), ...hyperParameters } };
  const { shelves, model } = await shelvesOf({ ...world, split }, baseline, stage);
  const { metrics, perShopper } = metricsOfShelves(shelves, split, (shopper) => population.shopOfReal(shopper), (shop) => isColdShop(scenario.population, shop));
  return { scenario, rounds: [], metrics, epsilon: null, delta: null, tests: perShopper, model, dataHash };
}

async function shelvesOf(world: World, baseline: Baseline, stage: StageModel): Promise<Shelves> {
  const { dataset: { catalogue }, split, population } = world;
  switch (baseline) {
    case 'popularity':
      return shelvesFromAll(world, { kind: 'popularity', hyperParameters: {} }, 1);
    case 'central':
      return shelvesFromAll(world, stage, world.scenario.rounds);
    case 'local-only': {
      const shops = Array.from({ length: population.shops }, (_, shop) => historiesOfClient({ population, scenario: { ...world.scenario, clients: { ...world.scenario.clients, are: 'shops' } } }, split.training, shop));
      return { shelves: await localOnlyShelves(createModel(stage.kind, catalogue, stage.hyperParameters), catalogue, split, { shops, shopOf: (shopper) => population.shopOfReal(shopper) }), model: null };
    }
    default:
      return baseline satisfies never;
  }
}

/** One party that has all real orders. */
async function shelvesFromAll({ dataset, split }: World, stage: StageModel, rounds: number): Promise<Shelves> {
  const [{ model, params }] = await trainings(dataset, split, { stage, privacy: { mode: 'none', shops: 1, rounds, noise: 'skellam' }, local: {}, seeds: 1 });
  return {
    shelves: rankTests(split, ({ history }, scores) => model.score(params, history, scores)),
    model: encodeTensors(model.encode(params), { model: canonicalJson({ kind: model.kind, hyperParameters: model.hyperParameters }) }),
  };
}
