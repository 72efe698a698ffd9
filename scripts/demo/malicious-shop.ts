/**
 * A shop node that lies within the rules: the program is that of every shop, its shoppers are invented. The coordinator sees
 * a masked report like any other.
 */
import pino from 'pino';
import { z } from 'zod';
import { readDataset } from '../../client/shop/read-data.ts';
import { startShopNode } from '../../client/shop/shop-node.ts';
import type { Shopper } from '../../shared/datasets/dataset.ts';
import { splitDataset } from '../evaluate.ts';
import { monthOfRound, roundNumber } from './calendar.ts';
import { inventHistories, planPush } from './push.ts';

const options = z.strictObject({ coordinator: z.url(), rounds: z.number().int().positive(), stateDir: z.string() }).parse(JSON.parse(process.argv[2] ?? 'null'));
const dataset = await readDataset('online-retail');
const push = planPush(dataset, splitDataset(dataset, 'last-basket'));
const shoppersOn = (time: number): Shopper[] => inventHistories(push, time).map((history, index) => ({ id: `invented-${index}`, history, group: '', degree: 3 }));
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const node = startShopNode({
  shop: 'shop-malicious',
  dataset: { ...dataset, shoppers: shoppersOn(0) },
  // Bought a moment ago, whenever that is.
  datasetFor: ({ round }) => ({ ...dataset, shoppers: shoppersOn(monthOfRound(roundNumber(round), options.rounds).end - 1) }),
  coordinator: new URL(options.coordinator),
  stateDir: options.stateDir,
  logger: pino({ name: 'malicious shop', level: process.env['CESTA_LOG_LEVEL'] ?? 'warn' }, pino.destination({ dest: 2, sync: true })),
});
node.onEvent((event) => {
  if (event.kind === 'up') say({ kind: 'up' });
  if (event.kind === 'reported') say({ kind: 'reported', round: event.round });
});
const stop = (): void => void node.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
await node.done;
