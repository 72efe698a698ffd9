/** The demo's yardsticks, in a process of their own so that the demo stays responsive: one JSON line each. */
import { z } from 'zod';
import { readDataset } from '../../client/shop/read-data.ts';
import { createModel, deploymentDefaults } from '../../shared/recommender/registry.ts';
import { simulatedToday, splitDataset } from '../evaluate.ts';
import { compareCentral, compareLocal } from './comparison.ts';
import { demoShops } from './federation.ts';

const { shops: count, seed } = z.strictObject({ shops: z.number().int().positive(), seed: z.number().int() }).parse(JSON.parse(process.argv[2] ?? 'null'));
const dataset = await readDataset('online-retail');
const parts = splitDataset(dataset, 'last-basket');
const neighbours = createModel('neighbours', dataset.catalogue, deploymentDefaults('neighbours', { asOf: simulatedToday(parts) }));
const say = (row: unknown): void => void process.stdout.write(`${JSON.stringify(row)}\n`);

say(await compareCentral('popularity', createModel('popularity', dataset.catalogue, {}), dataset, parts));
say(await compareCentral('release-without-noise', neighbours, dataset, parts));
say(await compareLocal(neighbours, dataset, parts, demoShops(dataset, count, seed)));
say(await compareCentral('item-knn-central', createModel('item-knn', dataset.catalogue, {}), dataset, parts));
