/** A coordinator and its honest shops as real processes, watched while others attack them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { scriptExecArgv, scriptPath } from '../../child-script.ts';
import { eventsOf } from '../crashes/federation.ts';
import { servedBy, type Served } from '../crashes/served.ts';
import { honestShops, shopLineSchema, type CoordinatorProcessOptions, type ShopLine } from './task.ts';

export interface HostileFederation {
  readonly url: URL;
  readonly publicKey: string;
  readonly served: Served;
  /** Of the coordinator. */
  readonly pid: number;
  readonly isAlive: boolean;
  /** Reports of each honest shop that were accepted. */
  readonly reports: ReadonlyMap<string, number>;
  /** Honest shops that ended with an error. */
  readonly lost: readonly string[];
  /** Ends the shops in good order. @returns those that had been ended by something else, or took part in nothing */
  stopShops(): Promise<string[]>;
  /** What the coordinator last wrote to its log. */
  readonly lastWords: string;
  close(): Promise<void>;
}

const addressSchema = z.object({ url: z.url(), publicKey: z.string() });

/** @throws CestaError `internal` for a coordinator that does not start */
export async function openHostileFederation(folder: string, options: Omit<CoordinatorProcessOptions, 'dataDir'>): Promise<HostileFederation> {
  mkdirSync(folder, { recursive: true });
  const coordinator = start('coordinator-process.ts', { ...options, dataDir: join(folder, 'coordinator') });
  let lastWords = '';
  coordinator.stderr?.setEncoding('utf8').on('data', (text: string) => (lastWords = (lastWords + text).slice(-4_000)));
  const ended = exitOf(coordinator);
  const line = await Promise.race([firstLine(coordinator), ended.then(() => null)]);
  if (line === null) throw new CestaError('internal', `coordinator: expected it to start, but it ended\n${lastWords}`);
  const { url, publicKey } = addressSchema.parse(JSON.parse(line));
  const files = Array.from({ length: honestShops }, (_, shop) => join(folder, `honest-${shop + 1}.csv`));
  files.forEach((file, shop) => writeFileSync(file, eventsOf(shop)));
  const shops = start('shops-process.ts', { coordinator: url, files, stateDir: join(folder, 'shops') });
  shops.stderr?.resume();
  const watched = watchShops(shops);
  return {
    url: new URL(url),
    publicKey,
    served: servedBy(new URL(url), publicKey),
    pid: coordinator.pid ?? 0,
    reports: watched.reports,
    lost: watched.lost,
    get isAlive() {
      return coordinator.exitCode === null && coordinator.signalCode === null;
    },
    get lastWords() {
      return lastWords;
    },
    async stopShops() {
      shops.kill('SIGTERM');
      await exitOf(shops);
      return watched.unfinished();
    },
    async close() {
      shops.kill('SIGKILL');
      coordinator.kill('SIGKILL');
      await Promise.all([ended, exitOf(shops)]);
    },
  };
}

function start(name: string, options: object): ChildProcess {
  return spawn(process.execPath, [...scriptExecArgv(), scriptPath(name, import.meta.url), JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function firstLine({ stdout }: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => stdout === null ? resolve(null) : void createInterface({ input: stdout }).once('line', resolve));
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
}

interface WatchedShops {
  readonly reports: Map<string, number>;
  readonly lost: string[];
  unfinished(): string[];
}

function watchShops({ stdout }: ChildProcess): WatchedShops {
  const reports = new Map<string, number>();
  const ended = new Map<string, number>();
  const lost: string[] = [];
  const hear = (line: ShopLine): void => {
    switch (line.kind) {
      case 'reported':
        return void reports.set(line.shop, (reports.get(line.shop) ?? 0) + 1);
      case 'ended':
        return void ended.set(line.shop, line.rounds);
      case 'lost':
        return void lost.push(`${line.shop}: ${line.reason}`);
      default:
        return line satisfies never;
    }
  };
  if (stdout !== null) createInterface({ input: stdout }).on('line', (text) => hear(shopLineSchema.parse(JSON.parse(text))));
  return {
    reports,
    lost,
    unfinished: () => [
      ...lost,
      ...Array.from({ length: honestShops }, (_, shop) => `honest-${shop + 1}`).filter((shop) => (ended.get(shop) ?? 0) === 0).map((shop) => `${shop}: expected it to take part in a round and to end in good order, and it did not`),
    ],
  };
}
