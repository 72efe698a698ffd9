/** Sockets of a shop node, over `ws`: with its own heartbeat, since a cut cable says nothing by itself. */
import WebSocket from 'ws';
import { maxFrameBytes } from '../../shared/protocol/messages.ts';
import type { OpenSocket } from '../socket.ts';

const heartbeatMs = 20_000;
/** A coordinator that updates a large model may be deaf for a while: three unanswered pings, a minute. */
const pingsUnanswered = 3;
const closeWithinMs = 2_000;

export const nodeSockets: OpenSocket = (url, handlers) => {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: maxFrameBytes, handshakeTimeout: 10_000 });
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
};

function bytesOf(data: WebSocket.RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function textOf(data: WebSocket.RawData): string {
  return new TextDecoder().decode(bytesOf(data));
}
