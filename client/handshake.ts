/**
 * The participant's side of the handshake as a pure state machine: hello -> challenge -> proof -> welcome ->
 * (products) -> ready. The shop proves its key by signing a fresh nonce together with the coordinator's key, so
 * that a proof given to one coordinator is worthless to another. The welcome proves the coordinator's key over a nonce of
 * the shop's: a key is pinned only then, and nothing is published to whoever merely names it.
 */
import { isSignedBy, type SigningKey } from '../shared/ledger/signing-key.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import { connectStatement, type ClientMessage, type ServerMessage } from '../shared/protocol/messages.ts';

export type Welcome = Extract<ServerMessage, { type: 'welcome' }>;

/** What the participant waits for; `up` when the handshake is over. */
export type Handshake =
  | { readonly stage: 'challenge' }
  | { readonly stage: 'welcome'; readonly offeredKey: string }
  | { readonly stage: 'ready'; readonly welcome: Welcome }
  | { readonly stage: 'up'; readonly welcome: Welcome };

export type HandshakeEffect =
  | { readonly kind: 'post'; readonly message: ClientMessage }
  | { readonly kind: 'learn-key'; readonly key: string }
  | { readonly kind: 'welcome'; readonly session: string }
  | { readonly kind: 'publish' }
  | { readonly kind: 'up'; readonly welcome: Welcome }
  /** Give this attempt up and try again later. */
  | { readonly kind: 'drop'; readonly reason: string }
  /** Trying again cannot mend it. */
  | { readonly kind: 'end'; readonly error: CestaError };

export interface Identity {
  readonly shop: string;
  readonly key: SigningKey;
  /** Null before first contact. */
  readonly coordinatorKey: string | null;
  /** Of this attempt's hello: 32 fresh random bytes, hex. */
  readonly nonce: string;
}

const fatalCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'node.name-taken', 'node.unauthorised', 'node.revoked', 'enrolment.required', 'enrolment.certificate-invalid', 'enrolment.certificate-expired',
  'coordinator.untrusted', 'protocol.version',
]);

export function isFatal(code: ErrorCode): boolean {
  return fatalCodes.has(code);
}

export function shakeHands(state: Handshake, message: ServerMessage, identity: Identity): readonly [Handshake, readonly HandshakeEffect[]] {
  if (message.type === 'error') return [state, [{ kind: 'drop', reason: `${message.code}: ${message.message}` }]];
  if (state.stage === 'challenge' && message.type === 'challenge') return answer(message.nonce, message.coordinatorKey, identity);
  if (state.stage === 'welcome' && message.type === 'welcome') return trust(state.offeredKey, message, identity);
  if (state.stage === 'ready' && message.type === 'ready') return [{ stage: 'up', welcome: state.welcome }, [{ kind: 'up', welcome: state.welcome }]];
  return [state, [{ kind: 'drop', reason: `handshake: expected ${state.stage}, got ${message.type}` }]];
}

function answer(nonce: string, offeredKey: string, { shop, key, coordinatorKey }: Identity): readonly [Handshake, readonly HandshakeEffect[]] {
  if (coordinatorKey !== null && offeredKey !== coordinatorKey) {
    const message = `coordinator key: expected the pinned ${coordinatorKey}, got ${offeredKey}; remove the pinned key only if you know that the coordinator changed it`;
    return [{ stage: 'challenge' }, [{ kind: 'end', error: new CestaError('coordinator.untrusted', message) }]];
  }
  const proof: HandshakeEffect = { kind: 'post', message: { type: 'proof', signature: key.sign(connectStatement('shop', nonce, shop, offeredKey)) } };
  return [{ stage: 'welcome', offeredKey }, [proof]];
}

function trust(offeredKey: string, welcome: Welcome, { shop, coordinatorKey, nonce }: Identity): readonly [Handshake, readonly HandshakeEffect[]] {
  if (!isSignedBy(offeredKey, welcome.signature ?? '', connectStatement('coordinator', nonce, shop, offeredKey))) {
    const message = `welcome: expected a signature by ${offeredKey} over the nonce of this shop, got ${welcome.signature === undefined ? 'none' : 'another'}`;
    return [{ stage: 'challenge' }, [{ kind: 'end', error: new CestaError('coordinator.untrusted', message) }]];
  }
  const learnt: readonly HandshakeEffect[] = coordinatorKey === null ? [{ kind: 'learn-key', key: offeredKey }] : [];
  const published: readonly HandshakeEffect[] = welcome.openCatalogue ? [{ kind: 'publish' }] : [];
  return [{ stage: 'ready', welcome }, [...learnt, { kind: 'welcome', session: welcome.session }, ...published]];
}
