/**
 * The demo: real orders, split over shops in a few processes, one private round over real sockets, and what it was
 * worth. While the shops work, the yardsticks are computed here.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShelfItem } from '../../client/storefront/api.ts';
import { createCesta } from '../../client/storefront/cesta.ts';
import { readDataset } from '../../client/shop/read-data.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { Split } from '../../shared/evaluation/splits.ts';
import { openRelease } from '../../shared/federation/release.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { simulatedToday, splitDataset } from '../evaluate.ts';
import { compare, type ComparisonRow } from './comparison.ts';
import { startCoordinatorProcess, startShopHost, startYardsticks, type DemoProcess } from './processes.ts';
import { fetchCoordinator, fetchRounds } from '../coordinator-documents.ts';

export interface DemoOptions {
  readonly epsilon: number;
  readonly delta: number;
  readonly shops: number;
  readonly mode: string;
  /** Shops that leave in the middle of the round: the first ones. */
  readonly leaving: number;
  readonly seed: number;
  readonly port: number;
  /** Says what is going on, in one line. */
  readonly progress: (text: string) => void;
}

export interface DemoResult {
  readonly models: readonly ComparisonRow[];
  readonly epsilon: number | null;
  readonly delta: number | null;
  readonly mode: string;
  readonly seconds: number;
  readonly releaseUrl: string;
}

/** One shopper's shelf, ranked as a storefront does. */
export interface ExampleShelf {
  readonly boughtIds: readonly string[];
  readonly bought: readonly string[];
  readonly items: readonly ShelfItem[];
}

export interface RunningDemo {
  readonly result: DemoResult;
  readonly shelf: ExampleShelf;
  stop(): Promise<void>;
}

/** Shops are spread over this many processes beside the coordinator. */
const hosts = 2;
const longestWaitMs = 170_000;

/** Starts everything and compares; the coordinator keeps serving until `stop`. */
export async function startDemo(options: DemoOptions): Promise<RunningDemo> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'cesta-demo-'));
  const processes: DemoProcess[] = [];
  const stop = async (): Promise<void> => {
    // Shops first: they would report a coordinator that is gone.
    for (const process of processes.reverse()) await process.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    options.progress('starting the coordinator');
    const dataset = await readDataset('online-retail');
    const parts = splitDataset(dataset, 'last-basket');
    // The last day that trains: the federation of the demo lives then, not today.
    const asOf = new Date((simulatedToday(parts) - 1) * 1000).toISOString().slice(0, 10);
    const coordinator = await startCoordinatorProcess([...serveArguments(options, folder), '--as-of', asOf]);
    processes.push(coordinator, ...shopHosts(options, coordinator.url, folder));
    const rows: ComparisonRow[] = [];
    const yardsticks = startYardsticks({ shops: options.shops, seed: options.seed }, (row) => void rows.push(row));
    processes.push(yardsticks);
    await waitForRelease(options, coordinator.url, processes.filter((process) => process !== yardsticks));
    const { row, manifest } = await measureRelease(coordinator.url, dataset, parts);
    options.progress('the release is out; measuring what shops could do otherwise');
    const code = await yardsticks.ended;
    if (code !== 0) throw new CestaError('internal', `demo: expected the yardsticks to be computed, but their process ended with code ${code}`);
    const result: DemoResult = {
      models: order.map((name) => [row, ...rows].find((candidate) => candidate.name === name)).filter((found) => found !== undefined),
      // What was promised; the release itself says what was spent, which is a hair less.
      epsilon: manifest.privacy.epsilon === null ? null : options.epsilon,
      delta: manifest.privacy.delta,
      mode: manifest.privacy.mode,
      seconds: (performance.now() - started) / 1000,
      releaseUrl: new URL('/v1/model', coordinator.url).href,
    };
    return { result, shelf: await exampleShelf(coordinator.url, dataset, parts), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const order = ['popularity', 'local-only', 'release', 'release-without-noise', 'item-knn-central'] as const;

function shopHosts({ shops, seed, leaving }: DemoOptions, coordinator: string, stateDir: string): DemoProcess[] {
  return Array.from({ length: hosts }, (_, host) => ({ from: Math.floor((host * shops) / hosts) + 1, to: Math.floor(((host + 1) * shops) / hosts) }))
    .filter(({ from, to }) => to >= from)
    .map(({ from, to }) => startShopHost({ coordinator, from, to, of: shops, seed, stateDir, leaving: Math.max(0, Math.min(leaving - from + 1, to - from + 1)) }));
}

function serveArguments({ epsilon, delta, shops, mode, port }: DemoOptions, folder: string): string[] {
  const privacy = mode === 'none' ? [] : ['--epsilon', String(epsilon), '--delta', String(delta)];
  return ['--task', 'demo', '--catalogue', 'online-retail', '--mode', mode, ...privacy, '--shops', String(shops), '--min-shops', String(Math.max(1, Math.ceil(shops * 0.8))), '--over-selection', '1',
    '--gather-seconds', '60', '--port', String(port), '--data-dir', join(folder, 'coordinator')];
}

async function describeRound(url: string): Promise<string> {
  const { rounds } = await fetchRounds(url);
  const last = rounds.at(-1);
  if (last === undefined) return 'shops are joining';
  return last.state === 'training' ? `${last.participants ?? 0} shops are training` : `round is ${last.state}`;
}

async function waitForRelease({ progress }: DemoOptions, url: string, processes: readonly DemoProcess[]): Promise<void> {
  // A host of shops may end well before the release is seen here: the task is over for it.
  const failed = Promise.race(processes.map(({ name, ended }) => new Promise<string>((resolve) => {
    void ended.then((code) => code !== 0 && resolve(`${name} ended with code ${code}`));
  })));
  const deadline = performance.now() + longestWaitMs;
  while (performance.now() < deadline) {
    const { version } = await fetchCoordinator(url);
    if (version !== null) return;
    progress(await describeRound(url));
    const failure = await Promise.race([failed, sleep(250, null)]);
    if (failure !== null) throw new CestaError('round.failed', `demo: expected every process to work, but ${failure}`);
  }
  throw new CestaError('round.failed', `demo: expected a release within ${longestWaitMs / 1000} s, got none`);
}

async function measureRelease(url: string, dataset: Dataset, parts: Split) {
  const { publicKey } = await fetchCoordinator(url);
  const bytes = new Uint8Array(await (await fetch(new URL('/v1/model', url))).arrayBuffer());
  const { manifest, tensors } = await openRelease(bytes, publicKey);
  const model = createModel(manifest.model.kind, dataset.catalogue, manifest.model.hyperParameters);
  return { manifest, row: compare('release', model, model.decode(tensors), parts) };
}

/** The first test shopper with a small history, served by the storefront SDK from the coordinator's address. */
async function exampleShelf(url: string, { catalogue }: Dataset, { tests }: Split): Promise<ExampleShelf> {
  const test = tests.find(({ history }) => history.items.length >= 3 && history.items.length <= 6) ?? tests[0];
  const bought = [...new Set(test.history.items)].map((item) => catalogue.products[item]);
  const cesta = createCesta({ url, defaultDegree: 1 });
  await cesta.ready;
  cesta.track('purchase', bought.map(({ id }) => ({ item_id: id })));
  return { boughtIds: bought.map(({ id }) => id), bought: bought.map(({ id, title }) => (title === '' ? id : title)), items: cesta.recommend({ limit: 8 }) };
}
