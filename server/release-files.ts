/** Releases as they lie in the journal and among the files: read, checked, and taken up again. */
import { openRelease, type Manifest } from '../shared/federation/release.ts';
import { strategyTensorsOf } from '../shared/federation/strategies/state-tensors.ts';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import type { NamedTensors } from '../shared/protocol/tensors.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Meter } from './meter.ts';
import type { ReleaseLedger } from './ledger/release-ledger.ts';
import type { BlobStore } from './storage/blobs.ts';
import type { ReleaseRecord, ReleaseState, Storage } from './storage/storage.ts';

/** A release as it is served. */
export interface PublishedRelease {
  readonly manifest: Manifest;
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** The release in force, with the parameters that further rounds start from. */
export interface LoadedRelease extends PublishedRelease {
  readonly params: unknown;
  /** State of the strategy that these parameters came with; none without one. */
  readonly strategy: NamedTensors;
}

export interface ReleasesOptions {
  readonly task: string;
  readonly storage: Storage;
  readonly blobs: BlobStore;
  readonly key: SigningKey;
  /** The model that reads a release of this task. */
  readonly modelOf: (model: Manifest['model']) => AnyFederatedModel;
  /** What releases say in the public record. */
  readonly ledger: ReleaseLedger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter?: Meter;
}

const newest = { before: Number.MAX_SAFE_INTEGER, limit: 1 } as const;

export async function readRelease({ blobs }: Pick<ReleasesOptions, 'blobs'>, { manifest, sha256 }: ReleaseRecord): Promise<PublishedRelease> {
  return { manifest, sha256, bytes: await blobs.read(sha256) };
}

export interface OpenedStored {
  readonly release: LoadedRelease;
  readonly model: AnyFederatedModel;
  readonly tensors: NamedTensors;
}

/** @throws CestaError `storage.failed`, `release.untrusted` for a file that is damaged */
export async function openStored(options: Pick<ReleasesOptions, 'blobs' | 'key' | 'modelOf'>, record: ReleaseRecord): Promise<OpenedStored> {
  const release = await readRelease(options, record);
  const { tensors } = await openRelease(release.bytes, options.key.publicKey);
  const model = options.modelOf(release.manifest.model);
  return { release: { ...release, params: model.decode(tensors), strategy: strategyTensorsOf(release.manifest, tensors) }, model, tensors };
}

/** A damaged or rejected release keeps its number: versions are never given twice. */
export async function nextVersion({ storage, task }: Pick<ReleasesOptions, 'storage' | 'task'>): Promise<number> {
  const [last] = await storage.releases(task, newest);
  return (last?.version ?? 0) + 1;
}

/** The version that the journal has in force, whether or not its file is damaged; 0 for none. */
export async function servedVersion({ storage, task }: Pick<ReleasesOptions, 'storage' | 'task'>): Promise<number> {
  const [served] = await storage.releases(task, { ...newest, state: 'served' });
  return served?.version ?? 0;
}

/** The newest release in force that is undamaged, or null. */
export async function newestServed(options: ReleasesOptions): Promise<LoadedRelease | null> {
  for await (const record of newestFirst(options, 'served')) {
    try {
      return (await openStored(options, record)).release;
    } catch (error) {
      options.logger.error({ err: error, version: record.version }, 'release is damaged; trying the one before');
    }
  }
  return null;
}

async function* newestFirst({ storage, task }: Pick<ReleasesOptions, 'storage' | 'task'>, state: ReleaseState): AsyncGenerator<ReleaseRecord> {
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const [record] = await storage.releases(task, { before, limit: 1, state });
    if (record === undefined) return;
    yield record;
    before = record.version;
  }
}
