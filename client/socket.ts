/**
 * What a connection needs of a WebSocket, so that the same code runs over `ws` in Node and over the browser's
 * own. Sockets report through handlers given at birth: nothing can arrive before somebody listens.
 */

export interface SocketHandlers {
  onOpen(): void;
  onMessage(data: string | Uint8Array): void;
  /** Called once, for a refused connection too; nothing is called after it. */
  onClose(reason: string): void;
}

export interface Socket {
  /** Bytes handed to `send` and not yet on the network. */
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
  close(): void;
}

export type OpenSocket = (url: string, handlers: SocketHandlers) => Socket;

/** Timers as an argument. The returned function cancels; cancelling twice, or too late, does nothing. */
export interface Timers {
  after(ms: number, work: () => void): () => void;
}

export const systemTimers: Timers = {
  after(ms, work) {
    const handle = setTimeout(work, ms);
    return () => clearTimeout(handle);
  },
};

/** Sockets of the platform: browsers, and Node from version 22. */
export const platformSockets: OpenSocket = (url, handlers) => {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => handlers.onOpen();
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => handlers.onMessage(typeof data === 'string' ? data : new Uint8Array(data));
  socket.onclose = ({ code, reason }) => handlers.onClose(reason === '' ? `closed with code ${code}` : reason);
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (data) => socket.send(typeof data === 'string' ? data : Uint8Array.from(data)),
    close: () => socket.close(),
  };
};
