import { join } from 'node:path';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createReleases, type Releases, type Sum } from '../../server/releases.ts';
import { openBlobStore } from '../../server/storage/blobs.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import type { Storage } from '../../server/storage/storage.ts';
import { openRelease } from '../../shared/federation/release.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { controlIn } from '../../shared/federation/strategies/state-tensors.ts';
import type { StrategySpec } from '../../shared/federation/strategies/strategy.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { fakeClock } from './support/fake-clock.ts';
import { quadraticItems, quadraticModel, type QuadraticParams } from '../federation/quadratic.ts';
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

async function rigOf(of: AnyFederatedModel = model): Promise<Rig> {
  const folder = temporaryFolder();
  const storage = await openLibsqlStorage(folder);
  await storage.putTask('trial', {});
  const blobs = join(folder, 'blobs');
  const make = async (): Promise<Releases> => createReleases({ task: 'trial', storage, blobs: await openBlobStore(blobs), key, clock: fakeClock(), logger: silent, ledger: silentReleaseLedger, modelOf: () => of });
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

  it('says which robust rule combined how many reports, and not whose it left out', async () => {
    const { releases, storage } = await rigOf();
    const sum = await trainedSum(storage, 1);
    const published = await releases.publish(model, { ...sum, aggregate: { ...sum.aggregate, robust: { rule: 'krum', byzantine: 1, reports: 5, leftOut: [0, 1, 3, 4] } } });
    expect((await openRelease(published.bytes, key.publicKey)).manifest.robust).toEqual({ rule: 'krum', byzantine: 1, reports: 5 });
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

describe('the state of a strategy', () => {
  const trained = quadraticModel() as AnyFederatedModel;
  const strategy = { kind: 'fedadam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 } as const;
  async function sumOf(storage: Storage, number: number, base: string | null, value: number, by: StrategySpec = strategy): Promise<Sum> {
    const sum = await trainedSum(storage, number, base);
    return { ...sum, plan: { ...sum.plan, strategy: by }, aggregate: { ...sum.aggregate, sum: new Float64Array(quadraticItems).fill(value), shoppers: 2 } };
  }
  const weightOf = (releases: Releases): number => (releases.current?.params as QuadraticParams).weights[0];

  it('is in the release, signed like the rest, and no figure of the model', async () => {
    const { releases, storage } = await rigOf(trained);
    const { manifest, tensors } = await openRelease((await releases.publish(trained, await sumOf(storage, 1, null, 4))).bytes, key.publicKey);
    expect(Object.keys(tensors).sort()).toEqual(['strategy/momentum', 'strategy/secondMoment', 'weights']);
    expect(manifest.metrics['parameters']).toBe(quadraticItems);
  });

  it('is nothing that storefronts are sent', async () => {
    const { releases, storage } = await rigOf(trained);
    const release = await releases.publish(trained, await sumOf(storage, 1, null, 4));
    const { manifest, tensors } = await openRelease((await releases.form(release, 'float32')).bytes, key.publicKey);
    expect(Object.keys(tensors)).toEqual(['weights']);
    expect(manifest.servingForm).toEqual({ of: release.sha256, precision: 'float32' });
  });

  it('makes a coordinator that was restarted go on exactly like one that was not', async () => {
    const steady = await rigOf(trained);
    const broken = await rigOf(trained);
    let [releases, base]: [Releases, string | null] = [broken.releases, null];
    for (const [round, value] of [4, -1, 2.5].entries()) {
      const undisturbed = await steady.releases.publish(trained, await sumOf(steady.storage, round + 1, steady.releases.current?.sha256 ?? null, value));
      releases = await broken.restarted();
      await releases.load();
      base = (await releases.publish(trained, await sumOf(broken.storage, round + 1, base, value))).sha256;
      expect(base).toBe(undisturbed.sha256);
    }
    // Without its moments the third step would be that of a first round.
    const fresh = await rigOf(trained);
    await fresh.releases.publish(trained, await sumOf(fresh.storage, 1, null, 2.5));
    expect(weightOf(releases) - weightOf(steady.releases)).toBe(0);
    expect(weightOf(fresh.releases)).not.toBeCloseTo(weightOf(steady.releases), 3);
  });

  it('is rolled back with the parameters', async () => {
    const { releases, storage } = await rigOf(trained);
    const first = await releases.publish(trained, await sumOf(storage, 1, null, 4));
    await releases.publish(trained, await sumOf(storage, 2, first.sha256, -50));
    const again = await releases.rollback('operator');
    const [before, after] = await Promise.all([first, again].map(async ({ bytes }) => (await openRelease(bytes, key.publicKey)).tensors));
    expect(after).toEqual(before);
    const third = await releases.publish(trained, await sumOf(storage, 3, again.sha256, 4));
    const other = await rigOf(trained);
    const twice = await other.releases.publish(trained, await sumOf(other.storage, 1, null, 4));
    await other.releases.publish(trained, await sumOf(other.storage, 2, twice.sha256, 4));
    expect((await openRelease(third.bytes, key.publicKey)).tensors).toEqual((await openRelease(other.releases.current?.bytes ?? new Uint8Array(), key.publicKey)).tensors);
  });

  it('is not rolled back where shops keep a part of it: control variates of a release that is served again are zero', async () => {
    const scaffold = { kind: 'scaffold', learningRate: 1, localSteps: 4, shops: 8 } as const;
    const rig = await rigOf(trained);
    const controlAfter = async (round: number, base: string | null): Promise<number> => {
      const release = await rig.releases.publish(trained, await sumOf(rig.storage, round, base, 4, scaffold));
      return controlIn((await openRelease(release.bytes, key.publicKey)).tensors, quadraticItems)[0];
    };
    const fromZero = await controlAfter(1, null);
    const fromFirst = await controlAfter(2, rig.releases.current?.sha256 ?? null);
    expect(fromFirst).not.toBeCloseTo(fromZero, 6);
    expect(await controlAfter(3, (await rig.releases.rollback('operator')).sha256)).toBe(fromZero);
    // The same after a restart.
    const base = (await rig.releases.rollback('operator')).sha256;
    const restarted = await rig.restarted();
    await restarted.load();
    const release = await restarted.publish(trained, await sumOf(rig.storage, 4, base, 4, scaffold));
    expect(controlIn((await openRelease(release.bytes, key.publicKey)).tensors, quadraticItems)[0]).toBe(fromZero);
  });

  it('is refused when it overflows, and the last release stays', async () => {
    const { releases, storage } = await rigOf(trained);
    const first = await releases.publish(trained, await sumOf(storage, 1, null, 4));
    await expect(releases.publish(trained, await sumOf(storage, 2, first.sha256, 1e39))).rejects.toMatchObject({ code: 'round.failed' });
    expect(releases.current?.sha256).toBe(first.sha256);
  });
});
