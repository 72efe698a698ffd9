import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createReleases, type Releases, type Sum } from '../../server/releases.ts';
import { openBlobStore, type BlobStore } from '../../server/storage/blobs.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import type { Storage } from '../../server/storage/storage.ts';
import { openRelease } from '../../shared/federation/release.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { fakeClock } from './support/fake-clock.ts';
import { catalogue, planOf, rosterOf, roundRecord, silent } from './support/fixtures.ts';
import { temporaryFolder } from './support/folders.ts';
import { silentReleaseLedger } from './support/ledgers.ts';

const key = signingKey(new Uint8Array(32).fill(5));
const als = createModel('als', catalogue, { factors: 4 });
/** With the state of what trains it. */
const model: AnyFederatedModel = { ...als, encode: (params) => ({ ...als.encode(params), 'strategy/moment': { shape: [3], data: Float32Array.of(1, 2, 3) } }) };

interface Rig {
  readonly storage: Storage;
  readonly blobs: string;
  readonly releases: Releases;
  /** Whether the disk takes no file but the first. */
  readonly full: { isFull: boolean };
  readonly restarted: (storage?: Storage) => Promise<Releases>;
}

async function rigOf(): Promise<Rig> {
  const folder = temporaryFolder();
  const disk = await openLibsqlStorage(folder);
  await disk.putTask('trial', {});
  const full = { isFull: false };
  const blobs = join(folder, 'blobs');
  const store = await openBlobStore(blobs);
  let written = 0;
  // The first file of a release is its own, the next ones are its forms.
  const limited: BlobStore = { ...store, write: (bytes) => (full.isFull && (written += 1) > 1 ? Promise.reject(new CestaError('storage.failed', 'blob: no space left')) : store.write(bytes)) };
  const restarted = (storage = disk): Promise<Releases> => Promise.resolve(createReleases({ task: 'trial', storage, blobs: limited, key, clock: fakeClock(), logger: silent, ledger: silentReleaseLedger, modelOf: () => model }));
  return { storage: disk, blobs, releases: await restarted(), full, restarted };
}

async function trainedSum(storage: Storage, number: number, base: string | null = null): Promise<Sum> {
  await storage.openRound(roundRecord(number, null));
  await storage.startTraining(`trial-${number}`, rosterOf(2));
  return { plan: { ...planOf({}, number), baseRelease: base }, aggregate: { sum: new Float64Array(als.statisticLength()).fill(0.5), shoppers: 9, noiseStd: 0, nextClipNorm: null }, participants: 2, survivors: ['a', 'b'], charged: [] };
}

describe('what storefronts rank with', () => {
  it('leaves out the state of what trains, which the release keeps, and is on disk before the release is served', async () => {
    const { releases, storage, blobs } = await rigOf();
    const release = await releases.publish(model, await trainedSum(storage, 1));
    const onDisk = readdirSync(blobs);
    const forms = await Promise.all((['float32', 'int8'] as const).map((precision) => releases.form(release, precision)));
    expect(onDisk.sort()).toEqual([release.sha256, ...forms.map(({ sha256 }) => sha256)].sort());
    const [full, float32, int8] = await Promise.all([release, ...forms].map(async ({ bytes }) => Object.keys((await openRelease(bytes, key.publicKey)).tensors)));
    expect(full).toContain('strategy/moment');
    expect(float32).toEqual(full.filter((name) => name !== 'strategy/moment'));
    expect(int8).toEqual([...float32, 'factors_scale'].sort());
    expect((await releases.publish(model, await trainedSum(storage, 2, release.sha256))).manifest.parent).toBe(release.sha256);
  });

  it('is made for a release of an earlier version of the journal, too, with the bytes it would have had', async () => {
    const { releases, storage, restarted } = await rigOf();
    const release = await releases.publish(model, await trainedSum(storage, 1));
    const form = await releases.form(release, 'int8');
    const kept = new Map<string, string>();
    const again = await restarted({ ...storage, servingForm: (sha256) => Promise.resolve(kept.get(sha256) ?? null), putServingForm: (of, _precision, sha256) => Promise.resolve(void kept.set(of, sha256)) });
    await again.load();
    if (again.current === null) throw new Error('expected a release, got none');
    expect(await again.form(again.current, 'int8')).toMatchObject({ sha256: form.sha256 });
    expect([...kept]).toEqual([[release.sha256, form.sha256]]);
  });

  it('has to be durable: without it nothing is released, and the last release stays', async () => {
    const { releases, storage, full } = await rigOf();
    const first = await releases.publish(model, await trainedSum(storage, 1));
    full.isFull = true;
    await expect(releases.publish(model, await trainedSum(storage, 2, first.sha256))).rejects.toMatchObject({ code: 'storage.failed' });
    expect(releases.current?.sha256).toBe(first.sha256);
    expect((await storage.releases('trial', { before: 9, limit: 9 })).map(({ version }) => version)).toEqual([1]);
    full.isFull = false;
    const second = await releases.publish(model, await trainedSum(storage, 3, first.sha256));
    expect((await releases.form(second, 'int8')).sha256).not.toBe((await releases.form(first, 'int8')).sha256);
  });

  it('is looked for again after a failure of the disk', async () => {
    const { releases, storage, restarted } = await rigOf();
    await releases.publish(model, await trainedSum(storage, 1));
    let isBroken = true;
    const again = await restarted({ ...storage, servingForm: (...address) => (isBroken ? Promise.reject(new CestaError('storage.failed', 'gone')) : storage.servingForm(...address)) });
    await again.load();
    if (again.current === null) throw new Error('expected a release, got none');
    await expect(again.form(again.current, 'int8')).rejects.toMatchObject({ code: 'storage.failed' });
    isBroken = false;
    expect((await again.form(again.current, 'int8')).sha256).toBe((await releases.form(again.current, 'int8')).sha256);
  });
});
