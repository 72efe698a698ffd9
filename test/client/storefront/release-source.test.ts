import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Cesta } from '../../../client/storefront/api.ts';
import { createCesta } from '../../../client/storefront/cesta.ts';
import { memoryStorage, webStorage, type StorefrontStorage } from '../../../client/storefront/storage.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { encodeTensors, decodeTensors } from '../../../shared/protocol/tensors.ts';
import { catalogueOf } from '../../ranking/training.ts';
import { codeOf, until } from '../fakes.ts';
import { catalogue, release, serve, shopKey, type Served } from './served.ts';

const stranger = signingKey(randomBytes(32));

async function opened(served: Served, storage: StorefrontStorage = memoryStorage(), publicKey?: string): Promise<Cesta> {
  const cesta = createCesta({ url: '/cesta', defaultDegree: 1, fetch: served.fetch, storage, ...(publicKey === undefined ? {} : { publicKey }) });
  await cesta.ready;
  return cesta;
}

describe('a release is fetched', () => {
  it('once, and after that only asked after', async () => {
    const served = serve();
    const cesta = await opened(served);
    await cesta.refresh();
    await cesta.refresh();
    expect(served.log).toEqual(['.well-known/cesta.json 200', 'v1/model 200', 'v1/catalogue 200', 'v1/model 304', 'v1/model 304']);
    expect(cesta.lastError).toBeNull();
  });

  it('of a task that is named, and of no other', async () => {
    const served = serve({ release: release({ task: 'second' }) });
    const storage = memoryStorage();
    const cesta = createCesta({ url: '/cesta', task: 'second', fetch: served.fetch, storage });
    await cesta.ready;
    expect(served.log).toContain('v1/tasks/second/model 200');
    // The main task has a cache of its own.
    served.release = release();
    expect((await opened(served, storage)).release?.task).toBe('main');
    expect(await codeOf(() => createCesta({ url: '/cesta', task: 'second', fetch: served.fetch }).ready)).toBe('release.untrusted');
  });

  it('anew when there is a newer one, with the catalogue only if that changed', async () => {
    const served = serve();
    const cesta = await opened(served);
    served.release = release({ version: 2 });
    await cesta.refresh();
    expect(cesta.release).toMatchObject({ version: 2, sha256: served.release.sha256 });
    served.catalogue = catalogueOf('a', 'b', 'c', 'd', 'e', 'f');
    served.release = release({ version: 3, of: served.catalogue });
    await cesta.refresh();
    expect(cesta.release?.version).toBe(3);
    expect(cesta.recommend({ limit: 10 }).length).toBe(6);
    expect(served.log.filter((line) => line.startsWith('v1/catalogue'))).toEqual(['v1/catalogue 200', 'v1/catalogue 200']);
  });

  it('by one request when several ask at once', async () => {
    const served = serve();
    const cesta = await opened(served);
    await Promise.all([cesta.refresh(), cesta.refresh(), cesta.refresh()]);
    expect(served.log.filter((line) => line === 'v1/model 304').length).toBe(1);
  });

  it('from the cache on the next visit: not a byte of it travels again', async () => {
    const storage = memoryStorage();
    await opened(serve(), storage);
    const served = serve();
    const cesta = await opened(served, storage);
    expect(cesta.release).toMatchObject({ version: 1, from: 'cache' });
    await cesta.refresh();
    expect(served.log).toEqual(['v1/model 304']);
    expect(cesta.release).toMatchObject({ version: 1, from: 'network' });
  });

  it('from the cache when the network is down, and the trouble shows', async () => {
    const storage = memoryStorage();
    await opened(serve(), storage);
    const cesta = await opened(serve({ isDown: true }), storage);
    cesta.track('view_item', [{ item_id: 'a' }]);
    expect(cesta.recommend({ limit: 1 })[0]).toMatchObject({ item_id: 'b', source: 'personal' });
    expect(await codeOf(() => cesta.refresh())).toBe('network.unreachable');
    expect(cesta.lastError?.code).toBe('network.unreachable');
    expect(cesta.release?.from).toBe('cache');
  });

  it('later, when there is none yet: ready rejects with what the coordinator says, refresh mends it', async () => {
    const served = serve({ release: null });
    const cesta = createCesta({ url: '/cesta', fetch: served.fetch });
    expect(await codeOf(() => cesta.ready)).toBe('release.not-found');
    served.release = release();
    await cesta.refresh();
    expect(cesta.recommend({ limit: 2 }).length).toBe(2);
    expect(cesta.lastError).toBeNull();
  });
});

describe('a release that does not verify', () => {
  /** The release with one changed weight, its signature and manifest untouched. */
  function tampered(): Uint8Array {
    const { tensors, metadata } = decodeTensors(release({ version: 2 }).bytes);
    tensors['weights'].data[0] += 1;
    return encodeTensors(tensors, metadata);
  }

  async function refused(served: Served, break_: (served: Served) => void): Promise<Cesta> {
    const cesta = await opened(served);
    cesta.track('view_item', [{ item_id: 'a' }]);
    const before = cesta.recommend({ limit: 5 });
    break_(served);
    expect(await codeOf(() => cesta.refresh())).toBe('release.untrusted');
    expect(cesta.lastError?.code).toBe('release.untrusted');
    expect(cesta.release?.version).toBe(1);
    expect(cesta.recommend({ limit: 5 })).toEqual(before);
    return cesta;
  }

  it('is refused when a weight was changed, and the last good one is kept and used', async () => {
    await refused(serve(), (served) => {
      served.release = release({ version: 2 });
      served.bytes = tampered();
    });
  });

  it('is refused when it is garbage, empty or cut off', async () => {
    for (const bytes of [Uint8Array.of(), Uint8Array.of(1, 2, 3), release({ version: 2 }).bytes.slice(0, -8)]) {
      await refused(serve(), (served) => {
        served.release = release({ version: 2 });
        served.bytes = bytes;
      });
    }
  });

  it('is refused under another key than the pinned one, even if the coordinator announces that key', async () => {
    const cesta = await refused(serve(), (served) => {
      served.release = release({ version: 2, key: stranger });
      served.key = stranger;
    });
    expect(cesta.lastError?.message).toContain(stranger.publicKey);
  });

  it('is taken when it restores an older one under a newer version', async () => {
    const served = serve({ release: release({ version: 5 }) });
    const cesta = await opened(served);
    served.release = release({ version: 4 });
    expect(await codeOf(() => cesta.refresh())).toBe('release.untrusted');
    served.release = release({ version: 6, restores: 4 });
    await cesta.refresh();
    expect(cesta.release).toMatchObject({ version: 6, sha256: served.release.sha256, from: 'network' });
    expect(cesta.lastError).toBeNull();
  });

  it('is refused when it is older than one seen before, in this visit or an earlier one', async () => {
    const served = serve({ release: release({ version: 5 }) });
    const storage = memoryStorage();
    await opened(served, storage);
    const cesta = await opened(served, storage);
    await cesta.refresh();
    served.release = release({ version: 4 });
    expect(await codeOf(() => cesta.refresh())).toBe('release.untrusted');
    expect(cesta.release?.version).toBe(5);
  });

  it('mends itself when a good one follows', async () => {
    const served = serve();
    const cesta = await refused(served, (broken) => {
      broken.release = release({ version: 2 });
      broken.bytes = tampered();
    });
    served.bytes = null;
    await cesta.refresh();
    expect(cesta.release?.version).toBe(2);
    expect(cesta.lastError).toBeNull();
  });

  it('is not used at first contact either: ready rejects, and its key is not pinned', async () => {
    const storage = memoryStorage();
    const cesta = createCesta({ url: '/cesta', storage, fetch: serve({ key: stranger }).fetch });
    expect(await codeOf(() => cesta.ready)).toBe('release.untrusted');
    expect(cesta.release).toBeNull();
    expect((await opened(serve(), storage)).release?.version).toBe(1);
  });

  it('in the cache is ignored, the trouble shows, and the network mends it', async () => {
    const storage = memoryStorage();
    await opened(serve(), storage);
    const kept = await storage.get('cesta:/cesta:release');
    if (kept === null) throw new Error('expected a cached release');
    kept[kept.length - 1] ^= 1;
    const offline = createCesta({ url: '/cesta', storage, fetch: serve({ isDown: true }).fetch });
    expect(await codeOf(() => offline.ready)).toBe('network.unreachable');
    const served = serve();
    expect((await opened(served, storage)).release?.from).toBe('network');
    expect(served.log).toEqual(['v1/model 200']);
  });
});

describe('the key of the coordinator', () => {
  it('that is given is the only one trusted, whatever is pinned or announced', async () => {
    const storage = memoryStorage();
    await opened(serve(), storage);
    const served = serve();
    const cesta = createCesta({ url: '/cesta', storage, fetch: served.fetch, publicKey: stranger.publicKey });
    expect(await codeOf(() => cesta.ready)).toBe('release.untrusted');
    const trusting = serve({ key: stranger });
    expect((await opened(trusting, memoryStorage(), shopKey.publicKey)).release?.version).toBe(1);
    expect(trusting.log).not.toContain('.well-known/cesta.json 200');
  });

  it('that is pinned outlives the visit', async () => {
    const storage = memoryStorage();
    await opened(serve(), storage);
    const served = serve({ release: release({ version: 2, key: stranger }), key: stranger });
    const cesta = await opened(served, storage);
    expect(await codeOf(() => cesta.refresh())).toBe('release.untrusted');
    expect(cesta.release?.version).toBe(1);
    expect(served.log).not.toContain('.well-known/cesta.json 200');
  });

  it('that was met is kept for the visit even when the storage forgets', async () => {
    const served = serve();
    const cesta = await opened(served, { get: () => Promise.resolve(null), set: () => Promise.resolve() });
    served.release = release({ version: 2, key: stranger });
    served.key = stranger;
    expect(await codeOf(() => cesta.refresh())).toBe('release.untrusted');
    expect(cesta.release?.version).toBe(1);
  });

  it('that is no key is refused', async () => {
    const served = serve();
    const cesta = createCesta({ url: '/cesta', fetch: (url, init) => (url.endsWith('cesta.json') ? Promise.resolve(Response.json({ publicKey: 'zz' })) : served.fetch(url, init)) });
    expect(await codeOf(() => cesta.ready)).toBe('release.untrusted');
  });
});

describe('the catalogue', () => {
  it('that is not the one of the release is refused, and the release with it', async () => {
    const served = serve();
    const cesta = await opened(served);
    served.release = release({ version: 2, of: catalogueOf('a', 'b') });
    expect(await codeOf(() => cesta.refresh())).toBe('catalogue.invalid');
    expect(cesta.release?.version).toBe(1);
    expect(cesta.recommend({ limit: 10 }).length).toBe(catalogue.products.length);
  });
});

describe('storage', () => {
  it('that fails costs the cache, not the shelf, and is no secret', async () => {
    const failing: StorefrontStorage = { get: () => Promise.reject(new Error('denied')), set: () => Promise.reject(new Error('quota exceeded')) };
    const cesta = await opened(serve(), failing);
    expect(cesta.recommend({ limit: 2 }).length).toBe(2);
    expect(cesta.lastError).toMatchObject({ code: 'storage.failed' });
  });

  it('of the browser keeps bytes as they are', async () => {
    const values = new Map<string, string>();
    const area = { getItem: (key: string) => values.get(key) ?? null, setItem: (key: string, value: string) => void values.set(key, value) };
    const bytes = Uint8Array.from(randomBytes(50_000));
    await webStorage(area).set('x', bytes);
    expect(await webStorage(area).get('x')).toEqual(bytes);
    expect(await webStorage(area).get('y')).toBeNull();
    values.set('x', 'not base64!');
    expect(await webStorage(area).get('x')).toBeNull();
    const full = { getItem: () => null, setItem: () => { throw new Error('quota exceeded'); } };
    await expect(webStorage(full).set('x', bytes)).rejects.toThrow('quota exceeded');
  });

  it('of the browser carries a release from one visit to the next', async () => {
    const values = new Map<string, string>();
    const area = { getItem: (key: string) => values.get(key) ?? null, setItem: (key: string, value: string) => void values.set(key, value) };
    await opened(serve(), webStorage(area));
    const cesta = await opened(serve({ isDown: true }), webStorage(area));
    await until(() => cesta.lastError !== null);
    expect(cesta.release).toMatchObject({ version: 1, from: 'cache' });
  });
});
