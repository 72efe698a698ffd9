/** A federation of real processes on folders that outlive them: a coordinator, and a process for each shop. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { lastingPort } from '../../ports.ts';
import { openStable, type CommandProcess } from './processes.ts';

export type CrashMode = 'local' | 'distributed';

export interface FederationOptions {
  readonly mode: CrashMode;
  /** Rounds of the task, those that crashes cost included. */
  readonly rounds: number;
  /** Empty or new; keeps everything, the log of all processes included. */
  readonly folder: string;
  /** The folder of `runnableTree`. */
  readonly compiled: string;
}

export interface CrashFederation {
  readonly url: URL;
  readonly publicKey: string;
  readonly shops: number;
  /** Of each shop. */
  readonly spendFiles: readonly string[];
  readonly receiptFiles: readonly string[];
  /** The journal of the coordinator. */
  readonly database: string;
  /** Kills processes that have to be running, and returns at once when they are gone. @throws CestaError for one that ended by itself */
  killCoordinator(): Promise<void>;
  killShop(shop: number): Promise<void>;
  /** Starts a coordinator on the same folder and port, and kills it so long after. */
  startAndKill(afterMs: number): Promise<void>;
  /** Starts it, and waits until it listens. @throws CestaError `internal` with its last words when it does not */
  startCoordinator(): Promise<void>;
  startShop(shop: number): Promise<void>;
  close(): Promise<void>;
}

const addressSchema = z.object({ url: z.url(), publicKey: z.string() });

const shopsOf = { local: 3, distributed: 5 } as const;

export async function openFederation({ mode, rounds, folder, compiled }: FederationOptions): Promise<CrashFederation> {
  mkdirSync(folder, { recursive: true });
  const shops = shopsOf[mode];
  const names = Array.from({ length: shops }, (_, shop) => `shop-${shop + 1}`);
  names.forEach((name, shop) => writeFileSync(join(folder, `${name}.csv`), eventsOf(shop)));
  const stable = openStable(compiled, join(folder, 'processes.log'));
  const serve = (port: number): Promise<CommandProcess> => stable.run([
    'serve', '--json', '--task', 'crashes', '--model', 'popularity', '--mode', mode, '--epsilon', '50', '--rounds', `${rounds}`,
    '--shops', `${shops}`, ...(mode === 'local' ? ['--min-shops', '3'] : ['--min-shops', '5', '--tolerated', '1', '--colluding', '1']),
    '--over-selection', '1', '--max-shoppers', '100', '--gather-seconds', '1', '--training-seconds', '10', '--port', `${port}`, '--data-dir', join(folder, 'coordinator'),
  ]);
  // It comes back where it was, again and again.
  const port = await lastingPort();
  let coordinator = await serve(port);
  const { url, publicKey } = await addressOf(coordinator);
  const startShop = (shop: number): Promise<CommandProcess> => stable.run(['join', '--shop', names[shop], '--data', join(folder, `${names[shop]}.csv`), '--coordinator', url, '--state-dir', join(folder, 'shops'), '--max-epsilon', '1000', '--capacity', '100']);
  const nodes: CommandProcess[] = [];
  for (const shop of names.keys()) nodes.push(await startShop(shop));
  return {
    url: new URL(url),
    publicKey,
    shops,
    spendFiles: names.map((name) => join(folder, 'shops', name, 'spends.jsonl')),
    receiptFiles: names.map((name) => join(folder, 'shops', name, 'receipts.jsonl')),
    database: join(folder, 'coordinator', 'coordinator.db'),
    killCoordinator: () => killRunning('coordinator', coordinator),
    killShop: (shop) => killRunning(names[shop], nodes[shop]),
    async startAndKill(afterMs) {
      coordinator = await serve(port);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await killRunning('coordinator', coordinator);
    },
    async startCoordinator() {
      coordinator = await serve(port);
      await addressOf(coordinator);
    },
    async startShop(shop) {
      nodes[shop] = await startShop(shop);
    },
    close: () => stable.close(),
  };
}

async function addressOf(coordinator: CommandProcess): Promise<z.infer<typeof addressSchema>> {
  const line = await coordinator.firstLine;
  if (line === null) throw new CestaError('internal', `coordinator: expected it to start, but it ended\n${await coordinator.ended}`);
  return addressSchema.parse(JSON.parse(line));
}

async function killRunning(name: string, process: CommandProcess): Promise<void> {
  if (!process.isRunning) throw new CestaError('internal', `${name}: expected it to run, but it ended by itself\n${await process.ended}`);
  await process.kill();
}

/** Few shoppers and items: rounds are to be many and short. */
export function eventsOf(shop: number): string {
  const lines = ['event,item_id,shopper_id,timestamp,item_name'];
  for (let shopper = 0; shopper < 12; shopper += 1) {
    for (const item of [0, 1, 2 + (shopper % 4), 6 + ((shopper + shop) % 4)]) {
      lines.push(`purchase,sku-${item},shopper-${shopper},2026-01-0${1 + (item % 3)}T10:00:00Z,ceramic tea mug number ${item}`);
    }
  }
  return lines.join('\n');
}
