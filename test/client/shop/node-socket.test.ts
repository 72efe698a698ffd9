import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { nodeSockets } from '../../../client/shop/node-socket.ts';
import type { Socket } from '../../../client/socket.ts';
import { until } from '../fakes.ts';

const servers: WebSocketServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});

async function listen(): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  servers.push(server);
  await once(server, 'listening');
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface Heard {
  readonly log: (string | Uint8Array)[];
  readonly socket: Socket;
}

function connect(url: string): Heard {
  const log: (string | Uint8Array)[] = [];
  const socket = nodeSockets(url, {
    onOpen: () => void log.push('open'),
    onMessage: (data) => void log.push(data),
    onClose: (reason) => void log.push(`closed: ${reason}`),
  });
  return { log, socket };
}

async function connected(): Promise<Heard & { peer: WebSocket }> {
  const { server, url } = await listen();
  const heard = connect(url);
  const [peer] = (await once(server, 'connection')) as [WebSocket];
  await until(() => heard.log.length > 0);
  return { ...heard, peer };
}

describe('a socket of a shop node', () => {
  it('carries text as text and bytes as bytes, both ways', async () => {
    const { log, socket, peer } = await connected();
    const received: [string, boolean][] = [];
    peer.on('message', (data: Buffer, isBinary) => received.push([data.toString('hex'), isBinary]));
    socket.send('é');
    socket.send(Uint8Array.of(1, 2, 3));
    peer.send('ü');
    peer.send(Uint8Array.of(4, 5));
    await until(() => received.length === 2 && log.length === 3);
    expect(received).toEqual([['c3a9', false], ['010203', true]]);
    expect(log[1]).toBe('ü');
    expect([...(log[2] as Uint8Array)]).toEqual([4, 5]);
  });

  it('reports the coordinator\'s reason when it closes, once', async () => {
    const { log, peer } = await connected();
    peer.close(1001, 'the coordinator is stopping');
    await until(() => log.length === 2);
    expect(log).toEqual(['open', 'closed: the coordinator is stopping (code 1001)']);
  });

  it('reports a cut connection', async () => {
    const { log, peer } = await connected();
    peer.terminate();
    await until(() => log.length === 2);
    expect(log[1]).toBe('closed: closed with code 1006');
  });

  it('reports a refused connection as closed', async () => {
    const { server, url } = await listen();
    server.close();
    const { log } = connect(url);
    await until(() => log.length === 1);
    expect(log[0]).toMatch(/^closed: .*(ECONNREFUSED|refused)/);
  });

  it('closes by itself when the other side sends more than a frame may hold', async () => {
    const { log, peer } = await connected();
    peer.send(new Uint8Array((1 << 20) + 1));
    await until(() => log.length === 2);
    expect(log[1]).toMatch(/^closed: Max payload size exceeded/);
  });

  it('says goodbye when it is closed, before it is open too', async () => {
    const { log, socket, peer } = await connected();
    socket.close();
    await once(peer, 'close');
    await until(() => log.length === 2);
    expect(log[1]).toBe('closed: closed with code 1005');
    const { url } = await listen();
    const early = connect(url);
    early.socket.close();
    await until(() => early.log.length === 1);
    expect(early.log[0]).toMatch(/^closed: /);
  });
});
