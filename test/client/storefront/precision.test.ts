import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Cesta, CestaOptions } from '../../../client/storefront/api.ts';
import { createCesta } from '../../../client/storefront/cesta.ts';
import { memoryStorage } from '../../../client/storefront/storage.ts';
import { sealRelease, type SealedRelease } from '../../../shared/federation/release.ts';
import { sealServingForm } from '../../../shared/federation/serving-form.ts';
import type { NamedTensors } from '../../../shared/protocol/tensors.ts';
import { createModel } from '../../../shared/recommender/registry.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';
import { withoutWebAssembly } from '../../kernels/without-web-assembly.ts';
import { teaCatalogue } from '../../recommender/fixtures.ts';
import { codeOf } from '../fakes.ts';
import { release, serve, shopKey, type Served } from './served.ts';

/** So many that their rows are worth SIMD. */
const catalogue = teaCatalogue(300);
const model = createModel('sequence', catalogue, { width: 64 });

function releaseOf(of: AnyFederatedModel, tensors: NamedTensors, version = 1): SealedRelease {
  const { manifest } = release({ version, of: catalogue });
  return sealRelease({ ...manifest, model: { kind: of.kind, hyperParameters: of.hyperParameters } }, tensors, shopKey);
}

function int8Of(full: SealedRelease, tensors: NamedTensors): SealedRelease {
  return sealServingForm({ ...full, tensors }, model, 'int8', shopKey) as SealedRelease;
}

const tensors = model.encode(model.initial());
const full = releaseOf(model, tensors);
const int8 = int8Of(full, tensors);
const both = (changes: Partial<Served> = {}): Served => serve({ release: full, int8, catalogue, ...changes });

async function opened(options: Partial<CestaOptions> = {}): Promise<Cesta> {
  const cesta = createCesta({ url: '/cesta', defaultDegree: 1, fetch: both().fetch, ...options });
  await cesta.ready;
  return cesta;
}

const shelfOf = (cesta: Cesta): unknown => {
  cesta.track('view_item', [{ item_id: catalogue.products[7].id }]);
  return cesta.recommend({ limit: 20 });
};

describe('the precision of a storefront', () => {
  it('is 8 bits unless it asks for more, and the release says which it has', async () => {
    expect((await opened()).release).toMatchObject({ kind: 'sequence', precision: 'int8', sha256: int8.sha256 });
    expect((await opened({ precision: 'float32' })).release).toMatchObject({ kind: 'sequence', precision: 'float32', sha256: full.sha256 });
    // Three of four bytes of every row, but for its scale.
    expect(full.bytes.length - int8.bytes.length).toBeGreaterThan(300 * (64 * 3 - 4) - 1_000);
  });

  it('is float32 for a model without tables, and for a coordinator that knows no other', async () => {
    expect((await opened({ fetch: serve().fetch })).release).toMatchObject({ kind: 'item-knn', precision: 'float32' });
    expect((await opened({ fetch: both({ int8: null }).fetch })).release).toMatchObject({ precision: 'float32', sha256: full.sha256 });
  });

  it('is one that there is', async () => {
    expect(await codeOf(() => createCesta({ url: '/cesta', precision: 'int4' as 'int8' }))).toBe('usage.invalid');
  });

  it('is never less than was asked for, from the network or from the cache', async () => {
    const storage = memoryStorage();
    await opened({ storage });
    const served = both({ release: int8 });
    const cesta = createCesta({ url: '/cesta', fetch: served.fetch, storage, precision: 'float32' });
    expect(await codeOf(() => cesta.ready)).toBe('release.untrusted');
    expect(cesta.release).toBeNull();
    const kept = await opened({ storage });
    expect(kept.release).toMatchObject({ precision: 'int8', from: 'cache' });
    await kept.refresh();
    const exact = await opened({ storage, precision: 'float32' });
    expect(exact.release).toMatchObject({ precision: 'float32', from: 'network' });
  });

  it('keeps the release in use when a form comes whose scales are none', async () => {
    const served = both();
    const cesta = await opened({ fetch: served.fetch });
    const forged = { ...sealRelease({ ...int8.manifest, version: 2 }, { ...tensorsOf8(), items_scale: { shape: [300], data: new Float32Array(300).fill(-1) } }, shopKey) };
    served.int8 = forged;
    expect(await codeOf(() => cesta.refresh())).toBe('release.untrusted');
    expect(cesta.release).toMatchObject({ version: 1, precision: 'int8' });
    expect(cesta.lastError?.message).toContain('items_scale');
  });

  it('keeps the release in use when a form of another architecture, or over another catalogue, comes', async () => {
    const served = both();
    const cesta = await opened({ fetch: served.fetch });
    const gru = createModel('sequence', catalogue, { architecture: 'gru4rec', width: 64 });
    served.int8 = releaseOf(gru, tensorsOf8(), 2);
    expect(await codeOf(() => cesta.refresh())).toBe('release.untrusted');
    served.int8 = { ...sealRelease({ ...int8.manifest, version: 2, catalogueHash: '9'.repeat(64) }, tensorsOf8(), shopKey) };
    expect(await codeOf(() => cesta.refresh())).toBe('catalogue.invalid');
    expect(cesta.release).toMatchObject({ version: 1, sha256: int8.sha256 });
    expect(cesta.recommend({ limit: 3 })).toHaveLength(3);
  });
});

function tensorsOf8(): NamedTensors {
  return { ...tensors, items: { shape: [300, 64], data: new Int8Array(300 * 64).fill(3) }, items_scale: { shape: [300], data: new Float32Array(300).fill(0.1) } };
}

describe('the kernels of a storefront', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('are SIMD here, and a page without WebAssembly has the same shelf from plain code', async () => {
    const cesta = await opened();
    expect(cesta.kernels).toBe('simd');
    const expected = shelfOf(cesta);
    await withoutWebAssembly(async () => {
      const plain = await opened();
      expect(plain.kernels).toBe('plain');
      expect(shelfOf(plain)).toEqual(expected);
      expect(plain.lastError).toBeNull();
    });
  });

  it('are plain, with the same shelf, where the policy of a page forbids to compile', async () => {
    const expected = shelfOf(await opened());
    vi.resetModules();
    vi.stubGlobal('WebAssembly', { ...WebAssembly, validate: () => true, Memory: WebAssembly.Memory, Module: refusing, Instance: WebAssembly.Instance });
    const fresh = await import('../../../client/storefront/cesta.ts');
    const cesta = fresh.createCesta({ url: '/cesta', defaultDegree: 1, fetch: both().fetch });
    await cesta.ready;
    expect(cesta.kernels).toBe('plain');
    expect(shelfOf(cesta)).toEqual(expected);
  });
});

/** What a page without `wasm-unsafe-eval` meets. */
function refusing(): never {
  throw new WebAssembly.CompileError('Refused to compile or instantiate WebAssembly module');
}
