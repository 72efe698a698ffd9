/** `cesta join`: a shop node. */
import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { ShopNodeOptions, ShopNodeSummary } from '../../client/shop/shop-node.ts';
import type { ClientTls } from '../../client/shop/tls.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { NoteKey } from '../../shared/ledger/signed-note.ts';
import { jurisdictionNames, type JurisdictionName } from '../../shared/policy/jurisdictions.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { addBackendOption, backendOf, type BackendOptions } from './backend-options.ts';
import { collect, httpUrl, integerIn, parsePart, positiveNumber, probability, publicKey, witnessKey } from './options.ts';
import { createLogger, print, untilStopped } from './output.ts';
import { permittedData } from './permitted-data.ts';
import { addTlsOptions, readTls, type TlsOptions } from './tls-options.ts';
import { addDataOptions, readData, type DataOptions } from './data-options.ts';
import { addStorefrontOptions, serveUntilStopped, startStorefront, type StorefrontOptions } from './storefront-options.ts';

interface JoinOptions extends DataOptions, TlsOptions, BackendOptions, StorefrontOptions {
  shop: string;
  coordinator: URL;
  coordinatorKey?: string;
  part?: { readonly index: number; readonly of: number };
  stateDir: string;
  maxEpsilon: number;
  maxDelta: number;
  capacity: number;
  witnesses?: readonly NoteKey[];
  quorum?: number;
  peers?: string;
  policy?: string;
  jurisdiction?: JurisdictionName;
  unprotected?: boolean;
  once?: boolean;
  task?: readonly string[];
  stay?: boolean;
  json?: boolean;
}

export function addJoin(program: Command): void {
  const command = addDataOptions(
    program
      .command('join')
      .description('run a shop node: keep the orders here, take part in rounds')
      .requiredOption('--shop <name>', 'name of this shop in the federation')
      .requiredOption('--coordinator <url>', 'where the coordinator listens', httpUrl),
  )
    .addOption(new Option('--part <i/n>', 'use the i-th of n equal parts of the data (for trials on one data set)').argParser(parsePart))
    .option('--coordinator-key <hex>', 'the key to expect (default: the one seen first is kept)', publicKey)
    .option('--state-dir <folder>', 'where this shop keeps its key and its privacy ledger', '.cesta/shops')
    .option('--max-epsilon <number>', 'decline rounds that would take this shop beyond it, over all tasks', positiveNumber, 10)
    .option('--max-delta <number>', 'what this shop\'s own epsilon is stated at, whatever a plan claims', probability, 1e-4)
    .option('--capacity <n>', 'shoppers this shop declares room for; a public number', integerIn(1, 10_000_000), 5_000)
    .option('--witnesses <name=key...>', 'witnesses of the coordinator\'s public record', collect(witnessKey))
    .option('--quorum <k>', 'decline rounds whose plan fewer of them have signed (default: all of them)', integerIn(0, 100))
    .option('--peers <file>', 'JSON of the shops you know and their keys: masked sums with more strangers than may collude are declined')
    .option('--policy <file>', 'lines such as max-epsilon 3: a start outside of them is refused, and so are plans')
    .addOption(new Option('--jurisdiction <name>', 'whose law this shop works under, for its policy').choices(jurisdictionNames))
    .option('--unprotected', 'take part in rounds without privacy, and without a limit')
    .option('--task <name>', 'take part in rounds of this task only (repeatable; default: all)', collect((text) => text))
    .option('--once', 'leave after the first release')
    .option('--stay', 'stay when no task has a round left: the operator may make another')
    .option('--json', 'print one JSON object at the end')
    .action(join);
  addTlsOptions(addBackendOption(addStorefrontOptions(command)));
}

async function join(options: JoinOptions): Promise<void> {
  const { tlsFetch } = await import('../../client/shop/tls.ts');
  const { byHash } = await import('../../shared/datasets/partitions.ts');
  const { configureTensors } = await import('../../shared/tensors/runtime.ts');
  configureTensors(backendOf(options));
  const logger = createLogger(options.shop);
  const data = await readData(options);
  const { dataset, policy } = permittedData(options, data, logger);
  if (options.catalogue === undefined) logger.warn('without --catalogue the products are those of the orders: where the coordinator has no catalogue, their titles and prices are published');
  const { part } = options;
  /** For every round anew. */
  const files = (): Dataset => {
    const all = dataset();
    return part === undefined ? all : { ...all, shoppers: byHash(part.of)(all, 0)[part.index - 1] };
  };
  const tls = readTls(options);
  const fetch = tls === null ? {} : { fetch: tlsFetch(tls) };
  const stopped = untilStopped().then(() => undefined);
  const storefront = await startStorefront(options, { logger, ...fetch, ...(policy === undefined ? {} : { policy: { lines: policy, products: data.catalogue.products } }) });
  try {
    const node = await startPart(options, { dataset: storefront === null ? files : () => storefront.join(files()), logger, tls, stopped, ...(policy === undefined ? {} : { policy }) });
    // Shelves and rights do not end with the rounds.
    const summary = storefront === null || options.once === true ? await node.done : await serveUntilStopped(node.done, { logger, stopped });
    print(options, { shop: options.shop, shoppers: files().shoppers.length, ...summary }, `${options.shop}: ${summary.rounds} rounds reported, ${summary.epsilonSpent === null ? 'some of them without privacy' : `epsilon ${summary.epsilonSpent} spent here in all`}`);
  } finally {
    await storefront?.close();
  }
}

interface Part extends Pick<ShopNodeOptions, 'dataset' | 'logger' | 'policy'> {
  readonly tls: ClientTls | null;
  /** Resolves when the process is asked to end. */
  readonly stopped: Promise<void>;
}

/** @returns what resolves when the part in the rounds has ended; an error of the start is thrown at once */
async function startPart(options: JoinOptions, { dataset, logger, tls, stopped, policy }: Part): Promise<{ readonly done: Promise<ShopNodeSummary> }> {
  const { startShopNode } = await import('../../client/shop/shop-node.ts');
  const { tlsSockets } = await import('../../client/shop/node-socket.ts');
  const { startRenewal } = await import('../../client/shop/renewal.ts');
  const { tlsFetch } = await import('../../client/shop/tls.ts');
  const peers = options.peers === undefined ? undefined : await readPeers(options.peers);
  const { shop, coordinator, stateDir } = options;
  const node = startShopNode({
    shop, dataset, coordinator, stateDir, logger,
    capacity: options.capacity,
    witnesses: { witnesses: options.witnesses ?? [], quorum: options.quorum ?? options.witnesses?.length ?? 0 },
    ...(options.unprotected === true ? {} : { maxEpsilon: options.maxEpsilon, maxDelta: options.maxDelta }),
    ...(options.coordinatorKey === undefined ? {} : { coordinatorKey: options.coordinatorKey }),
    ...(options.once === true ? { once: true } : {}),
    ...(options.stay === true ? { stay: true } : {}),
    ...(options.task === undefined ? {} : { tasks: options.task }),
    ...(peers === undefined ? {} : { peers }),
    ...(policy === undefined ? {} : { policy }),
    ...(tls === null ? {} : { fetch: tlsFetch(tls), openSocket: tlsSockets(tls) }),
  });
  const stopRenewal = startRenewal({ shop, stateDir, coordinator, logger, ...(tls === null ? {} : { fetch: tlsFetch(tls) }) });
  void stopped.then(() => node.close());
  return { done: node.done.finally(stopRenewal) };
}

async function readPeers(path: string): Promise<ReadonlyMap<string, string>> {
  const { parsePeers } = await import('../../client/shop/peers.ts');
  try {
    return parsePeers(path, await readFile(path, 'utf8'));
  } catch (cause) {
    throw cause instanceof CestaError ? cause : new CestaError('data.not-found', `${path}: expected a file of peers, got none that can be read`, { cause });
  }
}
