/**
 * From a decoded sum to a release that everybody may fetch: update -> finite check -> encode -> sign -> blob and row
 * -> current. A release is visible only when all of it is durable, and the last one stays until then.
 */
import { sealRelease, openRelease, type Manifest } from '../shared/federation/release.ts';
import { describePrivacy } from '../shared/federation/budget-report.ts';
import { planHash, type Plan } from '../shared/federation/plan.ts';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { NamedTensors } from '../shared/protocol/tensors.ts';
import type { DecodedSum } from '../shared/federation/accumulator.ts';
import type { PrivacyEvent } from '../shared/privacy/accounting/events.ts';
import type { Aggregate, AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { noMeter, startTimer, type Meter } from './meter.ts';
import type { BlobStore } from './storage/blobs.ts';
import type { ReleaseRecord, Storage } from './storage/storage.ts';

/** A release as it is served. */
export interface PublishedRelease {
  readonly manifest: Manifest;
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** The release in force, with the parameters that further rounds start from. */
export interface LoadedRelease extends PublishedRelease {
  readonly params: unknown;
}

export interface Sum {
  readonly plan: Plan;
  readonly aggregate: DecodedSum;
  /** Reports in the sum. */
  readonly participants: number;
  /** Everything that the task's budget is charged with, this round included. */
  readonly charged: readonly PrivacyEvent[];
}

export interface Releases {
  readonly current: LoadedRelease | null;
  /** Takes up the newest release of the data folder that is undamaged. */
  load(modelOf: (model: Manifest['model']) => AnyFederatedModel): Promise<void>;
  /**
   * Makes, stores and serves the release of a round.
   * @param beforeServing what has to happen between its being durable and its being served
   * @throws CestaError whatever the update, the checks or the storage object to; the last release stays.
   */
  publish(model: AnyFederatedModel, sum: Sum, beforeServing?: (release: PublishedRelease) => Promise<void>): Promise<PublishedRelease>;
  /** A release by number or digest, or null. */
  find(address: { readonly version: number } | { readonly sha256: string }): Promise<PublishedRelease | null>;
}

export interface ReleasesOptions {
  readonly task: string;
  readonly storage: Storage;
  readonly blobs: BlobStore;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter?: Meter;
}

export function createReleases({ task, storage, blobs, key, clock, logger, meter = noMeter }: ReleasesOptions): Releases {
  let current: LoadedRelease | null = null;
  const read = async (record: ReleaseRecord): Promise<PublishedRelease> => ({
    manifest: record.manifest,
    sha256: record.sha256,
    bytes: await blobs.read(record.sha256),
  });
  return {
    get current() {
      return current;
    },
    async load(modelOf) {
      for await (const record of newestFirst(storage, task)) {
        try {
          const release = await read(record);
          const { tensors } = await openRelease(release.bytes, key.publicKey);
          current = { ...release, params: modelOf(release.manifest.model).decode(tensors) };
          return;
        } catch (error) {
          logger.error({ err: error, version: record.version }, 'release is damaged; trying the one before');
        }
      }
    },
    async publish(model, sum, beforeServing) {
      const base = baseParams(model, sum.plan, current);
      const updated = startTimer({ meter, clock }, 'update');
      const params = model.update(base, sum.aggregate);
      updated();
      const published = startTimer({ meter, clock }, 'publish');
      const tensors = checkedTensors(model, params);
      const manifest = {
        ...describeRound(task, sum),
        version: await nextVersion(storage, task),
        createdAt: clock.date().toISOString(),
        metrics: describeTensors(tensors, sum.aggregate),
      };
      const release = sealRelease(manifest, tensors, key);
      await blobs.write(release.bytes);
      await storage.publish({ task, version: release.manifest.version, sha256: release.sha256, round: sum.plan.round, manifest: release.manifest }, sum.participants);
      await beforeServing?.(release);
      published();
      current = { ...release, params };
      return current;
    },
    async find(address) {
      if (current !== null && ('version' in address ? address.version === current.manifest.version : address.sha256 === current.sha256)) return current;
      const record = await storage.release(task, address);
      return record === null ? null : read(record);
    },
  };
}

async function* newestFirst(storage: Storage, task: string): AsyncGenerator<ReleaseRecord> {
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const [record] = await storage.releases(task, { before, limit: 1 });
    if (record === undefined) return;
    yield record;
    before = record.version;
  }
}

/** A damaged release keeps its number: versions are never given twice. */
async function nextVersion(storage: Storage, task: string): Promise<number> {
  const [last] = await storage.releases(task, { before: Number.MAX_SAFE_INTEGER, limit: 1 });
  return (last?.version ?? 0) + 1;
}

function baseParams(model: AnyFederatedModel, plan: Plan, current: LoadedRelease | null): unknown {
  if (plan.baseRelease === null) return model.initial();
  if (current?.sha256 !== plan.baseRelease) throw new CestaError('internal', `base release: expected ${plan.baseRelease}, got ${current?.sha256 ?? 'none'}`);
  return current.params;
}

/** The encoded parameters, after the checks that every reader of the release will make. */
function checkedTensors(model: AnyFederatedModel, params: unknown): NamedTensors {
  const tensors = model.encode(params);
  for (const [name, { data }] of Object.entries(tensors)) {
    for (let i = 0; i < data.length; i += 1) {
      if (!Number.isFinite(data[i])) throw new CestaError('round.failed', `update: expected finite parameters, got ${data[i]} at ${name}[${i}]`);
    }
  }
  model.decode(tensors);
  return tensors;
}

function describeRound(task: string, { plan, aggregate, participants, charged }: Sum): Omit<Manifest, 'protocol' | 'tensorsSha256' | 'version' | 'createdAt' | 'metrics'> {
  return {
    task,
    round: plan.round,
    model: plan.model,
    catalogueHash: plan.catalogueHash,
    planHash: planHash(plan),
    cohort: participants,
    shoppers: aggregate.shoppers,
    privacy: describePrivacy(plan, charged, participants),
    nextClipNorm: aggregate.nextClipNorm,
    parent: plan.baseRelease,
  };
}

/** Figures of the release itself and of its public noise. */
function describeTensors(tensors: NamedTensors, aggregate: Aggregate): Record<string, number> {
  const all = Object.values(tensors);
  return {
    parameters: all.reduce((sum, { data }) => sum + data.length, 0),
    parameterBytes: all.reduce((sum, { data }) => sum + data.byteLength, 0),
    statisticLength: aggregate.sum.length,
    noiseStd: aggregate.noiseStd,
  };
}
