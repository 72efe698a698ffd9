/** What a shop node asks of its coordinator: where the rounds are, the catalogue, the release a round starts from, the public record. */
import { parseCatalogue, type Catalogue } from '../../shared/commerce/catalogue.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { openRelease } from '../../shared/federation/release.ts';
import { tilePath, type TileAddress } from '../../shared/ledger/tiles.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { roundsPath } from '../../shared/protocol/messages.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { addressBelow, getDocument, parseJson, type Fetch } from '../http.ts';

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

/**
 * The parameters that a round starts from: the catalogue's own, or those of an earlier release.
 * @throws CestaError `release.untrusted`, `release.not-found` or `network.unreachable`
 */
export async function fetchParams(fetch: Fetch, coordinator: URL, coordinatorKey: string, plan: Plan, model: AnyFederatedModel): Promise<unknown> {
  const { task, baseRelease } = plan;
  if (baseRelease === null) return model.initial();
  const document = await getDocument(fetch, addressBelow(coordinator, `v1/tasks/${encodeURIComponent(task)}/model/${baseRelease}`));
  const actual = document === null ? 'none' : sha256Hex(document.bytes);
  if (document === null || actual !== baseRelease) throw new CestaError('release.untrusted', `base release: expected ${baseRelease}, got ${actual}`);
  const { tensors } = await openRelease(document.bytes, coordinatorKey);
  return model.decode(tensors);
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
