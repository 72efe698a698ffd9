import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { serveDemoShop, type DemoShop } from '../../../scripts/demo/shop/serve.ts';

const encoder = new TextEncoder();
const files = [
  { path: 'index.html', bytes: encoder.encode('<!doctype html><html lang="en"><title>shop</title>') },
  { path: 'page.js', bytes: encoder.encode('export {};') },
];

async function upstream(listener: RequestListener): Promise<{ readonly url: URL; readonly server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), server };
}

async function shop(coordinator: URL, shopApi: URL | null = null): Promise<DemoShop> {
  const served = await serveDemoShop({ coordinator, shopApi, port: 0, files });
  onTestFinished(() => served.close());
  return served;
}

describe('the server of the demo shop', () => {
  it('answers every page of the shop with the same document, under a policy without other origins', async () => {
    const { url } = await shop((await upstream(() => undefined)).url);
    for (const path of ['/', '/product/22423', '/product/a%20b', '/list?q=tea', '/basket', '/privacy']) {
      const answer = await fetch(url + path);
      expect([path, answer.status, await answer.text()]).toEqual([path, 200, '<!doctype html><html lang="en"><title>shop</title>']);
      const policy = answer.headers.get('Content-Security-Policy') ?? '';
      expect(policy).toContain("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'");
      expect(policy).not.toMatch(/https?:|unsafe-inline/);
    }
    expect((await fetch(`${url}/page.js`)).headers.get('Content-Type')).toBe('text/javascript; charset=utf-8');
    for (const path of ['/product', '/product/a/b', '/other', '/cestas', '/shop/healthz']) expect([path, (await fetch(url + path)).status]).toEqual([path, 404]);
    expect((await fetch(`${url}/basket`, { method: 'POST' })).status).toBe(404);
  });

  it('passes requests below /cesta on without the prefix, and without what is meant for the next server alone', async () => {
    const seen: { url: string; headers: Record<string, unknown> }[] = [];
    const { url: coordinator } = await upstream((request, response) => {
      seen.push({ url: request.url ?? '', headers: request.headers });
      response.writeHead(200, { ETag: '"v1"', 'Keep-Alive': 'timeout=9', 'X-Once': 'no', Connection: 'keep-alive, X-Once' }).end('model');
    });
    const { url } = await shop(coordinator);
    const answer = await fetch(`${url}/cesta/v1/model?precision=int8`, { headers: { 'If-None-Match': '"v0"', TE: 'trailers' } });
    expect([answer.status, answer.headers.get('ETag'), await answer.text()]).toEqual([200, '"v1"', 'model']);
    expect(answer.headers.get('X-Once')).toBeNull();
    expect(answer.headers.get('Keep-Alive')).not.toBe('timeout=9');
    expect(seen.map((request) => request.url)).toEqual(['/v1/model?precision=int8']);
    expect(seen[0].headers).toMatchObject({ host: coordinator.host, 'if-none-match': '"v0"' });
    expect(seen[0].headers).not.toHaveProperty('te');
  });

  it('reads from the coordinator and writes nothing to it', async () => {
    const seen: string[] = [];
    const { url: coordinator } = await upstream((request, response) => void (seen.push(request.method ?? ''), response.end()));
    const { url } = await shop(coordinator);
    const answer = await fetch(`${url}/cesta/v1/nodes`, { method: 'POST', body: '{}' });
    expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: 'http.not-found' } }]);
    expect(seen).toEqual([]);
  });

  it('passes bodies on to the shop node, and tells the page that there is one', async () => {
    const { url: node } = await upstream((request, response) => {
      const pieces: Uint8Array[] = [];
      request.on('data', (piece: Uint8Array) => pieces.push(piece)).on('end', () => response.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify({ line: `${request.method} ${request.url}`, body: Buffer.concat(pieces).toString() })));
    });
    const { url } = await shop((await upstream(() => undefined)).url, new URL('/storefront/', node));
    const answer = await fetch(`${url}/shop/v1/consents`, { method: 'POST', body: '{"degree":2}' });
    expect([answer.status, await answer.json()]).toEqual([201, { line: 'POST /storefront/v1/consents', body: '{"degree":2}' }]);
    expect(await (await fetch(`${url}/basket`)).text()).toContain('<html data-shop="/shop" lang="en">');
  });

  it('streams: what has come is passed on before the rest is there', async () => {
    let finish = (): void => undefined;
    const { url: coordinator } = await upstream((_request, response) => {
      response.write('first');
      finish = () => void response.end('last');
    });
    const reader = (await fetch(`${(await shop(coordinator)).url}/cesta/v1/model`)).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('first');
    finish();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('last');
  });

  it('passes the WebSocket of rounds on both ways, and no other', async () => {
    const { url: coordinator, server } = await upstream((_request, response) => void response.end());
    new WebSocketServer({ server }).on('connection', (socket, request) => socket.on('message', (data, isBinary) => socket.send(isBinary ? data : `${request.url} ${(data as Buffer).toString()}`, { binary: isBinary })));
    const { url } = await shop(coordinator);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/cesta/v1/rounds/live`);
    const heard: (string | number)[] = [];
    await new Promise<void>((resolve, reject) => {
      socket.on('open', () => (socket.send('hello'), socket.send(new Uint8Array(100_000))));
      socket.on('message', (data, isBinary) => void (heard.push(isBinary ? (data as Buffer).length : (data as Buffer).toString()), heard.length === 2 && resolve()));
      socket.on('error', reject);
    });
    expect(heard).toEqual(['/v1/rounds/live hello', 100_000]);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    for (const path of ['/cesta/v1/other', '/other']) {
      const refused = new WebSocket(url.replace('http', 'ws') + path);
      await new Promise<void>((resolve) => refused.on('error', () => resolve()));
    }
    socket.close();
    await closed;
  });

  it('says with a code that the server behind it does not answer', async () => {
    const { url: coordinator, server } = await upstream(() => undefined);
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    const { url } = await shop(coordinator);
    const answer = await fetch(`${url}/cesta/v1/model`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'network.unreachable' } }]);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/cesta/v1/rounds/live`);
    await new Promise<void>((resolve) => socket.on('error', () => resolve()));
  });

  it('passes a refused upgrade on as what it is', async () => {
    const { url: coordinator } = await upstream((_request, response) => void response.writeHead(426).end());
    const { port } = new URL((await shop(coordinator)).url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /cesta/v1/rounds/live HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n');
    const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    expect(answer).toMatch(/^HTTP\/1\.1 426 /);
    socket.destroy();
  });

  it('takes no server behind TLS for one of this machine', async () => {
    await expect(serveDemoShop({ coordinator: new URL('https://127.0.0.1:1'), shopApi: null, port: 0, files })).rejects.toMatchObject({ code: 'config.invalid' });
  });
});
