/**
 * What becomes of releases, in the public record: it says what is served before it is served. The journal is written
 * first; where it is ahead, the record catches up before anything else is made or served.
 */
import type { LogEntryOf } from '../../shared/ledger/log-entries.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import type { ReleaseRecord, Storage } from '../storage/storage.ts';
import type { PublicRecord } from './public-record.ts';

export interface ReleaseLedger {
  /** Records what the journal has of releases and the record has not. */
  catchUp(): Promise<void>;
  /** Records what is served from now on. Call it when that is durable, before it is served. */
  served(release: ReleaseRecord): Promise<void>;
}

const pageSize = 100;

export function createReleaseLedger(record: PublicRecord, storage: Pick<Storage, 'releases'>, task: string): ReleaseLedger {
  return {
    catchUp: () => catchUpReleases(record, storage, task),
    served: (release) => recordServed(record, release),
  };
}

/** Records the releases of a task that the journal has and the record has not, and what of them is served. */
export async function catchUpReleases(record: PublicRecord, storage: Pick<Storage, 'releases'>, task: string): Promise<void> {
  await record.refresh();
  for (const release of await releasesAbove(storage, task, record.before.versionsOf(task).newest)) {
    if (release.manifest.restores === undefined) await recordResult(record, release);
    else await recordServed(record, release);
  }
  // A candidate that was promoted is older than the newest, maybe, but never than what was served before it.
  const [inForce] = await storage.releases(task, { before: Number.MAX_SAFE_INTEGER, limit: 1, state: 'served' });
  if (inForce !== undefined && inForce.version > record.before.versionsOf(task).served) await recordServed(record, inForce);
}

/** Oldest first. Asked for before and after every round, and hardly ever any: a page is read only where there are some. */
async function releasesAbove(storage: Pick<Storage, 'releases'>, task: string, version: number): Promise<ReleaseRecord[]> {
  const [newest] = await storage.releases(task, { before: Number.MAX_SAFE_INTEGER, limit: 1 });
  if (newest === undefined || newest.version <= version) return [];
  const releases: ReleaseRecord[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const page = await storage.releases(task, { before, limit: pageSize });
    const above = page.filter((release) => release.version > version);
    releases.unshift(...above.reverse());
    const last = page.at(-1);
    if (last === undefined || last.version <= version) return releases;
    before = last.version;
  }
}

async function recordResult(record: PublicRecord, { task, round, version, sha256, manifest, state, serving }: ReleaseRecord): Promise<void> {
  const known = record.before.roundOf(round);
  if (known?.isCharged !== true || known.isDone) return;
  const held = state !== 'served' || serving !== null;
  await unlessThere(
    () => record.append({ type: 'round-result', task, round, planHash: manifest.planHash, version, release: sha256, ...(held ? { held } : {}) }),
    () => record.before.roundOf(round)?.isDone === true,
  );
}

async function recordServed(record: PublicRecord, { task, version, sha256, manifest: { restores }, serving }: ReleaseRecord): Promise<void> {
  // Without a change it is served by the result of its round.
  if (serving === null) return;
  const entry: LogEntryOf<'release-served'> = { type: 'release-served', task, version, release: sha256, ...(restores === undefined ? {} : { restores }), ...serving };
  await unlessThere(() => record.append(entry), () => record.before.versionsOf(task).served >= version);
}

/** A round that opens catches up, too: both may find an entry missing, and the second is refused. */
async function unlessThere(append: () => Promise<unknown>, isThere: () => boolean): Promise<void> {
  try {
    await append();
  } catch (error) {
    if (toCestaError(error).code !== 'log.inconsistent' || !isThere()) throw error;
  }
}
