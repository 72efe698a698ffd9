import { join } from 'node:path';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createReleases, type Releases, type Sum } from '../../server/releases.ts';
import { openBlobStore } from '../../server/storage/blobs.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import type { Storage } from '../../server/storage/storage.ts';
import { openRelease } from '../../shared/federation/release.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { fakeClock } from './support/fake-clock.ts';
import { model, planOf, rosterOf, roundRecord, silent } from './support/fixtures.ts';
import { silentReleaseLedger } from './support/ledgers.ts';
import { temporaryFolder } from './support/folders.ts';

const key = signingKey(new Uint8Array(32).fill(5));

interface Rig {
  readonly releases: Releases;
  readonly storage: Storage;
  readonly blobs: string;
  /** A second process on the same records. */
  readonly restarted: () => Promise<Releases>;
}

async function rigOf(): Promise<Rig> {
  const folder = temporaryFolder();
  const storage = await openLibsqlStorage(folder);
  await storage.putTask('trial', {});
  const blobs = join(folder, 'blobs');
  const make = async (): Promise<Releases> => createReleases({ task: 'trial', storage, blobs: await openBlobStore(blobs), key, clock: fakeClock(), logger: silent, ledger: silentReleaseLedger, modelOf: () => model });
  return { releases: await make(), storage, blobs, restarted: make };
}

async function trainedSum(storage: Storage, number: number, base: string | null = null): Promise<Sum> {
  await storage.openRound(roundRecord(number, null));
  await storage.startTraining(`trial-${number}`, rosterOf(2));
  return { plan: { ...planOf({}, number), baseRelease: base }, aggregate: { sum: Float64Array.of(1, 2, 3, 4), shoppers: 9, noiseStd: 0.5, nextClipNorm: null }, participants: 2, survivors: ['a', 'b'], charged: [] };
}

/** The model of the fixtures with one thing wrong. */
const faulty = (fault: Partial<AnyFederatedModel>): AnyFederatedModel => ({ ...model, ...fault });
const nan = { shape: [4], data: Float32Array.of(1, Number.NaN, 3, 4) };

describe('a release', () => {
  it('is signed, numbered, and says what went into it', async () => {
    const { releases, storage } = await rigOf();
    const published = await releases.publish(model, await trainedSum(storage, 1));
    const { manifest } = await openRelease(published.bytes, key.publicKey);
    expect(manifest).toMatchObject({ version: 1, round: 'trial-1', cohort: 2, shoppers: 9, parent: null, metrics: { statisticLength: 4, noiseStd: 0.5 } });
    expect(manifest.metrics['parameterBytes']).toBeGreaterThan(15);
    expect(releases.current?.sha256).toBe(published.sha256);
  });

  it('says which backends computed it, and nothing where none was needed', async () => {
    const { releases, storage } = await rigOf();
    const first = await releases.publish(model, { ...(await trainedSum(storage, 1)), trainedOn: { wasm: 12, plain: 1 } });
    expect((await openRelease(first.bytes, key.publicKey)).manifest.trainedOn).toEqual({ wasm: 12, plain: 1 });
    expect((await releases.publish(model, await trainedSum(storage, 2, first.sha256))).manifest).not.toHaveProperty('trainedOn');
  });

  it('is found by number and digest, the current one and those before', async () => {
    const { releases, storage } = await rigOf();
    const first = await releases.publish(model, await trainedSum(storage, 1));
    const second = await releases.publish(model, await trainedSum(storage, 2, first.sha256));
    expect((await releases.find({ version: 1 }))?.sha256).toBe(first.sha256);
    expect((await releases.find({ sha256: first.sha256 }))?.bytes).toEqual(first.bytes);
    expect((await releases.find({ version: 2 }))?.sha256).toBe(second.sha256);
    expect(await releases.find({ version: 3 })).toBeNull();
  });

  it('is served again after a restart, and trained on from', async () => {
    const { releases, storage, restarted } = await rigOf();
    const first = await releases.publish(model, await trainedSum(storage, 1));
    const again = await restarted();
    expect(again.current).toBeNull();
    await again.load();
    expect(again.current?.sha256).toBe(first.sha256);
    expect((await again.publish(model, await trainedSum(storage, 2, first.sha256))).manifest.parent).toBe(first.sha256);
  });
});

describe('the last release stays', () => {
  it.each([
    ['the update throws', faulty({ update: () => { throw new Error('singular matrix'); } }), 'singular'],
    ['a parameter is not a number', faulty({ encode: () => ({ popularity: nan }) }), 'got NaN at popularity[1]'],
    ['a parameter is infinite', faulty({ encode: () => ({ popularity: { shape: [1], data: Float64Array.of(Infinity) } }) }), 'got Infinity'],
    ['readers would refuse the tensors', faulty({ encode: () => ({ other: { shape: [1], data: Float32Array.of(1) } }) }), 'tensor'],
  ])('when %s', async (_what, broken, message) => {
    const { releases, storage, blobs } = await rigOf();
    const first = await releases.publish(model, await trainedSum(storage, 1));
    await expect(releases.publish(broken, await trainedSum(storage, 2, first.sha256))).rejects.toThrow(message);
    expect(releases.current?.sha256).toBe(first.sha256);
    expect(await storage.lastRound('trial')).toMatchObject({ state: 'training' });
    expect(readdirSync(blobs)).toEqual([first.sha256]);
  });

  it('when the file cannot be written', async () => {
    const { releases, storage, blobs } = await rigOf();
    const first = await releases.publish(model, await trainedSum(storage, 1));
    rmSync(blobs, { recursive: true });
    await expect(releases.publish(model, await trainedSum(storage, 2, first.sha256))).rejects.toMatchObject({ code: 'storage.failed' });
    mkdirSync(blobs);
    expect(releases.current?.sha256).toBe(first.sha256);
    expect((await storage.releases('trial', { before: 9, limit: 9 })).map(({ version }) => version)).toEqual([1]);
  });

  it('when the journal does not take the row', async () => {
    const { releases, storage } = await rigOf();
    const first = await releases.publish(model, await trainedSum(storage, 1));
    const sum = await trainedSum(storage, 2, first.sha256);
    await storage.failRound('trial-2', { code: 'round.failed', message: 'meanwhile' });
    await expect(releases.publish(model, sum)).rejects.toMatchObject({ code: 'storage.failed' });
    expect(releases.current?.sha256).toBe(first.sha256);
  });

  it('when the plan starts from another release than the current one', async () => {
    const { releases, storage } = await rigOf();
    const first = await releases.publish(model, await trainedSum(storage, 1));
    await expect(releases.publish(model, await trainedSum(storage, 2, 'a'.repeat(64)))).rejects.toThrow('base release');
    expect(releases.current?.sha256).toBe(first.sha256);
  });
});
