/** What a coordinator answers over HTTP, as any outsider gets it. */
import type { z } from 'zod';
import { addressBelow, getDocument, type Document } from '../../../client/http.ts';
import { fetchCheckpoint, fetchTile } from '../../../client/coordinator-api.ts';
import { budgetSchema, readinessSchema, roundsSchema } from '../../../server/http/schemas.ts';
import { openRelease, type Manifest } from '../../../shared/federation/release.ts';
import { logKey, logOrigin, openCheckpoint, type VerifiedCheckpoint } from '../../../shared/ledger/checkpoint.ts';
import type { ReadTile } from '../../../shared/ledger/followed-head.ts';
import { sha256Hex } from '../../../shared/protocol/digest.ts';
import { CestaError, toCestaError } from '../../../shared/protocol/errors.ts';
import { fetchJson } from '../../verify/served.ts';

export type ServedRound = z.infer<typeof roundsSchema>['rounds'][number];

export interface ServedRelease {
  readonly sha256: string;
  readonly manifest: Manifest;
}

export interface Served {
  /** The release in force, null before the first. @throws CestaError `release.untrusted` for bytes that are not one */
  current(): Promise<ServedRelease | null>;
  release(version: number): Promise<ServedRelease>;
  /** Rounds with a higher number, to the last one. */
  rounds(after: number): Promise<ServedRound[]>;
  head(): Promise<VerifiedCheckpoint>;
  roundsCharged(): Promise<number>;
  phase(): Promise<string>;
  readonly readTile: ReadTile;
}

export function servedBy(url: URL, publicKey: string): Served {
  let held = { etag: '', release: null as ServedRelease | null };
  const origin = logOrigin(publicKey);
  const open = async ({ bytes }: Document): Promise<ServedRelease> => ({ sha256: sha256Hex(bytes), manifest: (await openRelease(bytes, publicKey)).manifest });
  return {
    async current() {
      try {
        const document = await getDocument(fetch, addressBelow(url, 'v1/model'), held.etag);
        if (document !== null) held = { etag: document.etag, release: await open(document) };
        return held.release;
      } catch (error) {
        if (toCestaError(error).code === 'release.not-found') return null;
        throw error;
      }
    },
    async release(version) {
      const document = await getDocument(fetch, addressBelow(url, `v1/model/${version}`));
      if (document === null) throw new CestaError('release.not-found', `release ${version}: expected bytes, got none`);
      return open(document);
    },
    async rounds(after) {
      const rounds: ServedRound[] = [];
      for (let next: number | null = after; next !== null;) {
        const page: z.infer<typeof roundsSchema> = await fetchJson(fetch, url, `v1/rounds?after=${next}`, roundsSchema);
        rounds.push(...page.rounds);
        next = page.next;
      }
      return rounds;
    },
    head: async () => openCheckpoint(await fetchCheckpoint(fetch, url), [logKey(publicKey)], origin),
    roundsCharged: async () => (await fetchJson(fetch, url, 'v1/budget', budgetSchema)).roundsCharged,
    phase: async () => (await fetchJson(fetch, url, 'readyz', readinessSchema)).phase,
    readTile: (address) => fetchTile(fetch, url, address),
  };
}
