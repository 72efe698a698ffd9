/**
 * One connection, from its first byte to its last: hello -> challenge -> proof -> welcome -> [products] -> ready,
 * then rounds. Every frame is parsed inside a `try`; before the proof any mistake closes the connection, afterwards
 * it is answered with a code and a few of them close it.
 *
 * Security: the proof binds the shop's key to this connection by a fresh nonce and names the coordinator's key, so
 * it cannot be relayed to another coordinator. Later frames are not signed one by one: confidentiality and
 * integrity on the way are TLS's job.
 */
import { protocolVersion } from '../../shared/federation/plan.ts';
import { verifySignature } from '../../shared/ledger/signature.ts';
import { statusOf } from '../../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { connectStatement, decodeChunk, parseClientMessage, type Chunk, type ClientMessage } from '../../shared/protocol/messages.ts';
import type { GatewayContext } from './context.ts';
import type { Link } from './link.ts';

export type RoundMessage = Extract<ClientMessage, { type: 'join' | 'decline' | 'report' | 'leave' | 'masked' }>;

type Hello = Extract<ClientMessage, { type: 'hello' }>;
type Products = Extract<ClientMessage, { type: 'products' }>;

type Stage =
  | { readonly kind: 'hello' }
  | { readonly kind: 'proof'; readonly hello: Hello; readonly nonce: string }
  /** The signature and the pinned key are being looked up: nothing may arrive meanwhile. */
  | { readonly kind: 'verifying' }
  | { readonly kind: 'publishing'; readonly participant: string; readonly resumed: boolean }
  | { readonly kind: 'ready'; readonly participant: string }
  | { readonly kind: 'closed' };

export interface Connection {
  /** Takes one frame. Never throws. */
  receive(frame: Uint8Array, isBinary: boolean): void;
  /** Counts a refusal that was found outside of this module against the connection. */
  penalise(error: CestaError): void;
  /** The peer broke the framing, and its connection is being closed for it. */
  violated(error: CestaError): void;
  closed(): void;
  /** Whether the peer has proven its key. */
  readonly isKnown: boolean;
}

interface State {
  readonly context: GatewayContext;
  readonly link: Link;
  stage: Stage;
  lastSeq: number;
  strikes: number;
  cancelTimeout: () => void;
}

export function openConnection(context: GatewayContext, link: Link): Connection {
  const state: State = { context, link, stage: { kind: 'hello' }, lastSeq: 0, strikes: 0, cancelTimeout: () => undefined };
  restartTimeout(state);
  return {
    receive(frame, isBinary) {
      if (state.stage.kind === 'closed' || isReplaced(state)) return;
      try {
        if (isBinary) acceptChunk(state, decodeChunk(frame));
        else acceptMessage(state, parseClientMessage(new TextDecoder().decode(frame)), frame.length);
      } catch (error) {
        const coded = toCestaError(error);
        if (statusOf(coded) >= 500) context.logger.error({ err: error, participant: participantOf(state) }, 'a frame could not be handled');
        penalise(state, coded);
      }
    },
    penalise: (error) => penalise(state, error),
    violated(error) {
      if (state.stage.kind !== 'closed') expel(state, error);
    },
    closed: () => close(state),
    get isKnown() {
      return isKnown(state);
    },
  };
}

function acceptMessage(state: State, message: ClientMessage, bytes: number): void {
  const { stage, context } = state;
  if ('seq' in message) checkSeq(state, message.seq);
  switch (message.type) {
    case 'hello':
      if (stage.kind !== 'hello') throw outOfOrder(state, message.type);
      return greet(state, message);
    case 'proof':
      if (stage.kind !== 'proof') throw outOfOrder(state, message.type);
      state.stage = { kind: 'verifying' };
      void verify(state, stage.hello, stage.nonce, message.signature);
      return;
    case 'products':
      if (stage.kind !== 'publishing') throw outOfOrder(state, message.type);
      return acceptProducts(state, stage, message, bytes);
    case 'join':
    case 'decline':
    case 'report':
    case 'leave':
    case 'masked':
      if (stage.kind !== 'ready') throw outOfOrder(state, message.type);
      return context.events.message(stage.participant, message);
    default:
      return message satisfies never;
  }
}

function acceptChunk(state: State, chunk: Chunk): void {
  if (state.stage.kind !== 'ready') throw outOfOrder(state, 'chunk');
  checkSeq(state, chunk.seq);
  state.context.events.chunk(state.stage.participant, chunk);
}

function acceptProducts(state: State, stage: Extract<Stage, { kind: 'publishing' }>, { products, last }: Products, bytes: number): void {
  state.context.room.publish(stage.participant, { products, bytes, last });
  if (last) becomeReady(state, stage.participant, stage.resumed);
  else restartTimeout(state);
}

function checkSeq(state: State, seq: number): void {
  if (seq <= state.lastSeq) throw new CestaError('protocol.replayed', `seq: expected more than ${state.lastSeq}, got ${seq}`);
  state.lastSeq = seq;
}

function greet(state: State, hello: Hello): void {
  const { context, link } = state;
  if (hello.protocol !== protocolVersion) throw new CestaError('protocol.version', `protocol: expected ${protocolVersion}, got ${hello.protocol}`);
  context.admission.greet(hello);
  const nonce = context.newNonce();
  state.stage = { kind: 'proof', hello, nonce };
  restartTimeout(state);
  link.send({ type: 'challenge', nonce, coordinatorKey: context.coordinatorKey });
}

async function verify(state: State, hello: Hello, nonce: string, signature: string): Promise<void> {
  const { context } = state;
  try {
    const statement = connectStatement('shop', nonce, hello.shop, context.coordinatorKey);
    if (!(await verifySignature(hello.publicKey, signature, statement))) {
      throw new CestaError('node.unauthorised', `shop ${hello.shop}: expected a signature by ${hello.publicKey} over the challenge, got another`);
    }
    await context.admission.verify(hello);
    if ((await context.pinNode(hello.shop, hello.publicKey)) === 'taken') {
      throw new CestaError('node.name-taken', `shop ${hello.shop}: expected the key this name was first used with, and one name a key`);
    }
    // The peer may have hung up, or been cut off for speaking out of turn, while the signature was checked.
    if (state.stage.kind === 'verifying') admit(state, hello);
  } catch (error) {
    const coded = toCestaError(error);
    if (statusOf(coded) >= 500) context.logger.error({ err: error, shop: hello.shop }, 'a shop could not be admitted');
    penalise(state, coded);
  }
}

function admit(state: State, hello: Hello): void {
  const { context, link } = state;
  const participant = hello.shop.toLowerCase();
  context.admission.enter(participant, hello);
  const { token, resumed } = context.sessions.claim(participant, link, hello.session);
  const openCatalogue = context.room.expects(participant);
  state.stage = { kind: 'publishing', participant, resumed };
  const proof = hello.nonce === undefined ? {} : { signature: context.proveKey(hello.nonce, hello.shop) };
  link.send({ type: 'welcome', task: context.task, session: token, openCatalogue, ...proof });
  if (openCatalogue) restartTimeout(state);
  else becomeReady(state, participant, resumed);
}

function becomeReady(state: State, participant: string, resumed: boolean): void {
  const { context, link } = state;
  state.cancelTimeout();
  state.stage = { kind: 'ready', participant };
  context.sessions.markReady(participant);
  link.send({ type: 'ready' });
  context.events.ready(participant, resumed);
}

function penalise(state: State, error: CestaError): void {
  const { stage, link, context } = state;
  if (stage.kind === 'closed') return;
  // Membership is a matter of timing: being late for a round is nobody's fault.
  if (error.code === 'round.not-member') return link.refuse(error);
  state.strikes += 1;
  if (!isKnown(state) || error.code === 'protocol.too-large' || state.strikes >= context.limits.maxStrikes) return expel(state, error);
  context.logger.info({ code: error.code, participant: participantOf(state), reason: error.message }, 'frame refused');
  link.refuse(error);
}

/** Ends the connection for a fault of the peer's; the round it is in learns that it is out, not merely away. */
function expel(state: State, error: CestaError): void {
  const { stage, context, link } = state;
  context.logger.warn({ code: error.code, participant: participantOf(state), reason: error.message }, 'connection closed');
  if (stage.kind === 'ready') context.events.expelled(stage.participant, error);
  link.expel(error);
  close(state);
}

function close(state: State): void {
  const { stage, context, link } = state;
  state.stage = { kind: 'closed' };
  state.cancelTimeout();
  if (stage.kind !== 'publishing' && stage.kind !== 'ready') return;
  if (context.sessions.linkOf(stage.participant) !== link) return;
  const wasReady = context.sessions.leave(stage.participant);
  context.admission.left(stage.participant);
  context.room.forget(stage.participant);
  if (wasReady) context.events.left(stage.participant);
}

function isKnown({ stage }: State): boolean {
  return stage.kind === 'publishing' || stage.kind === 'ready';
}

/** A resumed session moved to another connection; what still arrives here is from before. */
function isReplaced({ stage, context, link }: State): boolean {
  return (stage.kind === 'publishing' || stage.kind === 'ready') && context.sessions.linkOf(stage.participant) !== link;
}

function restartTimeout(state: State): void {
  const { handshakeMs } = state.context.limits;
  state.cancelTimeout();
  state.cancelTimeout = state.context.clock.after(handshakeMs, () => {
    expel(state, new CestaError('protocol.out-of-order', `handshake: expected the next message within ${handshakeMs} ms, got none`));
  });
}

function outOfOrder(state: State, type: string): CestaError {
  return new CestaError('protocol.out-of-order', `${type}: not expected while the connection is at ${state.stage.kind}`);
}

function participantOf({ stage }: State): string | undefined {
  return stage.kind === 'ready' || stage.kind === 'publishing' ? stage.participant : undefined;
}
