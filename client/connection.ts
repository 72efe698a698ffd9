/**
 * A participant's connection to the coordinator: dials, shakes hands, resumes by session token, and after a loss
 * tries again with back-off until closed or told an error that trying again cannot mend. It authenticates the shop;
 * confidentiality and an authentic first contact are TLS's job.
 */
import type { Product } from '../shared/commerce/catalogue.ts';
import { protocolVersion } from '../shared/federation/plan.ts';
import type { SignedCertificate } from '../shared/identity/certificate.ts';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import type { Masked } from '../shared/privacy/vectors.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import { parseServerMessage, type ClientMessage, type ServerMessage } from '../shared/protocol/messages.ts';
import { backOffMs, defaultBackOff, type BackOff } from './back-off.ts';
import { isFatal, shakeHands, type Handshake, type HandshakeEffect, type Welcome } from './handshake.ts';
import { nonceSecurely, uniformSecurely } from './secure-random.ts';
import { createSender, type OutgoingMessage, type Sender, type Target } from './sender.ts';
import { systemTimers, type OpenSocket, type Socket, type Timers } from './socket.ts';

export type ConnectionEvent =
  | { readonly kind: 'up'; readonly task: string; readonly isReturn: boolean; readonly publishedProducts: number }
  /** The coordinator is away, or refused this attempt; the next one follows in `retryInMs`. */
  | { readonly kind: 'down'; readonly reason: string; readonly attempt: number; readonly retryInMs: number }
  /** Learnt at first contact: the caller persists it and passes it in from then on. */
  | { readonly kind: 'coordinator-key'; readonly key: string }
  /** A frame that is no message of this version. After the handshake the connection stays. */
  | { readonly kind: 'malformed'; readonly text: string; readonly error: CestaError }
  /** Nothing is retried any more: closed by us (`null`), or an error that trying again cannot mend. */
  | { readonly kind: 'over'; readonly error: CestaError | null };

export interface ConnectionHandlers {
  readonly onEvent: (event: ConnectionEvent) => void;
  /** Messages after the handshake. */
  readonly onMessage: (message: ServerMessage) => void;
}

export interface ConnectionOptions extends ConnectionHandlers {
  /** ws: or wss: address of the coordinator. */
  readonly url: string;
  readonly openSocket: OpenSocket;
  readonly shop: string;
  readonly key: SigningKey;
  /** The pinned key of the coordinator; null at first contact. */
  readonly coordinatorKey: string | null;
  /** The certificate of an enrolled shop, asked for at each attempt since it may have been renewed; null without one. */
  readonly certificate?: () => SignedCertificate | null;
  /** What is published when the task's catalogue is open. */
  readonly products: readonly Product[];
  readonly timers?: Timers;
  /** Uniform in [0, 1), for jitter. */
  readonly uniform?: () => number;
  readonly backOff?: BackOff;
  /** Silence during the handshake after which the attempt is given up. */
  readonly handshakeTimeoutMs?: number;
  /** Sending waits while more than this is buffered. */
  readonly maxBufferedBytes?: number;
}

export interface Connection {
  readonly isUp: boolean;
  /** Pinned or learnt; null before first contact. */
  readonly coordinatorKey: string | null;
  /** False when the connection is not up: the message is dropped, and whoever sent it hears `up` later. */
  send(message: OutgoingMessage): boolean;
  /** Sends a statistic in chunks; false when the connection was lost, or the signal fired, before the last one. */
  sendStatistic(round: string, statistic: Masked, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

/** With the default back-off these take one to two minutes. */
const attemptsForOwnName = 8;

/** One socket's life. A link that is not the current one any more is deaf and mute. */
interface Link extends Target {
  socket: Socket;
  handshake: Handshake;
  /** Fresh for each attempt: the coordinator signs it. */
  readonly nonce: string;
  publishedProducts: number;
  cancelTimeout: () => void;
}

/** What outlives a link. */
interface Line {
  readonly options: ConnectionOptions;
  readonly timers: Timers;
  readonly sender: Sender;
  link: Link | null;
  coordinatorKey: string | null;
  /** The token of the last welcome: presenting it takes over from a connection that hangs half-open. */
  session: string | null;
  hasBeenUp: boolean;
  /** Attempts since the connection was last up. */
  attempt: number;
  isOver: boolean;
  cancelRetry: () => void;
}

/**
 * Connects, and keeps connecting until closed or told a fatal error.
 * @example
 * const connection = openConnection({ url: 'wss://example.org/v1/rounds/live', openSocket: platformSockets, shop: 'corner-shop',
 *   key, coordinatorKey: null, products: [], onEvent: console.log, onMessage: console.log });
 */
export function openConnection(options: ConnectionOptions): Connection {
  const { timers = systemTimers, maxBufferedBytes = 1 << 20, coordinatorKey } = options;
  const sender = createSender({ timers, maxBufferedBytes });
  const line: Line = { options, timers, sender, link: null, coordinatorKey, session: null, hasBeenUp: false, attempt: 0, isOver: false, cancelRetry: () => undefined };
  dial(line);
  return {
    get isUp() {
      return upLink(line) !== null;
    },
    get coordinatorKey() {
      return line.coordinatorKey;
    },
    send(message) {
      const link = upLink(line);
      if (link !== null) sender.send(link, message);
      return link !== null;
    },
    sendStatistic(round, statistic, signal) {
      const link = upLink(line);
      return link === null ? Promise.resolve(false) : sender.sendStatistic(link, round, statistic, signal);
    },
    close: () => end(line, null),
  };
}

function upLink({ link }: Line): Link | null {
  return link?.handshake.stage === 'up' ? link : null;
}

/** Stands in until the factory has returned: a factory may report a failure before it does. */
const idleSocket: Socket = { bufferedAmount: 0, send: () => undefined, close: () => undefined };

function dial(line: Line): void {
  const { options, session } = line;
  const link: Link = {
    socket: idleSocket,
    handshake: { stage: 'challenge' },
    nonce: nonceSecurely(),
    publishedProducts: 0,
    cancelTimeout: () => undefined,
    isCurrent: () => line.link === link,
  };
  line.link = link;
  awaitAnswer(line, link);
  const certificate = options.certificate?.() ?? null;
  const hello: ClientMessage = {
    type: 'hello', protocol: protocolVersion, shop: options.shop, publicKey: options.key.publicKey, nonce: link.nonce,
    ...(certificate === null ? {} : { certificate }),
  };
  link.socket = options.openSocket(options.url, {
    onOpen: () => link.isCurrent() && link.socket.send(JSON.stringify(session === null ? hello : { ...hello, session })),
    onMessage: (data) => link.isCurrent() && receive(line, link, data),
    onClose: (reason) => drop(line, link, reason),
  });
}

function awaitAnswer(line: Line, link: Link): void {
  const { handshakeTimeoutMs = 30_000 } = line.options;
  link.cancelTimeout();
  link.cancelTimeout = line.timers.after(handshakeTimeoutMs, () => drop(line, link, `handshake: expected an answer within ${handshakeTimeoutMs} ms, got none`));
}

function drop(line: Line, link: Link, reason: string): void {
  if (!link.isCurrent()) return;
  const { uniform = uniformSecurely, backOff = defaultBackOff, onEvent } = line.options;
  line.link = null;
  link.cancelTimeout();
  link.socket.close();
  line.attempt += 1;
  const retryInMs = backOffMs(line.attempt, uniform(), backOff);
  line.cancelRetry = line.timers.after(retryInMs, () => dial(line));
  onEvent({ kind: 'down', reason, attempt: line.attempt, retryInMs });
}

function end(line: Line, error: CestaError | null): void {
  if (line.isOver) return;
  const { link } = line;
  line.isOver = true;
  line.cancelRetry();
  line.link = null;
  link?.cancelTimeout();
  link?.socket.close();
  line.options.onEvent({ kind: 'over', error });
}

function receive(line: Line, link: Link, data: string | Uint8Array): void {
  const { onEvent, onMessage, shop, key } = line.options;
  const message = parse(data);
  if (message instanceof CestaError) {
    onEvent({ kind: 'malformed', text: typeof data === 'string' ? data : '', error: message });
    if (link.handshake.stage !== 'up') drop(line, link, message.message);
    return;
  }
  if (message.type === 'error' && isFatal(message.code) && !mayPass(line, link, message.code)) return end(line, new CestaError(message.code, message.message));
  // A task may be over before this participant was ready: that, too, is for the participant to hear.
  if (link.handshake.stage === 'up' || message.type === 'task-over') return onMessage(message);
  awaitAnswer(line, link);
  const [handshake, effects] = shakeHands(link.handshake, message, { shop, key, coordinatorKey: line.coordinatorKey, nonce: link.nonce });
  link.handshake = handshake;
  for (const effect of effects) run(line, link, effect);
}

/**
 * After a loss the name may be held by our own dead connection, when its welcome with the newest token never reached
 * us: the coordinator notices within its heartbeats. A name held by somebody else is held for longer.
 */
function mayPass(line: Line, link: Link, code: ErrorCode): boolean {
  return code === 'node.name-taken' && link.handshake.stage !== 'up' && line.session !== null && line.attempt < attemptsForOwnName;
}

function run(line: Line, link: Link, effect: HandshakeEffect): void {
  switch (effect.kind) {
    case 'post':
      return link.socket.send(JSON.stringify(effect.message));
    case 'learn-key':
      line.coordinatorKey = effect.key;
      return line.options.onEvent({ kind: 'coordinator-key', key: effect.key });
    case 'publish':
      return publish(line, link);
    case 'welcome':
      line.session = effect.session;
      return;
    case 'up':
      return rise(line, link, effect.welcome);
    case 'drop':
      return drop(line, link, effect.reason);
    case 'end':
      return end(line, effect.error);
    default:
      return effect satisfies never;
  }
}

function publish(line: Line, link: Link): void {
  const sending = line.sender.sendProducts(link, line.options.products, (products) => {
    awaitAnswer(line, link);
    link.publishedProducts += products;
  });
  sending.catch((thrown: unknown) => drop(line, link, toCestaError(thrown).message));
}

function rise(line: Line, link: Link, welcome: Welcome): void {
  const isReturn = line.hasBeenUp;
  link.cancelTimeout();
  line.attempt = 0;
  line.hasBeenUp = true;
  line.options.onEvent({ kind: 'up', task: welcome.task, isReturn, publishedProducts: link.publishedProducts });
}

function parse(data: string | Uint8Array): ServerMessage | CestaError {
  if (typeof data !== 'string') return new CestaError('protocol.malformed', `frame: expected text, got ${data.length} bytes`);
  try {
    return parseServerMessage(data);
  } catch (thrown) {
    return toCestaError(thrown);
  }
}
