/**
 * What a drill is carried out on: a copy of a coordinator, from a backup that is taken while it runs, or a federation of three
 * small shops that is made for it. Nothing of it reaches the coordinator that is copied, and nothing stays.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOTP, URI } from 'otpauth';
import type { Logger } from 'pino';
import { startShopNode } from '../../client/shop/shop-node.ts';
import { backup } from '../../server/backup/backup.ts';
import { restore } from '../../server/backup/restore.ts';
import { systemClock } from '../../server/clock.ts';
import { startCoordinator, type Coordinator } from '../../server/coordinator.ts';
import { openRecords } from '../../server/records.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { logIn, openAdminClient, type AdminClient } from '../admin-client.ts';
import { resetOperator } from '../operator.ts';
import { openSessionsFile } from '../sessions-file.ts';
import type { JournalPlace } from './affected.ts';

export interface DrillTarget {
  readonly admin: AdminClient;
  readonly place: JournalPlace;
  close(): Promise<void>;
}

/** @param source what to copy; without it, a federation is made */
export async function openDrillTarget(source: JournalPlace | null, logger: Logger): Promise<DrillTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'cesta-drill-'));
  const dataDir = join(folder, 'data');
  let coordinator: Coordinator | null = null;
  const remove = (): void => removeWhileWritten(folder);
  // The copy has keys and the journal in it: it must not outlive a drill that is broken off.
  const forget = onSignal(remove);
  const close = async (): Promise<void> => {
    await coordinator?.close();
    remove();
    forget();
  };
  try {
    coordinator = source === null ? await startExercise(folder, dataDir, logger) : await startCopy(source, folder, dataDir, logger);
    const url = new URL(coordinator.url);
    const sessions = openSessionsFile(join(folder, 'home'));
    const { token, otpauth } = await resetOperator({ coordinator: url, dataDir }, 'admin');
    const totp = URI.parse(otpauth);
    if (!(totp instanceof TOTP)) throw new CestaError('internal', 'drill: expected one-time codes by time, got others');
    await logIn({ coordinator: url, sessions }, { token, code: totp.generate() });
    return { admin: openAdminClient({ coordinator: url, sessions }), place: { dataDir }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Removes a folder into which the file system's threads may still be writing: what they began while this thread could be
 * interrupted they finish, and each file of theirs costs one more attempt.
 */
function removeWhileWritten(folder: string): void {
  for (let attemptsLeft = 100; ; attemptsLeft -= 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if (attemptsLeft === 0 || !(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error;
    }
  }
}

/** Runs `last` and ends the process at SIGINT or SIGTERM. Returns what calls that off. */
function onSignal(last: () => void): () => void {
  const end = (): void => {
    last();
    process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, end);
  return () => signals.forEach((signal) => void process.off(signal, end));
}

async function startCopy({ dataDir: from, database }: JournalPlace, folder: string, dataDir: string, logger: Logger): Promise<Coordinator> {
  await backup({ dataDir: from, database, to: join(folder, 'backup'), now: new Date() });
  await restore({ from: join(folder, 'backup'), dataDir });
  const records = await openRecords({ folder: dataDir, clock: systemClock });
  const main = await records.storage.setting('main-task').then((name) => (name === null ? null : records.storage.task(name))).finally(() => records.close());
  if (main === null) throw new CestaError('data.not-found', `--data-dir: expected a coordinator that has a task, got ${from} without one`);
  return startCoordinator({ task: main.spec, dataDir, port: 0, logger });
}

const shopNames = ['north', 'south', 'west'];

/** One round of three shops, so that there is something to look into. */
async function startExercise(folder: string, dataDir: string, logger: Logger): Promise<Coordinator> {
  const coordinator = await startCoordinator({
    task: {
      name: 'exercise',
      model: { kind: 'popularity' },
      privacy: { mode: 'local', epsilon: 3, delta: 1e-5, rounds: 2 },
      cohort: { minParticipants: shopNames.length, targetParticipants: shopNames.length, overSelection: 1 },
      deadlines: { recruitingMs: 20_000, trainingMs: 20_000 },
      maxShoppersPerShop: 100,
    },
    dataDir, port: 0, logger, roundsWanted: 1,
  });
  try {
    const nodes = shopNames.map((shop, index) => startShopNode({ shop, dataset: exerciseData(index), coordinator: new URL(coordinator.url), stateDir: join(folder, 'shops'), logger, maxEpsilon: 10, once: true }));
    await Promise.all(nodes.map(({ done }) => done));
    return coordinator;
  } catch (error) {
    await coordinator.close();
    throw error;
  }
}

function exerciseData(shop: number): Dataset {
  const catalogue = createCatalogue(['apple', 'bread', 'cheese', 'dates'].map((id) => ({ id, title: `some ${id}` })));
  const shoppers = Array.from({ length: 8 }, (_, index) => ({ id: `${index}`, group: '', degree: 3 as const, history: historyOf([{ time: 1_700_000_000, items: [index % 4, (index + shop) % 4] }]) }));
  return { name: 'exercise', catalogue, shoppers, report: { lines: 16, used: 16, complaints: [] } };
}
