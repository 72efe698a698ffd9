/**
 * The demo: a year of real orders, split over shops in a few processes, one private round a month over real sockets, and what
 * each release is worth. This process only starts the others and serves pages, so that those answer whatever the rest computes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RobustSpec } from '../../shared/federation/robust/rule.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { fewestParticipants } from '../../shared/secagg/terms.ts';
import { freePort } from '../ports.ts';
import type { ComparisonRow } from './comparison.ts';
import type { ExampleShelf } from './example-shelf.ts';
import { demoHyperParameters, demoTask } from './federation.ts';
import type { Finding, MeasuredRelease } from './findings.ts';
import { servePages, type Pages } from './pages.ts';
import { startCoordinatorProcess, startScript, type DemoProcess } from './processes.ts';
import { demoShopFiles } from './shop/files.ts';
import { recordYear, type YearRecord } from './year.ts';

export interface DemoOptions {
  readonly epsilon: number;
  readonly delta: number;
  readonly shops: number;
  readonly mode: string;
  /** That share the budget and make the year. */
  readonly rounds: number;
  /** From one round to the next, at least. */
  readonly monthSeconds: number;
  readonly robust?: RobustSpec;
  /** Shops that leave in the middle of the first round: the first ones. */
  readonly leaving: number;
  readonly seed: number;
  /** Of the coordinator; demo shop and backstage take the next two, and 0 picks all three. */
  readonly port: number;
  /** Says what is going on, in one line. */
  readonly progress: (text: string) => void;
  readonly onRelease: (release: MeasuredRelease) => void;
}

export interface DemoResult {
  readonly models: readonly ComparisonRow[];
  readonly releases: readonly MeasuredRelease[];
  /** What was promised; the releases say what was spent, which is a hair less. */
  readonly epsilon: number | null;
  readonly delta: number | null;
  readonly mode: string;
  readonly seconds: number;
  readonly releaseUrl: string;
  readonly shelf: ExampleShelf;
}

export interface DemoAddresses {
  readonly dashboard: string;
  readonly shop: string;
  readonly backstage: string;
}

export interface RunningDemo {
  readonly addresses: DemoAddresses;
  /** Resolves when the year is over and all is measured; rejects when a process fails. */
  readonly result: Promise<DemoResult>;
  stop(): Promise<void>;
}

/** Shops are spread over this many processes beside the coordinator. */
const hosts = 2;

/** Starts everything; the coordinator and the pages are served until `stop`. */
export async function startDemo(options: DemoOptions): Promise<RunningDemo> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'cesta-demo-'));
  const processes: DemoProcess[] = [];
  let pages: Pages | null = null;
  let written = (): Promise<void> => Promise.resolve();
  const stop = async (): Promise<void> => {
    await pages?.close();
    // Shops first: they would report a coordinator that is gone.
    for (const process of processes.reverse()) await process.stop();
    await written();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    options.progress('starting the coordinator');
    const qualityPath = join(folder, 'quality.json');
    const record = recordYear({ qualityPath, monthMs: 1000 * options.monthSeconds, onRelease: options.onRelease });
    written = () => record.written();
    const shopFiles = demoShopFiles();
    // Told where they are waited for, if the coordinator starts at all.
    shopFiles.catch(() => undefined);
    const coordinator = await startCoordinatorProcess([...serveArguments(options, await freePort(options.port)), '--quality', qualityPath, '--data-dir', join(folder, 'coordinator')]);
    processes.push(coordinator);
    // Pages first: they answer while the others read the orders.
    pages = await servePages({ coordinator: coordinator.url, port: options.port === 0 ? 0 : options.port + 1, folder, shopFiles, year: () => record.year, federation: options });
    processes.push(...shopHosts(options, coordinator.url, folder), measure(options, coordinator.url, record));
    const result = record.ended([...processes]).then(() => resultOf(options, record, { coordinator: coordinator.url, seconds: (performance.now() - started) / 1000 }));
    // Whoever started the demo may stop it first.
    result.catch(() => undefined);
    return { addresses: { dashboard: new URL('/dashboard/', coordinator.url).href, shop: pages.shop, backstage: pages.backstage }, result, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function shopHosts({ shops, seed, leaving, rounds }: DemoOptions, coordinator: string, stateDir: string): DemoProcess[] {
  return Array.from({ length: hosts }, (_, host) => ({ from: Math.floor((host * shops) / hosts) + 1, to: Math.floor(((host + 1) * shops) / hosts) }))
    .filter(({ from, to }) => to >= from)
    .map(({ from, to }) => startScript(`shops ${from}-${to}`, './shop-host.ts', { coordinator, from, to, of: shops, seed, rounds, stateDir, leaving: Math.max(0, Math.min(leaving - from + 1, to - from + 1)) }));
}

function measure({ shops, seed, rounds }: DemoOptions, coordinator: string, record: YearRecord): DemoProcess {
  return startScript('yardsticks', './yardsticks.ts', { shops, seed, rounds, coordinator }, (finding) => record.hear(finding as Finding));
}

function serveArguments({ epsilon, delta, shops, mode, rounds, monthSeconds, robust }: DemoOptions, port: number): string[] {
  const privacy = mode === 'none' ? [] : ['--epsilon', String(epsilon), '--delta', String(delta)];
  const rule = robust === undefined ? [] : ['--robust', robust.rule, '--byzantine', String(robust.byzantine), ...(robust.groups === undefined ? [] : ['--groups', String(robust.groups)])];
  const quorum = Math.max(1, Math.ceil(shops * 0.8), fewestParticipants * (robust?.groups ?? 0));
  return ['--task', demoTask, '--catalogue', 'online-retail', '--hyper-parameters', JSON.stringify(demoHyperParameters(rounds)), '--mode', mode, ...privacy, ...rule,
    '--rounds', String(rounds), '--min-interval-seconds', String(monthSeconds),
    // Room for one shop more: whoever wants to see what a malicious one does may add it.
    '--shops', String(shops), '--min-shops', String(Math.min(quorum, shops)), '--over-selection', String((shops + 1) / shops), '--gather-seconds', '60',
    '--drain-seconds', '1', '--port', String(port)];
}

const order = ['popularity', 'local-only', 'release', 'release-without-noise', 'item-knn-central'] as const;

function resultOf({ epsilon, delta, mode }: DemoOptions, { year: { baselines, releases, end } }: YearRecord, { coordinator, seconds }: { readonly coordinator: string; readonly seconds: number }): DemoResult {
  const last = releases.at(-1);
  if (last === undefined || end === null || end.shelf === null) throw new CestaError('round.failed', `demo: expected a release, got none: ${end?.message ?? 'no word'}`);
  const promise = mode === 'none' ? { epsilon: null, delta: null } : { epsilon, delta };
  return {
    models: order.flatMap((name) => [last.row, ...baselines].filter((row) => row.name === name)),
    releases, ...promise, mode, seconds, shelf: end.shelf,
    releaseUrl: new URL('/v1/model', coordinator).href,
  };
}
