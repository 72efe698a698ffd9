/**
 * What an operator or a gate decides of releases: promote, reject, roll back. Journal first, then the public record,
 * then what is served. Storefronts refuse a version below one they have seen, so what was served never comes back under
 * its old number: its parameters are sealed anew, as the next version, which says what it restores.
 */
import type { CanaryVerdict } from '../shared/evaluation/exposure-canary.ts';
import { originOf, sealRelease, type Manifest } from '../shared/federation/release.ts';
import { strategyTensorsOf } from '../shared/federation/strategies/state-tensors.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import { nextVersion, openStored, servedVersion, type LoadedRelease, type OpenedStored, type PublishedRelease, type ReleasesOptions } from './release-files.ts';
import { makeServingForms } from './serving-forms.ts';
import type { ReleaseRecord, Serving } from './storage/storage.ts';

export interface ReleaseStatus {
  readonly version: number;
  readonly sha256: string;
  readonly round: string;
  readonly createdAt: string;
  /** `serving`: what GET /v1/model answers with. `served`: it was, once. */
  readonly state: 'serving' | 'served' | 'candidate' | 'rejected';
  /** The version whose parameters it serves again. */
  readonly restores: number | null;
  /** Spent by the task up to and including its round; null where nothing is promised. */
  readonly epsilon: number | null;
  readonly shoppers: number;
  /** Why a canary held it back when it was made; null where none did. */
  readonly canary: CanaryVerdict | null;
}

/** Where the changes are made: one at a time. */
export interface ReleaseDesk {
  readonly options: ReleasesOptions;
  readonly current: LoadedRelease | null;
  /** Serves a release that is durable and recorded. */
  serve(release: LoadedRelease): PublishedRelease;
}

export function describeRelease({ version, sha256, round, manifest, state, canary }: ReleaseRecord, current: PublishedRelease | null): ReleaseStatus {
  const { createdAt, restores = null, privacy: { epsilon }, shoppers } = manifest;
  return { version, sha256, round, createdAt, state: current?.sha256 === sha256 ? 'serving' : state, restores, epsilon, shoppers, canary };
}

/** See `Releases.promote`. */
export async function promote(desk: ReleaseDesk, version: number, reason: Serving['reason']): Promise<PublishedRelease> {
  const { options, current } = desk;
  const { storage, task, ledger, logger } = options;
  const record = await recordOf(options, version);
  if (current !== null && originOf(current.manifest) === originOf(record.manifest)) {
    throw new CestaError('release.state', `release ${version}: expected one that is not served, got what version ${current.manifest.version} serves`);
  }
  // Read before anything changes: what is damaged is not promoted.
  const opened = await openStored(options, record);
  const change: Change = { serving: { change: 'promotion', reason }, previous: current?.manifest.version ?? null };
  if (record.state === 'served' || version < (await servedVersion(options))) return serveAnew(desk, { ...opened, round: record.round }, change);
  await storage.serveRelease(task, version, change);
  await ledger.served({ ...record, ...change });
  logger.info({ task, version, reason }, 'release promoted');
  return desk.serve(opened.release);
}

/** See `Releases.rollback`. */
export async function rollback(desk: ReleaseDesk, reason: Serving['reason']): Promise<PublishedRelease> {
  const { options, current } = desk;
  if (current === null) throw new CestaError('release.not-found', 'rollback: expected a release to be served, got none yet');
  const { previous } = await recordOf(options, current.manifest.version);
  if (previous === null) throw new CestaError('release.state', `rollback: expected a release that was served before version ${current.manifest.version}, got none`);
  const target = await recordOf(options, previous);
  const opened = await openStored(options, target);
  return serveAnew(desk, { ...opened, round: target.round }, { serving: { change: 'rollback', reason }, previous: target.previous });
}

/** See `Releases.reject`. */
export async function reject({ options }: Pick<ReleaseDesk, 'options'>, version: number): Promise<void> {
  const { state } = await recordOf(options, version);
  if (state !== 'candidate') throw new CestaError('release.state', `release ${version}: expected a candidate, got one that is ${state}`);
  await options.storage.rejectRelease(options.task, version);
  options.logger.info({ task: options.task, version }, 'release rejected');
}

type Change = Pick<ReleaseRecord, 'serving' | 'previous'>;

type Opened = OpenedStored & { readonly round: string };

/** Seals the parameters of a release, and its strategy's state with them, as the next version, and serves that. */
async function serveAnew(desk: ReleaseDesk, { release, model, tensors, round }: Opened, change: Change): Promise<PublishedRelease> {
  const { options } = desk;
  const { task, storage, blobs, key, clock, ledger, logger } = options;
  const manifest: Manifest = { ...release.manifest, version: await nextVersion(options), createdAt: clock.date().toISOString(), restores: originOf(release.manifest) };
  const sealed = sealRelease(manifest, tensors, key);
  await blobs.write(sealed.bytes);
  await makeServingForms(options, model, { ...sealed, tensors });
  const record: ReleaseRecord = { task, version: manifest.version, sha256: sealed.sha256, round, manifest: sealed.manifest, state: 'served', canary: null, ...change };
  await storage.restoreRelease(record);
  await ledger.served(record);
  logger.info({ task, version: manifest.version, restores: manifest.restores, ...change.serving }, 'release served again');
  return desk.serve({ ...release, ...sealed, strategy: strategyTensorsOf(sealed.manifest, tensors) });
}

async function recordOf({ storage, task }: ReleasesOptions, version: number): Promise<ReleaseRecord> {
  const record = await storage.release(task, { version });
  if (record === null) throw new CestaError('release.not-found', `release: expected the version of a release of ${task}, got ${version}`);
  return record;
}
