/**
 * The WebSocket side of the coordinator, on the same server as its HTTP side. It knows connections and frames;
 * what they mean to a round is told to `events` and comes back through `send`.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import { maxFrameBytes, type ServerMessage, roundsPath } from '../shared/protocol/messages.ts';
import type { Clock } from './clock.ts';
import { openConnection, type Connection } from './gateway/connection.ts';
import type { GatewayContext } from './gateway/context.ts';
import { createLink, type Link } from './gateway/link.ts';
import { createSessions } from './gateway/sessions.ts';
import { noMeter, type Meter } from './meter.ts';

export interface Gateway {
  /** Whether the participant is connected and the message was handed to its socket. */
  send(participant: string, message: ServerMessage): boolean;
  /** Answers a participant's last frame with a coded error, and counts it against the connection. */
  refuse(participant: string, error: CestaError): void;
  /** Participants that may be invited, by the time they connected. */
  ready(): string[];
  /** Takes no more connections and closes those there are; whoever does not answer within the grace is cut off. */
  close(graceMs: number): Promise<void>;
}

/** What whoever decides about admission can do, and the rounds need not. */
export interface GuardedGateway extends Gateway {
  /** Sockets that are open, whoever is behind them. */
  readonly connections: number;
  /** Takes no more connections; those there are stay. */
  drain(): void;
  /** Ends the connection of a participant, and says why. */
  expel(participant: string, error: CestaError): void;
  /** Participants with a live connection, ready or not. */
  connected(): string[];
}

export interface GatewayOptions extends Omit<GatewayContext, 'sessions' | 'newNonce'> {
  /** Charges an address for a connection, before anything is read of it. @throws CestaError `limit.rate` */
  readonly chargeConnect: (request: IncomingMessage) => void;
}

const framing = {
  maxPayload: maxFrameBytes,
  perMessageDeflate: false,
  /** Of a peer that pings and does not read: beyond, it is cut off. */
  maxPendingAutoPongs: 60,
  /** How long whoever is being closed may take to answer, in milliseconds. */
  closeTimeout: 5_000,
  /** Pieces of one message, and pieces in which one frame arrives: each costs more memory than its bytes. */
  maxFragments: 64,
  maxBufferedChunks: 8_192,
} as const;

/** Sockets beside the WebSockets: requests, and strangers who are about to be refused. Files need descriptors, too. */
const otherSockets = 1_024;

/** Pings in a row that may stay unanswered: one may be lost to a pause of this process. */
const pingsUnanswered = 2;

interface Peer {
  readonly socket: WebSocket;
  readonly connection: Connection;
  unanswered: number;
}

export function attachGateway(server: Server, options: GatewayOptions): GuardedGateway {
  const { limits, clock, logger, meter = noMeter } = options;
  const context: GatewayContext = { ...options, sessions: createSessions(() => randomBytes(16).toString('hex')), newNonce: () => randomBytes(32).toString('hex') };
  const sockets = new WebSocketServer({ ...framing, noServer: true, clientTracking: false });
  const peers = new Map<Link, Peer>();
  let closing = false;
  let onEmpty: () => void = () => undefined;

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', (error) => logger.debug({ err: error }, 'socket failed before the upgrade'));
    const refusal = refusalOf(options, request, { closing, connections: peers.size });
    if (refusal === null) return sockets.handleUpgrade(request, socket, head, (webSocket) => watchStranger(socket, greet(webSocket), limits.maxStrangerBytes));
    meter.refused('websocket', refusal.code);
    refuseUpgrade(socket, refusal.status);
  };

  function greet(socket: WebSocket): Peer {
    const link = createLink(socket, limits.maxBufferedBytes, meter);
    // Every line about a connection carries its id, also before anybody knows whose it is.
    const log = logger.child({ connectionId: randomUUID() });
    const peer: Peer = { socket, connection: openConnection({ ...context, logger: log }, link), unanswered: 0 };
    peers.set(link, peer);
    attend(peer, { meter, logger: log }, () => {
      peers.delete(link);
      if (peers.size === 0) onEmpty();
    });
    return peer;
  }

  function connectionOf(participant: string): Connection | undefined {
    const link = context.sessions.linkOf(participant);
    return link === null ? undefined : peers.get(link)?.connection;
  }

  const stopHeartbeat = startHeartbeat(peers, clock, limits.heartbeatMs);
  server.maxConnections = limits.maxConnections + otherSockets;
  server.on('upgrade', onUpgrade);
  return {
    send: (participant, message) => context.sessions.linkOf(participant)?.send(message) ?? false,
    refuse: (participant, error) => connectionOf(participant)?.penalise(error),
    expel: (participant, error) => connectionOf(participant)?.violated(error),
    ready: () => context.sessions.ready(),
    connected: () => context.sessions.connected(),
    get connections() {
      return peers.size;
    },
    drain: () => void (closing = true),
    async close(graceMs) {
      closing = true;
      stopHeartbeat();
      for (const link of peers.keys()) link.close(1001, 'the coordinator is stopping');
      const cancelGrace = clock.after(graceMs, () => {
        for (const link of peers.keys()) link.terminate();
      });
      if (peers.size > 0) await new Promise<void>((resolve) => void (onEmpty = resolve));
      cancelGrace();
    },
  };
}

/** Whole frames may be large: what strangers send is bounded before there is one. */
function watchStranger(raw: Duplex, { socket, connection }: Peer, maxBytes: number): void {
  let bytes = 0;
  const count = (data: Buffer): void => {
    if (connection.isKnown) return void raw.off('data', count);
    bytes += data.length;
    if (bytes <= maxBytes) return;
    raw.off('data', count);
    connection.violated(new CestaError('protocol.too-large', `handshake: expected at most ${maxBytes} bytes before the proof, got more`));
    // Nothing more is taken in while the refusal is on its way.
    socket.pause();
  };
  raw.on('data', count);
}

/** Hears the socket of a peer until it is closed. */
function attend(peer: Peer, { meter, logger }: { meter: Meter; logger: Logger }, onGone: () => void): void {
  const { socket, connection } = peer;
  const isAlive = (): void => void (peer.unanswered = 0);
  logger.debug('connection opens');
  socket.on('pong', isAlive);
  socket.on('message', (data, isBinary) => {
    isAlive();
    const frame = bytesOf(data);
    meter.bytes('websocket', 'up', frame.length);
    connection.receive(frame, isBinary);
  });
  socket.on('error', (error) => {
    // ws closes with the status for the fault and waits for the peer's answer; the round need not wait for it.
    if (!tellViolation(connection, error)) logger.info({ err: error.message }, 'connection failed');
  });
  socket.on('close', (status) => {
    logger.debug({ status }, 'connection closes');
    connection.closed();
    onGone();
  });
}

function refusalOf(options: GatewayOptions, request: IncomingMessage, { closing, connections }: { closing: boolean; connections: number }): { readonly code: ErrorCode; readonly status: string } | null {
  if (pathOf(request) !== roundsPath) return { code: 'http.not-found', status: '404 Not Found' };
  if (closing) return { code: 'coordinator.draining', status: '503 Service Unavailable' };
  if (connections >= options.limits.maxConnections) return { code: 'limit.rate', status: '503 Service Unavailable' };
  return mayConnect(options, request) ? null : { code: 'limit.rate', status: '429 Too Many Requests' };
}

function mayConnect({ chargeConnect, logger }: GatewayOptions, request: IncomingMessage): boolean {
  try {
    chargeConnect(request);
    return true;
  } catch (error) {
    logger.info({ reason: toCestaError(error).message }, 'connection refused');
    return false;
  }
}

/** Pings everybody and cuts off who is silent: a half-open connection would hold its shop's name and its round. */
function startHeartbeat(peers: ReadonlyMap<Link, Peer>, clock: Clock, heartbeatMs: number): () => void {
  let cancel = clock.after(heartbeatMs, beat);
  function beat(): void {
    for (const peer of peers.values()) {
      if (peer.unanswered >= pingsUnanswered) {
        peer.socket.terminate();
        continue;
      }
      peer.unanswered += 1;
      peer.socket.ping(undefined, undefined, () => undefined);
    }
    cancel = clock.after(heartbeatMs, beat);
  }
  return () => cancel();
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0];
}

/** @returns false when the network failed and nobody is at fault */
function tellViolation(connection: Connection, error: Error): boolean {
  const violation = violationOf(error);
  if (violation !== null) connection.violated(violation);
  return violation !== null;
}

/** What the peer did against the framing of WebSockets, or null when the network failed. */
function violationOf(error: Error): CestaError | null {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return new CestaError('protocol.too-large', `frame: expected at most ${maxFrameBytes} bytes, got more`, { cause: error });
  return code.startsWith('WS_ERR_') ? new CestaError('protocol.malformed', `frame: ${error.message}`, { cause: error }) : null;
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** A plain view: `slice` of a Buffer would not copy, and parsers rely on it. */
function bytesOf(data: RawData): Uint8Array {
  const buffer = Array.isArray(data) ? Buffer.concat(data) : data;
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
