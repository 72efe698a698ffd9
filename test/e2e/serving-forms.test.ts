/** A coordinator of a model with tables of item rows, over real HTTP, and what storefronts make of what it serves. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Cesta } from '../../client/storefront/api.ts';
import { createCesta } from '../../client/storefront/cesta.ts';
import { memoryStorage } from '../../client/storefront/storage.ts';
import { fetchRelease } from '../../client/coordinator-api.ts';
import { verifyRecord } from '../../scripts/verify.ts';
import { backup } from '../../server/backup/backup.ts';
import { restore } from '../../server/backup/restore.ts';
import type { Coordinator } from '../../server/coordinator.ts';
import { errorSchema } from '../../server/http/schemas.ts';
import { readSigningKey } from '../../server/signing-key-file.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import { openRelease, sealRelease, type Manifest } from '../../shared/federation/release.ts';
import { servingForm } from '../../shared/federation/serving-form.ts';
import { signingKey, type SigningKey } from '../../shared/ledger/signing-key.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import type { NamedTensors } from '../../shared/protocol/tensors.ts';
import type { Precision } from '../../shared/recommender/quantised-rows.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { coordinatorFor, runRound } from '../server/support/coordinators.ts';
import { catalogue, taskInput } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';

const task = { ...(taskInput({ rounds: 9 }) as object), model: { kind: 'als', hyperParameters: { factors: 4 } } };
const model = createModel('als', catalogue, { factors: 4 });
const history = historyOf([{ time: 0, items: [1] }]);

interface Served {
  readonly coordinator: Coordinator;
  readonly dataDir: string;
}

async function served(dataDir = join(temporaryFolder(), 'data'), rounds = 1): Promise<Served> {
  return { coordinator: await coordinatorFor({ task, dataDir, roundsWanted: rounds }), dataDir };
}

async function trained(): Promise<Served> {
  const first = await served();
  await runRound(first.coordinator.url, ['a', 'b']);
  return first;
}

interface Answer {
  readonly status: number;
  readonly etag: string;
  readonly version: string | null;
  readonly cache: string | null;
  readonly bytes: Uint8Array;
}

async function get({ coordinator: { url } }: Served, path: string, held = ''): Promise<Answer> {
  const response = await fetch(`${url}/v1/${path}`, { headers: held === '' ? {} : { 'If-None-Match': held } });
  return { status: response.status, etag: response.headers.get('etag') ?? '', version: response.headers.get('cesta-version'), cache: response.headers.get('cache-control'), bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function storefront({ coordinator: { url } }: Served, precision?: Precision): Promise<Cesta> {
  const cesta = createCesta({ url, defaultDegree: 1, storage: memoryStorage(), ...(precision === undefined ? {} : { precision }) });
  await cesta.ready;
  return cesta;
}

describe('the forms of a release', () => {
  it('are signed, with an ETag of their own, and name the release that they are made of', async () => {
    const place = await trained();
    const { publicKey } = place.coordinator;
    const full = await get(place, 'model');
    const int8 = await get(place, 'model?precision=int8');
    expect([int8.status, int8.etag, int8.version, int8.cache]).toEqual([200, `"${sha256Hex(int8.bytes)}"`, '1', 'public, no-cache']);
    expect(int8.etag).not.toBe(full.etag);
    const [opened, form] = [await openRelease(full.bytes, publicKey), await openRelease(int8.bytes, publicKey)];
    expect(form.manifest).toEqual({ ...opened.manifest, tensorsSha256: form.manifest.tensorsSha256, servingForm: { of: sha256Hex(full.bytes), precision: 'int8' } });
    expect(form.tensors).toEqual(servingForm(opened.tensors, model, 'int8')?.tensors);
    // Nothing to leave out: at float32 it is the release itself.
    expect((await get(place, 'model?precision=float32')).etag).toBe(full.etag);
    const held = await get(place, 'model?precision=int8', int8.etag);
    expect([held.status, held.bytes.length]).toEqual([304, 0]);
    expect((await get(place, 'model?precision=int8', full.etag)).status).toBe(200);
    for (const path of ['model/1', `model/${sha256Hex(full.bytes)}`]) {
      const numbered = await get(place, `${path}?precision=int8`);
      expect([numbered.etag, numbered.cache?.includes('immutable')]).toEqual([int8.etag, true]);
      expect((await get(place, `tasks/trial/${path}?precision=int8`)).etag).toBe(int8.etag);
    }
  });

  it.each(['int4', '', 'INT8', 'int8&precision=float32'])('are refused at precision %s', async (precision) => {
    const place = await served();
    for (const path of ['model', 'model/1', 'tasks/trial/model']) {
      const { status, bytes } = await get(place, `${path}?precision=${precision}`);
      expect([path, status, errorSchema.parse(JSON.parse(new TextDecoder().decode(bytes))).error.code]).toEqual([path, 400, 'usage.invalid']);
    }
    expect((await get(place, 'model?precision=int8')).status).toBe(404);
  });

  it('are the same bytes after a restart, a rollback serves forms of its own, and training goes on from the release', async () => {
    const first = await trained();
    const [full, int8] = [await get(first, 'model'), await get(first, 'model?precision=int8')];
    await first.coordinator.close();
    const second = await served(first.dataDir, 2);
    expect((await get(second, 'model?precision=int8')).etag).toBe(int8.etag);
    await runRound(second.coordinator.url, ['a', 'b']);
    const trainedOn = await openRelease((await get(second, 'model')).bytes, second.coordinator.publicKey);
    expect(trainedOn.manifest).toMatchObject({ version: 2, parent: sha256Hex(full.bytes) });
    await second.coordinator.tasks.releases('trial').rollback('operator');
    const back = await get(second, 'model?precision=int8');
    const { manifest, tensors } = await openRelease(back.bytes, second.coordinator.publicKey);
    expect(manifest).toMatchObject({ version: 3, restores: 1, servingForm: { of: sha256Hex((await get(second, 'model')).bytes), precision: 'int8' } });
    expect(tensors).toEqual((await openRelease(int8.bytes, second.coordinator.publicKey)).tensors);
    expect((await get(second, 'model/1?precision=int8')).etag).toBe(int8.etag);
    expect((await verifyRecord(new URL(second.coordinator.url), { retryMs: 1 })).findings).toEqual([]);
  });

  it('are made again with the same bytes where their files are lost or damaged, also in a restored backup', async () => {
    const first = await trained();
    const { etag } = await get(first, 'model?precision=int8');
    const name = etag.replaceAll('"', '');
    const [to, restored] = [join(temporaryFolder(), 'backup'), join(temporaryFolder(), 'data')];
    await first.coordinator.close();
    const file = join(first.dataDir, 'blobs', name);
    expect(readdirSync(join(first.dataDir, 'blobs'))).toContain(name);
    rmSync(file);
    await backup({ dataDir: first.dataDir, to, now: new Date('2026-03-01T00:00:00Z') });
    await restore({ from: to, dataDir: restored });
    writeFileSync(file, 'rotten');
    for (const dataDir of [first.dataDir, restored]) {
      const again = await served(dataDir);
      const answers = await Promise.all([1, 2, 3].map(() => get(again, 'model?precision=int8')));
      for (const { status, etag: tag, bytes } of answers) expect([status, tag, sha256Hex(bytes)]).toEqual([200, etag, name]);
      expect(readdirSync(join(dataDir, 'blobs'))).toContain(name);
      await again.coordinator.close();
    }
  });

  it('are nothing that a shop would train from, whoever names them in a plan', async () => {
    const { coordinator } = await trained();
    const int8 = await get({ coordinator, dataDir: '' }, 'model?precision=int8');
    const origin = { coordinator: new URL(coordinator.url), coordinatorKey: coordinator.publicKey, task: 'trial' };
    const served8 = (): Promise<Response> => Promise.resolve(new Response(Uint8Array.from(int8.bytes)));
    await expect(fetchRelease(served8, origin, sha256Hex(int8.bytes))).rejects.toMatchObject({ code: 'release.untrusted', message: expect.stringContaining('to train from') as string });
  });
});

describe('a storefront', () => {
  it('ranks with 8-bit numbers unless it asks for more, and by the scores of an evaluation on the same bytes', async () => {
    const place = await trained();
    const { coordinator: { publicKey } } = place;
    for (const precision of ['int8', 'float32'] as const) {
      const cesta = await storefront(place, precision === 'int8' ? undefined : precision);
      const { bytes, etag } = await get(place, `model?precision=${precision}`);
      expect(cesta.release).toMatchObject({ precision, sha256: etag.replaceAll('"', '') });
      const scores = new Float32Array(catalogue.products.length);
      model.score(model.decode((await openRelease(bytes, publicKey)).tensors), history, scores);
      cesta.track('purchase', [{ item_id: catalogue.products[1].id }]);
      const shelf = cesta.recommend({ limit: 4, repeat: true });
      expect(shelf).toHaveLength(4);
      for (const { item_id: id, score } of shelf) expect(score).toBe(scores[catalogue.indexOf.get(id) ?? -1]);
      await cesta.refresh();
      expect(cesta.lastError).toBeNull();
    }
  });
});

describe('a coordinator whose forms are not those of its release', () => {
  it('is found out by whoever verifies the record, though it signs them', async () => {
    const place = await trained();
    const { coordinator: { url, publicKey }, dataDir } = place;
    const { manifest, tensors } = await openRelease((await get(place, 'model')).bytes, publicKey);
    const of = sha256Hex((await get(place, 'model')).bytes);
    const form = servingForm(tensors, model, 'int8')?.tensors ?? {};
    const other = { ...form, popularity: { shape: [4], data: Float32Array.of(9, 0, 0, 0) } };
    /** What whoever verifies finds when these bytes are served at a precision. */
    async function findings(precision: Precision, bytes: Uint8Array): Promise<string[]> {
      const lying = (address: string, init?: RequestInit): Promise<Response> => (address.endsWith(`precision=${precision}`) ? Promise.resolve(new Response(Uint8Array.from(bytes))) : fetch(address, init));
      return (await verifyRecord(new URL(url), { fetch: lying, retryMs: 1 })).findings.map(({ reason }) => reason);
    }
    const sealed = (key: SigningKey, changes: Partial<Manifest>, forged: NamedTensors): Uint8Array => sealRelease({ ...manifest, servingForm: { of, precision: 'int8' }, ...changes }, forged, key).bytes;
    const key = readSigningKey(dataDir);
    expect(await findings('int8', sealed(key, {}, form))).toEqual([]);
    expect(await findings('int8', sealed(key, {}, other))).toEqual([expect.stringContaining('expected the form that the release makes')]);
    expect(await findings('int8', sealed(key, { version: 2 }, form))).toEqual([expect.stringContaining('or another manifest')]);
    expect(await findings('float32', sealed(key, { servingForm: { of, precision: 'float32' } }, form))).toEqual([expect.stringContaining('expected the release itself')]);
    expect(await findings('int8', sealed(signingKey(new Uint8Array(32).fill(9)), {}, form))).toEqual([expect.stringContaining('key: expected')]);
  });
});
