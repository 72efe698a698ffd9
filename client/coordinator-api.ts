/** What a participant asks of its coordinator: where the rounds are, the catalogue, releases, the public record. */
import { parseCatalogue, type Catalogue } from '../shared/commerce/catalogue.ts';
import { openRelease, type OpenedRelease } from '../shared/federation/release.ts';
import { tilePath, type TileAddress } from '../shared/ledger/tiles.ts';
import { sha256Hex } from '../shared/protocol/digest.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import { roundsPath } from '../shared/protocol/messages.ts';
import { addressBelow, getDocument, parseJson, type Fetch } from './http.ts';

/** The coordinator's WebSocket for participants. */
export function roundsAddress(coordinator: URL): string {
  const address = new URL(addressBelow(coordinator, roundsPath.slice(1)));
  address.protocol = coordinator.protocol === 'https:' || coordinator.protocol === 'wss:' ? 'wss:' : 'ws:';
  return address.href;
}

/**
 * The catalogue of a plan: whatever the coordinator serves, it has the hash that the plan names.
 * @throws CestaError `catalogue.invalid`, `network.unreachable` or `protocol.malformed`
 */
export async function fetchCatalogue(fetch: Fetch, coordinator: URL, hash: string): Promise<Catalogue> {
  const url = addressBelow(coordinator, 'v1/catalogue');
  const document = await getDocument(fetch, url);
  const catalogue = parseCatalogue(document === null ? null : parseJson(document.bytes, url));
  if (catalogue.hash !== hash) throw new CestaError('catalogue.invalid', `catalogue: expected the hash of the plan ${hash}, got ${catalogue.hash}`);
  return catalogue;
}

export interface ReleaseOrigin {
  readonly coordinator: URL;
  /** Signs releases. Hex. */
  readonly coordinatorKey: string;
  readonly task: string;
}

/**
 * A release by the SHA-256 of its file, signed by the coordinator.
 * @throws CestaError `release.untrusted`, `release.not-found` or `network.unreachable`
 */
export async function fetchRelease(fetch: Fetch, { coordinator, coordinatorKey, task }: ReleaseOrigin, sha256: string): Promise<OpenedRelease> {
  const document = await getDocument(fetch, addressBelow(coordinator, `v1/tasks/${encodeURIComponent(task)}/model/${sha256}`));
  const actual = document === null ? 'none' : sha256Hex(document.bytes);
  if (document === null || actual !== sha256) throw new CestaError('release.untrusted', `release: expected ${sha256}, got ${actual}`);
  const opened = await openRelease(document.bytes, coordinatorKey);
  const { servingForm } = opened.manifest;
  if (servingForm !== undefined) throw new CestaError('release.untrusted', `release ${sha256}: expected one to train from, got a form of ${servingForm.of} to rank with`);
  return opened;
}

/** A tile of the coordinator's public record. @throws CestaError `network.unreachable`, or the code that the server gave. */
export async function fetchTile(fetch: Fetch, coordinator: URL, address: TileAddress): Promise<Uint8Array> {
  const document = await getDocument(fetch, addressBelow(coordinator, `v1/log/${tilePath(address)}`));
  return document?.bytes ?? new Uint8Array(0);
}

/** The head of the coordinator's public record, unverified. @throws CestaError `network.unreachable` */
export async function fetchCheckpoint(fetch: Fetch, coordinator: URL): Promise<string> {
  const document = await getDocument(fetch, addressBelow(coordinator, 'v1/log/checkpoint'));
  return new TextDecoder().decode(document?.bytes);
}
