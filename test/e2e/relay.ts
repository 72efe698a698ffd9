/** Between a browser and its coordinator, as a shop's own server may be: passes everything on, and keeps what the browser sent. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import WebSocket, { WebSocketServer, type RawData } from 'ws';

export interface Relay {
  /** Of the coordinator, through the relay. */
  readonly url: string;
  /** Frames a browser sent: text, or bytes, with the connection they came by. */
  readonly sent: readonly { readonly connection: number; readonly data: string | Uint8Array }[];
  /** Requests by method and address, and how many bytes their bodies had. */
  readonly requests: readonly { readonly line: string; readonly bodyBytes: number }[];
  /** The browser behind the n-th connection hears nothing any more once it has sent a message of this type; resolves then. */
  muteAfter(connection: number, type: string): Promise<void>;
}

export async function startRelay(coordinator: string): Promise<Relay> {
  const sent: Relay['sent'][number][] = [];
  const requests: Relay['requests'][number][] = [];
  let connections = 0;
  const mutes = new Map<string, () => void>();
  /** Whether the browser behind a frame is to be muted. */
  const keep = (frame: Relay['sent'][number]): boolean => {
    sent.push(frame);
    const type = typeof frame.data === 'string' ? (JSON.parse(frame.data) as { type: string }).type : '';
    const mute = mutes.get(`${frame.connection} ${type}`);
    mute?.();
    return mute !== undefined;
  };
  const server = createServer((request, response) => {
    void (async () => {
      const bodyBytes = await countBody(request);
      if (request.method !== 'OPTIONS') requests.push({ line: `${request.method} ${request.url}`, bodyBytes });
      const answer = await fetch(`${coordinator}${request.url}`, { method: request.method ?? 'GET', headers: passedOn(request) });
      response.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([name]) => !['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'keep-alive'].includes(name))));
      response.end(new Uint8Array(await answer.arrayBuffer()));
    })().catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (near, request) => {
    connections += 1;
    pass(near, new WebSocket(`${coordinator.replace('http', 'ws')}${request.url}`), connections, keep);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => {
    for (const socket of sockets.clients) socket.terminate();
    server.close(() => resolve()).closeAllConnections();
  }));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent, requests, muteAfter: (connection, type) => new Promise((resolve) => void mutes.set(`${connection} ${type}`, resolve)) };
}

function pass(near: WebSocket, far: WebSocket, connection: number, keep: (frame: Relay['sent'][number]) => boolean): void {
  let isMuted = false;
  const waiting: [RawData, boolean][] = [];
  near.on('message', (data, isBinary) => {
    if (keep({ connection, data: isBinary ? Uint8Array.from(bytesOf(data)) : new TextDecoder().decode(bytesOf(data)) })) isMuted = true;
    if (far.readyState === WebSocket.OPEN) far.send(data, { binary: isBinary });
    else waiting.push([data, isBinary]);
  });
  far.on('open', () => waiting.forEach(([data, isBinary]) => far.send(data, { binary: isBinary })));
  far.on('message', (data, isBinary) => isMuted || near.send(data, { binary: isBinary }));
  near.on('close', () => far.terminate());
  far.on('close', () => near.close());
  far.on('error', () => near.terminate());
  near.on('error', () => far.terminate());
}

async function countBody(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const piece of request) bytes += (piece as Uint8Array).length;
  return bytes;
}

function passedOn({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(['origin', 'if-none-match', 'access-control-request-method', 'access-control-request-headers'].flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : [])));
}

function bytesOf(data: RawData): Uint8Array {
  return Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data);
}
