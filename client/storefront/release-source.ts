/**
 * The current release and its catalogue: fetched with ETags, verified, cached. A release that does not verify never
 * replaces one that did. The first contact trusts the key it is told, unless one is given: after that the key is
 * pinned. Verification cannot tell an old release from the newest one that was withheld, but a release older than
 * one already seen is refused.
 */
import * as z from 'zod/mini';
import { parseCatalogue, type Catalogue } from '../../shared/commerce/catalogue.ts';
import { openRelease, type Manifest, type OpenedRelease } from '../../shared/federation/release.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import type { KernelKind } from '../../shared/kernels/simd.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import type { Precision } from '../../shared/recommender/quantised-rows.ts';
import { loadModel } from '../../shared/recommender/load-model.ts';
import { addressBelow, getDocument, parseJson, type Document, type Fetch } from '../http.ts';
import type { StorefrontStorage } from './storage.ts';

/** A verified release, ready to rank with. */
export interface LoadedRelease {
  readonly manifest: Manifest;
  readonly sha256: string;
  readonly etag: string;
  readonly catalogue: Catalogue;
  readonly model: AnyFederatedModel;
  readonly params: unknown;
  /** What multiplies the model's rows of items here; null where it has none. */
  readonly kernels: KernelKind | null;
}

export interface ReleaseSource {
  /** What was kept from an earlier visit and still verifies; null when there is nothing, or no key to verify it with. */
  cached(): Promise<LoadedRelease | null>;
  /**
   * The coordinator's current release; `held` itself when that has not changed.
   * @throws CestaError `release.untrusted`, `catalogue.invalid`, `network.unreachable` or what the coordinator answers.
   */
  fetch(held: LoadedRelease | null): Promise<LoadedRelease>;
}

export interface ReleaseSourceOptions {
  readonly url: string;
  /** Null for the coordinator's main task. */
  readonly task: string | null;
  /** Of the row tables, where the model has any: `float32` takes no other. */
  readonly precision: Precision;
  readonly publicKey: string | null;
  readonly storage: StorefrontStorage;
  readonly fetch: Fetch;
  /** Hears of a cache that cannot be read or written: it costs speed, not correctness. */
  readonly onCacheError: (error: CestaError) => void;
}

const wellKnownSchema = z.object({ publicKey: z.string().check(z.regex(/^[0-9a-f]{64}$/)) });

export function createReleaseSource(options: ReleaseSourceOptions): ReleaseSource {
  const { url, task, precision, fetch } = options;
  const modelPath = `${modelPathOf(task)}?precision=${precision}`;
  const cache = createCache(options);
  const read = async (path: string, etag = ''): Promise<Document | null> => getDocument(fetch, addressBelow(url, path), etag);
  // A storage that forgets, or fails, must not unpin the key while the page is open.
  let pinnedHere = options.publicKey;

  async function trustedKey(): Promise<string | null> {
    if (pinnedHere !== null) return pinnedHere;
    const pinned = await cache.get('key');
    return pinned === null ? null : new TextDecoder().decode(pinned.bytes);
  }

  async function announcedKey(): Promise<string> {
    const document = await read('.well-known/cesta.json');
    const parsed = wellKnownSchema.safeParse(document === null ? null : parseJson(document.bytes, 'cesta.json'));
    if (!parsed.success) throw new CestaError('release.untrusted', 'cesta.json: expected a publicKey of 32 bytes in hex, got none');
    return parsed.data.publicKey;
  }

  const keptCatalogue = (): Promise<Catalogue | null> => cache.get('catalogue').then((kept) => (kept === null ? null : catalogueFrom(kept)));

  /** The hash in the signed manifest is as good as an ETag: a catalogue that has it is never fetched again. */
  async function catalogueOf(hash: string, held: LoadedRelease | null): Promise<Catalogue> {
    if (held?.catalogue.hash === hash) return held.catalogue;
    const known = await keptCatalogue().catch(() => null);
    if (known?.hash === hash) return known;
    const document = await read('v1/catalogue');
    const catalogue = document === null ? null : catalogueFrom(document);
    if (document === null || catalogue === null) throw new CestaError('network.unreachable', 'GET v1/catalogue: expected a catalogue, got none');
    if (catalogue.hash === hash) await cache.set('catalogue', document);
    return catalogue;
  }

  return {
    async cached() {
      const key = await trustedKey();
      const kept = await cache.get('release');
      if (key === null || kept === null) return null;
      try {
        const opened = await openRelease(kept.bytes, key);
        // What a page that wanted less precision left is as good as nothing.
        if (isCoarser(opened.manifest, precision)) return null;
        const catalogue = await keptCatalogue();
        return catalogue === null ? null : await assemble(kept, opened, catalogue);
      } catch (thrown) {
        options.onCacheError(toCestaError(thrown));
        return null;
      }
    },
    async fetch(held) {
      const pinned = await trustedKey();
      const key = pinned ?? (await announcedKey());
      const document = await read(modelPath, held?.etag);
      if (document === null && held !== null) return held;
      if (document === null) throw new CestaError('network.unreachable', `GET ${modelPath}: expected a release, got status 304`);
      const opened = await openRelease(document.bytes, key);
      requireWanted(opened.manifest, options);
      requireNoOlder(opened.manifest, held?.manifest);
      const loaded = await assemble(document, opened, await catalogueOf(opened.manifest.catalogueHash, held));
      // Only a key under which a release verified is worth pinning.
      pinnedHere = key;
      if (pinned === null) await cache.set('key', { bytes: new TextEncoder().encode(key), etag: '' });
      await cache.set('release', document);
      return loaded;
    },
  };
}

/** @throws CestaError `release.untrusted`, or what the model objects to. */
async function assemble({ bytes, etag }: Document, { manifest, tensors }: OpenedRelease, catalogue: Catalogue): Promise<LoadedRelease> {
  if (catalogue.hash !== manifest.catalogueHash) throw new CestaError('catalogue.invalid', `catalogue: expected the one of the release, ${manifest.catalogueHash}, got ${catalogue.hash}`);
  const makeModel = await loadModel(manifest.model.kind);
  const model = makeModel(catalogue, manifest.model.hyperParameters);
  const kernels = model.rowTables === undefined ? null : (await import('../../shared/kernels/simd.ts')).kernelKind();
  return { manifest, sha256: sha256Hex(bytes), etag, catalogue, model, params: model.decode(tensors), kernels };
}

function modelPathOf(task: string | null): string {
  return task === null ? 'v1/model' : `v1/tasks/${encodeURIComponent(task)}/model`;
}

function requireWanted(manifest: Manifest, { task, precision }: Pick<ReleaseSourceOptions, 'task' | 'precision'>): void {
  if (task !== null && manifest.task !== task) throw new CestaError('release.untrusted', `release: expected one of task ${task}, got one of ${manifest.task}`);
  if (isCoarser(manifest, precision)) throw new CestaError('release.untrusted', `release: expected precision ${precision}, got ${precisionOf(manifest)}`);
}

/** The precision of the numbers that a release file ranks with. */
export function precisionOf({ servingForm }: Manifest): Precision {
  return servingForm?.precision ?? 'float32';
}

/** Float32 where int8 was asked for is no less: it is the answer for a model without row tables. */
function isCoarser(manifest: Manifest, precision: Precision): boolean {
  return precision === 'float32' && precisionOf(manifest) !== precision;
}

/** Replaying an old release would undo whatever a newer one mended. */
function requireNoOlder({ task, version }: Manifest, held: Manifest | undefined): void {
  if (held !== undefined && held.task === task && version < held.version) {
    throw new CestaError('release.untrusted', `version: expected at least ${held.version}, which was seen before, got ${version}`);
  }
}

/** @throws CestaError `catalogue.invalid` or `protocol.malformed` */
function catalogueFrom({ bytes }: Document): Catalogue {
  return parseCatalogue(parseJson(bytes, 'catalogue'));
}

interface Cache {
  get(name: string): Promise<Document | null>;
  set(name: string, document: Document): Promise<void>;
}

/** ETag and bytes in one value, `etag LF bytes`, so that they cannot come apart. */
function createCache({ url, task, storage, onCacheError }: ReleaseSourceOptions): Cache {
  const address = (name: string): string => `cesta:${url}:${task === null ? '' : `${task}:`}${name}`;
  const failed = (cause: unknown): void => onCacheError(new CestaError('storage.failed', `storefront cache: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }));
  return {
    async get(name) {
      try {
        const value = await storage.get(address(name));
        const end = value?.indexOf(0x0a) ?? -1;
        return value === null || end < 0 ? null : { etag: new TextDecoder().decode(value.subarray(0, end)), bytes: value.subarray(end + 1) };
      } catch (cause) {
        failed(cause);
        return null;
      }
    },
    async set(name, { etag, bytes }) {
      const head = new TextEncoder().encode(`${etag}\n`);
      const value = new Uint8Array(head.length + bytes.length);
      value.set(head);
      value.set(bytes, head.length);
      try {
        await storage.set(address(name), value);
      } catch (cause) {
        failed(cause);
      }
    },
  };
}
