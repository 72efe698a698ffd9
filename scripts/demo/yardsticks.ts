/**
 * What the demo's releases are worth, measured in a process of its own so that the demo stays responsive: each release as it
 * comes, on baskets that no shop trained on, and between them what shops could do otherwise. One JSON line each.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fetchRelease } from '../../client/coordinator-api.ts';
import { readDataset } from '../../client/shop/read-data.ts';
import { releasesSchema, roundsSchema, tasksSchema } from '../../server/http/schemas.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { look } from '../audit/poisoning/poisoning.ts';
import { fetchCoordinator, fetchDocument } from '../coordinator-documents.ts';
import { splitDataset } from '../evaluate.ts';
import { monthOfRound, roundNumber } from './calendar.ts';
import { compare, compareCentral, compareLocal } from './comparison.ts';
import { exampleShelf } from './example-shelf.ts';
import { demoHyperParameters, demoShops, demoTask } from './federation.ts';
import type { Finding, MeasuredRelease } from './findings.ts';
import { planPush } from './push.ts';

const { shops: count, seed, rounds, coordinator } = z
  .strictObject({ shops: z.number().int().positive(), seed: z.number().int(), rounds: z.number().int().positive(), coordinator: z.url() })
  .parse(JSON.parse(process.argv[2] ?? 'null'));
const mostTries = 6;
const dataset = await readDataset('online-retail');
const { catalogue } = dataset;
const parts = splitDataset(dataset, 'last-basket');
const { publicKey } = await patiently(() => fetchCoordinator(coordinator));
const push = planPush(dataset, parts);
const pushed = catalogue.products[push.target];
const say = (finding: Finding): void => void process.stdout.write(`${JSON.stringify(finding)}\n`);

const neighbours = createModel('neighbours', catalogue, demoHyperParameters(rounds));
const baselines = [
  () => compareCentral('popularity', createModel('popularity', catalogue, {}), dataset, parts),
  () => compareLocal(neighbours, dataset, parts, demoShops(dataset, count, seed)),
  () => compareCentral('release-without-noise', neighbours, dataset, parts),
  () => compareCentral('item-knn-central', createModel('item-knn', catalogue, {}), dataset, parts),
];

say({ kind: 'target', item: pushed.id, title: pushed.title, buyers: push.buyers, testShoppers: parts.tests.length });
for (let measured = 0; ;) {
  const { tasks } = await patiently(() => fetchDocument(coordinator, '/v1/tasks', tasksSchema));
  const over = tasks.find(({ task }) => task === demoTask)?.over ?? null;
  const { releases } = await patiently(() => fetchDocument(coordinator, '/v1/releases', releasesSchema));
  const next = releases.find(({ version }) => version === measured + 1);
  const baseline = next === undefined ? baselines.shift() : undefined;
  if (next !== undefined) {
    say({ kind: 'release', release: await patiently(() => measure(next)) });
    measured += 1;
  } else if (baseline !== undefined) say({ kind: 'baseline', row: await baseline() });
  else if (over !== null) {
    say({ kind: 'over', message: over.message, shelf: measured === 0 ? null : await exampleShelf(coordinator, dataset, parts) });
    break;
  } else await sleep(200);
}

/** While this process computes, its idle connections are closed by the other side: each of them fails once when it is used. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (toCestaError(error).code !== 'network.unreachable' || tries === mostTries) throw error;
      await sleep(tries * 200);
    }
  }
}

async function measure({ version, sha256, round, epsilon }: z.output<typeof releasesSchema>['releases'][number]): Promise<MeasuredRelease> {
  const { manifest, tensors } = await fetchRelease(fetch, { coordinator: new URL(coordinator), coordinatorKey: publicKey, task: demoTask }, sha256);
  const model = createModel(manifest.model.kind, catalogue, manifest.model.hyperParameters);
  const params = model.decode(tensors);
  const number = roundNumber(round);
  const { rounds: [record] } = await fetchDocument(coordinator, `/v1/rounds?after=${number - 1}`, roundsSchema);
  return {
    version, round, epsilon, shops: record.participants ?? 0,
    month: monthOfRound(number, rounds).label,
    row: compare('release', model, params, parts),
    exposure: look({ model, parts }, params, push.target).exposure,
  };
}
