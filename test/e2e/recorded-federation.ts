/** A coordinator and shop nodes in one process, over real sockets, with a public record to look at or to spoil. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startShopNode, type ShopNode, type ShopNodeEvent, type ShopNodeOptions } from '../../client/shop/shop-node.ts';
import type { Coordinator } from '../../server/coordinator.ts';
import type { CoordinatorOptions } from '../../server/coordinator-options.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import { openLibsql } from '../../server/storage/libsql-database.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { decodeEntry, encodeEntry, type LogEntry } from '../../shared/ledger/log-entries.ts';
import { coordinatorFor } from '../server/support/coordinators.ts';
import { catalogue, silent, taskInput } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';

const dataset: Dataset = {
  name: 'test',
  catalogue,
  shoppers: Array.from({ length: 6 }, (_, i) => ({ id: `shopper-${i}`, group: '', degree: 3, history: historyOf([{ time: 1, items: [i % 4, (i + 1) % 4] }]) })),
  report: { lines: 0, used: 0, complaints: [] },
};

export interface Federation {
  readonly folder: string;
  readonly coordinator: (options?: Partial<CoordinatorOptions>) => Promise<Coordinator>;
  readonly join: (coordinator: Coordinator, name: string, options?: Partial<ShopNodeOptions>) => JoinedShop;
  readonly dataDir: string;
}

export interface JoinedShop {
  readonly node: ShopNode;
  readonly events: ShopNodeEvent[];
  /** The next event of a kind, from now on or already heard. */
  readonly until: <Kind extends ShopNodeEvent['kind']>(kind: Kind) => Promise<Extract<ShopNodeEvent, { kind: Kind }>>;
}

export function federation(rounds = 2): Federation {
  const folder = temporaryFolder();
  const dataDir = join(folder, 'coordinator');
  return {
    folder,
    dataDir,
    coordinator: (options = {}) => coordinatorFor({ task: taskInput({ mode: 'local', rounds }), dataDir, ...options }),
    join(coordinator, name, options = {}) {
      const node = startShopNode({ shop: name, dataset, coordinator: new URL(coordinator.url), stateDir: join(folder, 'shops'), logger: silent, maxEpsilon: 50, ...options });
      onTestFinished(() => node.close());
      const events: ShopNodeEvent[] = [];
      const waiters = new Set<() => void>();
      node.onEvent((event) => {
        events.push(event);
        for (const wake of [...waiters]) wake();
      });
      return {
        node,
        events,
        until: (kind) => new Promise((resolve) => {
          const look = (): void => {
            const found = events.find((event) => event.kind === kind);
            if (found === undefined) return;
            waiters.delete(look);
            resolve(found as never);
          };
          waiters.add(look);
          look();
        }),
      };
    },
  };
}

/** Runs a round with two shops, and closes them. */
export async function runRecordedRound({ join: joinShop }: Federation, coordinator: Coordinator): Promise<void> {
  const shops = ['one', 'two'].map((name) => joinShop(coordinator, name));
  await Promise.all(shops.map(({ until }) => until('round-done')));
  await Promise.all(shops.map(({ node }) => node.close()));
}

/** Rewrites the record of a coordinator that is not running, as one would who has its key: heads are signed anew. */
export async function rewriteRecord(dataDir: string, change: (entries: LogEntry[]) => LogEntry[]): Promise<void> {
  const storage = await openLibsqlStorage(dataDir);
  const entries = (await storage.logEntries({ from: 0, limit: 10_000 })).map(decodeEntry);
  await storage.close();
  const database = openLibsql(join(dataDir, 'coordinator.db'));
  database.prepare('delete from log_entries').run([]);
  database.prepare("delete from settings where key like 'log-%'").run([]);
  database.close();
  const again = await openLibsqlStorage(dataDir);
  await again.appendLog({ position: 0, entries: change(entries).map(encodeEntry) });
  await again.close();
}
