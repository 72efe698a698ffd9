/**
 * One process of the demo that hosts several shop nodes. Each has its own part of the shoppers, its own key,
 * ledger and socket; they share nothing but the process.
 */
import { join } from 'node:path';
import pino from 'pino';
import { z } from 'zod';
import { startShopNode, type ShopNode } from '../../client/shop/shop-node.ts';
import { readDataset } from '../../client/shop/read-data.ts';
import { monthOfRound, roundNumber } from './calendar.ts';
import { demoShops, shoppersUntil, type DemoShop } from './federation.ts';

const optionsSchema = z.strictObject({
  coordinator: z.url(),
  from: z.number().int().positive(),
  to: z.number().int().positive(),
  of: z.number().int().positive(),
  seed: z.number().int(),
  /** That make the year. */
  rounds: z.number().int().positive(),
  /** Of these shops, the first so many leave when their statistic is made. */
  leaving: z.number().int().min(0),
  stateDir: z.string(),
});

const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
const logger = pino({ name: 'shops', level: process.env['CESTA_LOG_LEVEL'] ?? 'warn' }, pino.destination({ dest: 2, sync: true }));
const dataset = await readDataset('online-retail');
const shops = demoShops(dataset, options.of, options.seed);
const nodes = shops.slice(options.from - 1, options.to).map(startNode);

/** In each round it has the orders up to the end of the round's month, and no later ones. */
function startNode({ name, shoppers }: DemoShop): ShopNode {
  return startShopNode({
    shop: name,
    dataset: { ...dataset, shoppers },
    datasetFor: ({ round }) => ({ ...dataset, shoppers: shoppersUntil(shoppers, monthOfRound(roundNumber(round), options.rounds).end) }),
    coordinator: new URL(options.coordinator),
    stateDir: join(options.stateDir, name),
    logger: logger.child({ shop: name }),
  });
}

const stop = (): void => {
  void Promise.all(nodes.map((node) => node.close())).then(() => process.exit(0));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
for (const node of nodes.slice(0, options.leaving)) node.onEvent(({ kind }) => void (kind === 'trained' && node.close()));
await Promise.all(nodes.map((node) => node.done));
