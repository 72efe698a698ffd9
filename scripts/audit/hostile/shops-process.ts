/** The honest shops of the hostile audit: real nodes with data of their own, in one process. Tells what becomes of them. */
import { join, parse } from 'node:path';
import { pino } from 'pino';
import { z } from 'zod';
import { readDataset } from '../../../client/shop/read-data.ts';
import { startShopNode } from '../../../client/shop/shop-node.ts';
import { toCestaError } from '../../../shared/protocol/errors.ts';
import { untilStopped } from '../../cli/output.ts';
import { shopsOptionsSchema, type ShopLine } from './task.ts';

const { coordinator, files, stateDir } = shopsOptionsSchema.parse(JSON.parse(z.string().parse(process.argv[2])));
const logger = pino({ name: 'shops', level: process.env['CESTA_LOG_LEVEL'] ?? 'error' }, pino.destination({ dest: 2, sync: true }));
const tell = (line: ShopLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const nodes = await Promise.all(files.map(async (file) => {
  const { name: shop } = parse(file);
  const node = startShopNode({ shop, dataset: await readDataset(file), coordinator: new URL(coordinator), stateDir: join(stateDir, shop), logger, maxEpsilon: 1_000, capacity: 100 });
  node.onEvent((event) => {
    if (event.kind === 'reported') tell({ kind: 'reported', shop, round: event.round });
  });
  void node.done.then(({ rounds }) => tell({ kind: 'ended', shop, rounds }), (error: unknown) => tell({ kind: 'lost', shop, reason: toCestaError(error).message }));
  return node;
}));
await untilStopped();
await Promise.all(nodes.map((node) => node.close()));
