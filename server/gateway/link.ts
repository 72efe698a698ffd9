/**
 * One WebSocket as the coordinator writes to it. Sending never throws and never piles up: a reader that falls
 * behind by more than the limit is cut off, since its unread frames would fill the memory of the others' coordinator.
 */
import { WebSocket } from 'ws';
import { errorBody } from '../../shared/protocol/error-table.ts';
import { type CestaError } from '../../shared/protocol/errors.ts';
import type { ServerMessage } from '../../shared/protocol/messages.ts';
import { publicMessage } from '../disclosure.ts';
import { noMeter, type Meter } from '../meter.ts';

export interface Link {
  /** Whether the message was handed to a socket that is open. */
  send(message: ServerMessage): boolean;
  /** Answers a frame with a coded error. */
  refuse(error: CestaError): void;
  /** Closes with RFC 6455 status 1008 (policy violation), after the error that says why. */
  expel(error: CestaError): void;
  /** Closes in good order. */
  close(status: number, reason: string): void;
  /** Cuts the connection at once: for peers that no longer answer. */
  terminate(): void;
}

/** What is used of a socket of `ws`. */
export interface LinkSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(bytes: Buffer, options: { readonly binary: boolean }, sent: () => void): void;
  close(status: number, reason: string): void;
  terminate(): void;
}

/** A peer's mistake is quoted back to it, but not at any length. */
const longestMessage = 600;

export function createLink(socket: LinkSocket, maxBufferedBytes: number, meter: Meter = noMeter): Link {
  const send = (message: ServerMessage): boolean => {
    if (socket.readyState !== WebSocket.OPEN) return false;
    if (socket.bufferedAmount > maxBufferedBytes) {
      socket.terminate();
      return false;
    }
    // The callback takes the error of a socket that closes meanwhile; its `close` event tells the rest.
    const bytes = bytesOf(message);
    meter.bytes('websocket', 'down', bytes.length);
    socket.send(bytes, { binary: false }, () => undefined);
    return true;
  };
  const refuse = (error: CestaError): void => {
    const { code, hint } = errorBody(error);
    meter.refused('websocket', code);
    send({ type: 'error', code, message: shorten(publicMessage(error)), hint });
  };
  return {
    send,
    refuse,
    expel(error) {
      refuse(error);
      if (socket.readyState === WebSocket.OPEN) socket.close(1008, error.code);
    },
    close: (status, reason) => socket.close(status, reason),
    terminate: () => socket.terminate(),
  };
}

/** What is told to many is written once. */
const written = new WeakMap<ServerMessage, Buffer>();

function bytesOf(message: ServerMessage): Buffer {
  let bytes = written.get(message);
  if (bytes === undefined) {
    bytes = Buffer.from(JSON.stringify(message));
    written.set(message, bytes);
  }
  return bytes;
}

function shorten(text: string): string {
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage)}...`;
}
