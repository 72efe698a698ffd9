/**
 * The coordinator's gateway without sockets: connections, sessions and frames are its own code; a frame takes its time in virtual
 * time instead of a network. What a network may do to frames is not simulated: they arrive whole and in order.
 */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import type { OpenSocket, SocketHandlers } from '../../../client/socket.ts';
import { openConnection, type Connection } from '../../../server/gateway/connection.ts';
import { defaultGatewayLimits, type GatewayContext } from '../../../server/gateway/context.ts';
import { createLink, type Link, type LinkSocket } from '../../../server/gateway/link.ts';
import { createSessions } from '../../../server/gateway/sessions.ts';
import type { Gateway } from '../../../server/gateway.ts';
import type { Meter } from '../../../server/meter.ts';
import type { SigningKey } from '../../../shared/ledger/signing-key.ts';
import { connectStatement } from '../../../shared/protocol/messages.ts';
import type { VirtualTime } from '../../../shared/simulation/virtual-time.ts';
import type { RealWork } from './real-work.ts';

/** From one end to the other, in milliseconds: half a round trip on a mobile network. */
const hopMs = 25;

export interface MemoryGateway extends Pick<Gateway, 'send' | 'refuse'> {
  /** What participants connect by. */
  readonly openSocket: OpenSocket;
}

export interface MemoryGatewayOptions extends Pick<GatewayContext, 'task' | 'events' | 'pinNode'> {
  readonly key: SigningKey;
  readonly time: VirtualTime;
  readonly work: RealWork;
  readonly meter: Meter;
}

interface Network {
  readonly time: VirtualTime;
  readonly work: RealWork;
  readonly context: GatewayContext & { readonly meter: Meter };
  readonly connections: Map<Link, Connection>;
}

export const silentLogger = pino({ level: 'silent' });

export function openMemoryGateway({ key, time, work, ...options }: MemoryGatewayOptions): MemoryGateway {
  const context = {
    ...options, clock: time, logger: silentLogger, limits: defaultGatewayLimits, coordinatorKey: key.publicKey,
    proveKey: (nonce: string, shop: string) => key.sign(connectStatement('coordinator', nonce, shop, key.publicKey)),
    sessions: createSessions(() => randomBytes(16).toString('hex')),
    newNonce: () => randomBytes(32).toString('hex'),
    // The catalogue is known, and members need no certificate.
    room: { expects: () => false, publish: () => undefined, forget: () => undefined },
    admission: { greet: () => undefined, verify: () => Promise.resolve(), enter: () => undefined, left: () => undefined },
  };
  const network: Network = { time, work, context, connections: new Map() };
  return {
    openSocket: (_url, handlers) => connect(network, handlers),
    send: (participant, message) => context.sessions.linkOf(participant)?.send(message) ?? false,
    refuse(participant, error) {
      const link = context.sessions.linkOf(participant);
      if (link !== null) network.connections.get(link)?.penalise(error);
    },
  };
}

/** Both ends of one connection. */
function connect({ time, work, context, connections }: Network, handlers: SocketHandlers): ReturnType<OpenSocket> {
  const post = (action: () => void): void => {
    work.touch();
    time.after(hopMs, action);
  };
  let isOpen = true;
  // Every frame of a stranger is answered, once its signature is checked in another thread.
  let answered = (): void => undefined;
  const hangUp = (reason: string): void => {
    if (!isOpen) return;
    isOpen = false;
    answered();
    connection.closed();
    connections.delete(link);
    post(() => handlers.onClose(reason));
  };
  const socket: LinkSocket = {
    get readyState() {
      return isOpen ? WebSocket.OPEN : WebSocket.CLOSED;
    },
    bufferedAmount: 0,
    send(bytes) {
      answered();
      post(() => handlers.onMessage(bytes.toString()));
    },
    close: (_status, reason) => hangUp(reason),
    terminate: () => hangUp('cut off'),
  };
  const link = createLink(socket, context.limits.maxBufferedBytes, context.meter);
  const connection = openConnection(context, link);
  connections.set(link, connection);
  const receive = (frame: Uint8Array, isBinary: boolean): void => {
    context.meter.bytes('websocket', 'up', frame.length);
    if (!connection.isKnown) answered = work.begin();
    connection.receive(frame, isBinary);
  };
  post(() => handlers.onOpen());
  return {
    bufferedAmount: 0,
    send: (data) => post(() => isOpen && receive(typeof data === 'string' ? new TextEncoder().encode(data) : data, typeof data !== 'string')),
    close: () => post(() => hangUp('closed by the participant')),
  };
}
