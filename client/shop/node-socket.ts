/** Sockets of a shop node, over `ws`: with its own heartbeat, since a cut cable says nothing by itself. */
import WebSocket from 'ws';
import { maxFrameBytes } from '../../shared/protocol/messages.ts';
import type { OpenSocket, Socket, SocketHandlers } from '../socket.ts';
import { requireTlsPair, type ClientTls } from './tls.ts';

const heartbeatMs = 20_000;
/** A coordinator that updates a large model may be deaf for a while: three unanswered pings, a minute. */
const pingsUnanswered = 3;
const closeWithinMs = 2_000;

/** Sockets with the system's authorities and no certificate of our own. */
export const nodeSockets: OpenSocket = (url, handlers) => openNodeSocket(url, handlers, {});

/** Sockets with these credentials. @throws CestaError `config.invalid` for half a pair */
export function tlsSockets(tls: ClientTls): OpenSocket {
  requireTlsPair(tls);
  return (url, handlers) => openNodeSocket(url, handlers, tls);
}

function openNodeSocket(url: string, handlers: SocketHandlers, tls: ClientTls): Socket {
  const socket = new WebSocket(url, { ...tls, perMessageDeflate: false, maxPayload: maxFrameBytes, handshakeTimeout: 10_000 });
  let failure = '';
  let unanswered = 0;
  const heartbeat = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (unanswered >= pingsUnanswered) return socket.terminate();
    unanswered += 1;
    socket.ping();
  }, heartbeatMs);
  socket.on('open', () => handlers.onOpen());
  socket.on('message', (data, isBinary) => handlers.onMessage(isBinary ? bytesOf(data) : textOf(data)));
  socket.on('pong', () => (unanswered = 0));
  // `close` follows every error, and is what is reported.
  socket.on('error', (error) => (failure = error.message === '' ? 'connection refused' : error.message));
  socket.on('close', (code, reason) => {
    clearInterval(heartbeat);
    handlers.onClose(failure !== '' ? failure : reason.length > 0 ? `${reason.toString()} (code ${code})` : `closed with code ${code}`);
  });
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (data) => socket.send(data),
    close() {
      socket.close();
      // The farewell may never be answered; unref: it must not keep a process alive that is done.
      setTimeout(() => socket.terminate(), closeWithinMs).unref();
    },
  };
}

function bytesOf(data: WebSocket.RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function textOf(data: WebSocket.RawData): string {
  return new TextDecoder().decode(bytesOf(data));
}
