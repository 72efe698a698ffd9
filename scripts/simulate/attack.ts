/** What malicious clients of a scenario do: they push one unpopular item, as `cesta audit poisoning` has them do it. */
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import type { Split } from '../../shared/evaluation/splits.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { inventedShoppers } from '../../shared/simulation/behaviour.ts';
import type { Member, SimulatedRoundInput } from '../../shared/simulation/round-outcome.ts';
import { simulatedToday } from '../evaluate.ts';
import { fakeHistories, targetCoordinates, type Recipe } from '../audit/poisoning/fake-histories.ts';
import { largestClaim, mostPopular, pickTargets, shoppersOf, spoiltShop, strongestPush } from '../audit/poisoning/poisoning.ts';
import type { Stage } from '../audit/poisoning/stage.ts';
import { historiesOfClient, shoppersOfClient, type World } from './world.ts';

export interface Attack {
  /** Item that is pushed. */
  readonly target: number;
  readonly recipe: Recipe;
  /** Of the statistic: those that speak for the item. */
  readonly coordinates: readonly number[];
  readonly fakes: readonly ShopperHistory[];
}

/** Null where nobody attacks, and in rounds of models that the recipe was not made for. */
export function planAttack({ scenario, dataset, split }: World, model: AnyFederatedModel): Attack | null {
  if (scenario.clients.malicious.kind === 'none') return null;
  const counts = shoppersOf(split.training, dataset.catalogue.products.length);
  const [target] = pickTargets(counts, split.rankable, 1, scenario.seed);
  const knowledge = { model, params: model.initial(), popular: mostPopular(counts) };
  const time = simulatedToday(split) - 1;
  // The attacker tries its recipes on one undefended round of all orders, and takes what pushes most.
  const { epsilon, delta } = scenario.privacy;
  const stage: Stage = { model, catalogue: dataset.catalogue, parts: sampleOf(split), shops: [split.training], epsilon: epsilon ?? 1, delta, maxShoppers: 2 * split.training.length, honest: new Map(), noise: new Map() };
  const { recipe } = strongestPush(stage, knowledge, target, time, scenario.seed);
  return { target, recipe, coordinates: targetCoordinates(target, recipe, knowledge), fakes: fakeHistories(recipe, recipe.baskets.length, time) };
}

/** Enough test shoppers to tell recipes apart. */
const triedTests = 200;

function sampleOf(split: Split): Split {
  return { ...split, tests: split.tests.slice(0, triedTests) };
}

/** Histories of each member, those of invented shoppers as the attack has them. */
export function pretendedHistories(world: World, histories: readonly ShopperHistory[], attack: Attack | null): (member: Member) => ShopperHistory[] {
  if (attack === null || world.scenario.clients.malicious.kind !== 'shoppers') return ({ index }) => historiesOfClient(world, histories, index);
  const isInvented = inventedShoppers(world.scenario.clients, world.scenario.seed);
  return ({ index }) => {
    const { first } = shoppersOfClient(world, index);
    return historiesOfClient(world, histories, index).map((history, place) => (isInvented(first + place) ? attack.fakes[(first + place) % attack.fakes.length] : history));
  };
}

/** What participants that are malicious as a whole report: as much as a plan allows one in each coordinate that speaks for the item. */
export function spoilOf({ scenario }: World, plan: Plan, attack: Attack | null): Pick<SimulatedRoundInput, 'spoil'> {
  if (attack === null || scenario.clients.malicious.kind !== 'participants') return {};
  return { spoil: (honest) => spoiltShop(honest, attack.coordinates, Math.floor(largestClaim(plan))) };
}
