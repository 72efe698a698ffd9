/** What a federation is compared with, on the same split: what is popular, each shop alone, and all orders in one place. */
import { rankTests } from '../../shared/evaluation/evaluate-model.ts';
import { metricsOfShelves } from '../../shared/evaluation/scenario-metrics.ts';
import type { Split } from '../../shared/evaluation/splits.ts';
import type { StageModel } from '../../shared/federation/stages.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { encodeTensors } from '../../shared/protocol/tensors.ts';
import { asksFollowingDays, type Baseline } from '../../shared/simulation/scenario.ts';
import { isColdShop } from '../../shared/simulation/cold-shops.ts';
import { createModel, deploymentDefaults } from '../../shared/recommender/registry.ts';
import { localOnlyShelves } from '../local-only.ts';
import { trainings } from '../simulated-training.ts';
import { isTestedAfter, requireTold, together } from './measure.ts';
import { scheduleOf, type Moment } from './schedule.ts';
import type { Measured, SimulationResult } from './simulation.ts';
import { historiesOfClient, type World } from './world.ts';

interface Trained {
  /** Shelves of all test shoppers of a split, in its order. */
  readonly rank: (asked: Split) => Promise<readonly Int32Array[]>;
  readonly model: Uint8Array | null;
}

/** Without noise, hence without epsilon; with a calendar, trained anew at the moment of every round that is tested. */
export async function simulateBaseline(world: World, baseline: Baseline): Promise<SimulationResult> {
  const { scenario, population, dataHash } = world;
  const momentOf = scheduleOf(world);
  const parts: Measured[] = [];
  let model: Uint8Array | null = null;
  for (let round = asksFollowingDays(scenario) ? 1 : scenario.rounds; round <= scenario.rounds; round += 1) {
    if (!isTestedAfter(scenario, round, scenario.rounds)) continue;
    const moment = momentOf(round);
    const trained = await train(world, baseline, moment);
    model = trained.model;
    for (const split of moment.asked) {
      const { metrics, perShopper } = metricsOfShelves(await trained.rank(split), split, (shopper) => population.shopOfReal(shopper), (shop) => isColdShop(scenario.population, shop));
      parts.push({ metrics, tests: perShopper });
    }
  }
  return { scenario, rounds: [], ...requireTold(together(parts)), epsilon: null, delta: null, model, dataHash };
}

async function train(world: World, baseline: Baseline, { split, asOf }: Moment): Promise<Trained> {
  const { dataset: { catalogue }, population, scenario } = world;
  const { kind, hyperParameters } = scenario.model;
  const stage = { kind, hyperParameters: { ...deploymentDefaults(kind, { asOf }), ...hyperParameters } };
  switch (baseline) {
    case 'popularity':
      return trainOnAll(world, split, { stage: { kind: 'popularity', hyperParameters: {} }, rounds: 1 });
    case 'central':
      // With a calendar a round is one training of many.
      return trainOnAll(world, split, { stage, rounds: scenario.schedule.kind === 'calendar' ? 1 : scenario.rounds });
    case 'local-only': {
      const shops = Array.from({ length: population.shops }, (_, shop) => historiesOfClient({ population, scenario: { ...scenario, clients: { ...scenario.clients, are: 'shops' } } }, split.training, shop));
      const model = createModel(stage.kind, catalogue, stage.hyperParameters);
      return { rank: (asked) => localOnlyShelves(model, catalogue, asked, { shops, shopOf: (shopper) => population.shopOfReal(shopper) }), model: null };
    }
    default:
      return baseline satisfies never;
  }
}

/** One party that has all real orders. */
async function trainOnAll({ dataset }: World, split: Split, { stage, rounds }: { readonly stage: StageModel; readonly rounds: number }): Promise<Trained> {
  const [{ model, params }] = await trainings(dataset, split, { stage, privacy: { mode: 'none', shops: 1, rounds, noise: 'skellam' }, local: {}, seeds: 1 });
  return {
    rank: (asked) => Promise.resolve(rankTests(asked, ({ history }, scores) => model.score(params, history, scores))),
    model: encodeTensors(model.encode(params), { model: canonicalJson({ kind: model.kind, hyperParameters: model.hyperParameters }) }),
  };
}
