/** What stays the same over the rounds of a simulation: the data, who is tested, and a population over it. */
import { readDataset, type ReadOptions } from '../../client/shop/read-data.ts';
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { itemKinds } from '../../shared/datasets/partitions.ts';
import type { Split } from '../../shared/evaluation/splits.ts';
import { createDigest } from '../../shared/protocol/digest.ts';
import { createPopulation, type Population } from '../../shared/simulation/population.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';
import { splitDataset } from '../evaluate.ts';

export interface World {
  readonly scenario: Scenario;
  readonly dataset: Dataset;
  readonly dataHash: string;
  readonly split: Split;
  readonly population: Population;
}

/** @throws CestaError whatever reading and splitting the data, or making the population, may */
export async function openWorld(scenario: Scenario, read?: ReadOptions): Promise<World> {
  const dataset = await readDataset(scenario.data, read);
  const split = splitDataset(dataset, scenario.protocol);
  const { shoppers, catalogue } = dataset;
  const population = createPopulation(scenario.population, {
    ids: shoppers.map(({ id }) => id),
    groups: shoppers.map(({ group }) => group),
    histories: split.training,
    kinds: itemKinds(catalogue.products),
  }, scenario.seed);
  return { scenario, dataset, dataHash: digestOf(dataset), split, population };
}

/** Over catalogue, shoppers and orders as they were read, whatever file they came from. */
function digestOf({ catalogue, shoppers }: Dataset): string {
  const digest = createDigest();
  const text = new TextEncoder();
  digest.update(text.encode(catalogue.hash));
  for (const { id, group, history } of shoppers) {
    digest.update(text.encode(JSON.stringify([id, group, history.items.length, history.visitTimes.length])));
    for (const numbers of [history.items, history.visitStarts, history.visitTimes]) digest.update(bytesOf(numbers));
  }
  return digest.hex();
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Indexes of the participants' shoppers, of the population. */
export function shoppersOfClient({ scenario: { clients }, population }: Pick<World, 'scenario' | 'population'>, client: number): { readonly first: number; readonly size: number } {
  return clients.are === 'shops' ? { first: population.firstOf(client), size: population.sizeOf(client) } : { first: client, size: 1 };
}

export function clientsOf({ scenario: { clients }, population }: Pick<World, 'scenario' | 'population'>): number {
  return clients.are === 'shops' ? population.shops : population.shoppers;
}

/** Histories of a client's shoppers, out of one history a real shopper. */
export function historiesOfClient(world: Pick<World, 'scenario' | 'population'>, histories: readonly ShopperHistory[], client: number): ShopperHistory[] {
  const { first, size } = shoppersOfClient(world, client);
  return Array.from({ length: size }, (_, place) => histories[world.population.realOf(first + place)]);
}
