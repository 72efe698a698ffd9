/** A coordinator's HTTP side in memory: real releases, ETags, and whatever can go wrong with them. */
import { randomBytes } from 'node:crypto';
import type { Fetch } from '../../../client/http.ts';
import type { Catalogue } from '../../../shared/commerce/catalogue.ts';
import { sealRelease, type SealedRelease } from '../../../shared/federation/release.ts';
import { signingKey, type SigningKey } from '../../../shared/ledger/signing-key.ts';
import { canonicalJson } from '../../../shared/protocol/canonical-json.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';
import { createItemKnn } from '../../../shared/recommender/item-knn.ts';
import { basket, catalogueOf, trained } from '../../ranking/training.ts';

export const shopKey = signingKey(randomBytes(32));

/** a and b go together, b and c too, d is bought alone. */
export const catalogue = catalogueOf('a', 'b', 'c', 'd', 'e');
const baskets = [basket(0, 1), basket(0, 1), basket(1, 2), basket(3)];
export const model = createItemKnn(catalogue, { topWeights: 'all', shrinkage: 0 }) as AnyFederatedModel;

export function release({ version = 1, key = shopKey, task = 'main', of = catalogue, restores }: { version?: number; key?: SigningKey; task?: string; of?: Catalogue; restores?: number } = {}): SealedRelease {
  const knn = createItemKnn(of, { topWeights: 'all', shrinkage: 0 }) as AnyFederatedModel;
  return sealRelease({
    task,
    version,
    round: `${task}-${version}`,
    createdAt: '2026-01-01T00:00:00Z',
    model: { kind: knn.kind, hyperParameters: knn.hyperParameters },
    catalogueHash: of.hash,
    planHash: 'ab'.repeat(32),
    cohort: 3,
    shoppers: 4,
    privacy: { mode: 'none', unit: 'shopper', adjacency: 'add or remove one', epsilon: null, delta: null, noiseStd: 0, clipNorm: null, assumptions: [] },
    metrics: { parameters: version },
    parent: null, nextClipNorm: null, ...(restores === undefined ? {} : { restores }),
  }, knn.encode(trained(knn, baskets)), key);
}

export interface Served {
  release: SealedRelease | null;
  /** Served for `precision=int8`; the release itself, without it. */
  int8: SealedRelease | null;
  /** Sent instead of the release's own bytes. */
  bytes: Uint8Array | null;
  catalogue: Catalogue;
  key: SigningKey;
  isDown: boolean;
  /** Answers of every request: `path status`, the path without the precision. */
  readonly log: string[];
  readonly fetch: Fetch;
}

export function serve(changes: Partial<Served> = {}): Served {
  const log: string[] = [];
  const served: Served = {
    release: release(), int8: null, bytes: null, catalogue, key: shopKey, isDown: false, log,
    fetch(url, init) {
      if (served.isDown) return Promise.reject(new TypeError('fetch failed'));
      const [path, query = ''] = url.replace('/cesta/', '').split('?');
      const response = answer(served, path, query, init?.headers?.['If-None-Match'] ?? '');
      log.push(`${path} ${response.status}`);
      return Promise.resolve(response);
    },
    ...changes,
  };
  return served;
}

function answer(served: Served, path: string, query: string, etag: string): Response {
  const sent = (query === 'precision=int8' ? served.int8 : null) ?? served.release;
  switch (path) {
    case '.well-known/cesta.json':
      return Response.json({ protocol: 1, task: 'main', publicKey: served.key.publicKey });
    case 'v1/catalogue':
      return new Response(canonicalJson(served.catalogue.products), { headers: { ETag: `"${served.catalogue.hash}"` } });
    case 'v1/model':
    case 'v1/tasks/second/model':
      if (sent === null) return Response.json({ error: { code: 'release.not-found', message: 'none yet', hint: '' } }, { status: 404 });
      if (etag === `"${sent.sha256}"`) return new Response(null, { status: 304, headers: { ETag: etag } });
      return new Response(Uint8Array.from(served.bytes ?? sent.bytes), { headers: { ETag: `"${sent.sha256}"` } });
    default:
      return new Response('not here', { status: 404 });
  }
}
