/** What malicious clients of a scenario do: they push one unpopular item, as `cesta audit poisoning` has them do it. */
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { inventedShoppers } from '../../shared/simulation/behaviour.ts';
import type { Member, SimulatedRoundInput } from '../../shared/simulation/round-outcome.ts';
import { simulatedToday } from '../evaluate.ts';
import { fakeHistories, recipesFor, targetCoordinates, type Recipe } from '../audit/poisoning/fake-histories.ts';
import { largestClaim, mostPopular, pickTargets, shoppersOf, spoiltShop } from '../audit/poisoning/poisoning.ts';
import { historiesOfClient, shoppersOfClient, type World } from './world.ts';

export interface Attack {
  /** Item that is pushed. */
  readonly target: number;
  readonly recipe: Recipe;
  /** Of the statistic: those that speak for the item. */
  readonly coordinates: readonly number[];
  readonly fakes: readonly ShopperHistory[];
}

/** Null where nobody attacks. */
export function planAttack({ scenario, dataset, split }: World, model: AnyFederatedModel): Attack | null {
  if (scenario.clients.malicious.kind === 'none') return null;
  const counts = shoppersOf(split.training, dataset.catalogue.products.length);
  const [target] = pickTargets(counts, split.rankable, 1, scenario.seed);
  const knowledge = { model, params: model.initial(), popular: mostPopular(counts) };
  const time = simulatedToday(split) - 1;
  const recipe = broadest(recipesFor(target, knowledge), (each) => targetCoordinates(target, each, knowledge).length);
  return { target, recipe, coordinates: targetCoordinates(target, recipe, knowledge), fakes: fakeHistories(recipe, recipe.baskets.length, time) };
}

/** `cesta audit poisoning` trains with each and takes what pushes most, which is this one or hardly less; of equals the one with fewest baskets. */
function broadest(recipes: readonly Recipe[], coordinatesOf: (recipe: Recipe) => number): Recipe {
  return [...recipes].sort((a, b) => coordinatesOf(b) - coordinatesOf(a) || a.baskets.length - b.baskets.length)[0];
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
