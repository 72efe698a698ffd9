/** `cesta join`: a shop node. */
import { Option, type Command } from 'commander';
import { httpUrl, parsePart, positiveNumber, publicKey } from './options.ts';
import { createLogger, print, untilStopped } from './output.ts';
import { addDataOptions, readData, type DataOptions } from './data-options.ts';

interface JoinOptions extends DataOptions {
  shop: string;
  coordinator: URL;
  coordinatorKey?: string;
  part?: { readonly index: number; readonly of: number };
  stateDir: string;
  maxEpsilon?: number;
  once?: boolean;
  json?: boolean;
}

export function addJoin(program: Command): void {
  addDataOptions(
    program
      .command('join')
      .description('run a shop node: keep the orders here, take part in rounds')
      .requiredOption('--shop <name>', 'name of this shop in the federation')
      .requiredOption('--coordinator <url>', 'where the coordinator listens', httpUrl),
  )
    .addOption(new Option('--part <i/n>', 'use the i-th of n equal parts of the data (for trials on one data set)').argParser(parsePart))
    .option('--coordinator-key <hex>', 'the key to expect (default: the one seen first is kept)', publicKey)
    .option('--state-dir <folder>', 'where this shop keeps its key and its privacy ledger', '.cesta/shops')
    .option('--max-epsilon <number>', 'decline rounds once this shop has spent this much', positiveNumber)
    .option('--once', 'leave after the first release')
    .option('--json', 'print one JSON object at the end')
    .action(join);
}

async function join(options: JoinOptions): Promise<void> {
  const { startShopNode } = await import('../../client/shop/shop-node.ts');
  const { byHash } = await import('../../shared/datasets/partitions.ts');
  const dataset = await readData(options);
  const shoppers = options.part === undefined ? dataset.shoppers : byHash(options.part.of)(dataset, 0)[options.part.index - 1];
  const node = startShopNode({
    shop: options.shop,
    dataset: { ...dataset, shoppers },
    coordinator: options.coordinator,
    stateDir: options.stateDir,
    logger: createLogger(options.shop),
    ...(options.maxEpsilon === undefined ? {} : { maxEpsilon: options.maxEpsilon }),
    ...(options.coordinatorKey === undefined ? {} : { coordinatorKey: options.coordinatorKey }),
    ...(options.once === true ? { once: true } : {}),
  });
  void untilStopped().then(() => node.close());
  const summary = await node.done;
  print(options, { shop: options.shop, shoppers: shoppers.length, ...summary }, `${options.shop}: ${summary.rounds} rounds reported, ${summary.epsilonSpent === null ? 'some of them without privacy' : `epsilon ${summary.epsilonSpent} spent here in all`}`);
}
