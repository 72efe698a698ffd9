/**
 * What one member deals to a neighbour: a share of its self-mask seed, of its mask key and of every noise key, sealed
 * with AES-256-GCM under a key of that direction and session. Every share is committed to, so that a wrong one can be
 * blamed on who sent it. Security: a commitment is 16 bytes of a hash of 256 secret bits; it hides the share, and
 * only its own dealer could look for two shares of one commitment.
 */
import { recordOf, sameBytes } from './bytes.ts';
import type { SecaggCrypto } from './crypto.ts';
import { purposeKey, statement, type Hashes } from './labels.ts';
import { shareBytes } from './shamir.ts';

/** Which secret a share is of: 0 the seed of the self-mask, 1 the mask key, 1 + k the noise key of component k. */
export const seedSlot = 0;
export const maskKeySlot = 1;
export const noiseSlot = (component: number): number => 1 + component;

/** The name of a secret among all that members dealt. */
export function slotName(dealer: number, slot: number): string {
  return `${dealer}/${slot}`;
}

const tagBytes = 16;
const commitmentBytes = 16;

/** Two members and the session: what a box is bound to. */
export interface Route {
  readonly sessionId: Uint8Array;
  readonly dealer: number;
  readonly holder: number;
}

export function boxBytes(components: number): number {
  return (2 + components) * shareBytes + tagBytes;
}

export function commitmentRowBytes(components: number): number {
  return (2 + components) * commitmentBytes;
}

/** The key of one direction: it seals one box, so its nonce may be 0. */
export function boxKey(crypto: Hashes, pairKey: Uint8Array, { dealer, holder }: Route): Uint8Array {
  return purposeKey(crypto, pairKey, 'box', dealer, holder);
}

/** The key of the mask that two members share, bound to the model that both computed from (Pasquini et al. 2022). */
export function pairMaskKey(crypto: Hashes, pairKey: Uint8Array, modelHash: string, [a, b]: readonly [number, number]): Uint8Array {
  return purposeKey(crypto, pairKey, 'mask', modelHash, Math.min(a, b), Math.max(a, b));
}

export async function sealShares(crypto: SecaggCrypto, key: Uint8Array, shares: Uint8Array, route: Route): Promise<Uint8Array> {
  return crypto.seal(key, shares, associated(route));
}

/** The shares in a box, or null where it does not open or holds other shares than its dealer committed to. */
export async function openShares(crypto: SecaggCrypto, key: Uint8Array, box: Uint8Array, commitments: Uint8Array, route: Route): Promise<Uint8Array | null> {
  const shares = await crypto.open(key, box, associated(route));
  if (shares === null || shares.length !== box.length - tagBytes) return null;
  return sameBytes(commitmentRow(crypto, route, shares), commitments) ? shares : null;
}

/** The commitments to all shares of one box, in the order of their slots. */
export function commitmentRow(crypto: Hashes, route: Route, shares: Uint8Array): Uint8Array {
  const slots = shares.length / shareBytes;
  const row = new Uint8Array(slots * commitmentBytes);
  for (let slot = 0; slot < slots; slot += 1) row.set(commitmentTo(crypto, route, { slot, share: recordOf(shares, slot, shareBytes) }), slot * commitmentBytes);
  return row;
}

/** Whether `share` is what the dealer committed to in `slot` of `row`. */
export function isCommitted(crypto: Hashes, route: Route, { slot, share }: SlotShare, row: Uint8Array): boolean {
  return sameBytes(commitmentTo(crypto, route, { slot, share }), recordOf(row, slot, commitmentBytes));
}

interface SlotShare {
  readonly slot: number;
  readonly share: Uint8Array;
}

function commitmentTo(crypto: Hashes, { sessionId, dealer, holder }: Route, { slot, share }: SlotShare): Uint8Array {
  return crypto.digest(statement('share', sessionId, dealer, holder, slot, share)).slice(0, commitmentBytes);
}

function associated({ sessionId, dealer, holder }: Route): Uint8Array {
  return statement('r1', sessionId, dealer, holder);
}
