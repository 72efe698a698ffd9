/**
 * Serves the demo's shop on this machine: its pages, and behind the same origin the coordinator's public documents and rounds
 * (`/cesta`) and the shop node's API for storefronts (`/shop`). A storefront of one's own needs no more: two paths passed on.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createHttpServer, listen } from '../../../server/listen.ts';
import type { WebFile } from '../../../server/web/bundle.ts';
import { answerFile, pagePolicy } from '../../../server/web/serve-files.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { roundsPath } from '../../../shared/protocol/messages.ts';
import { demoShopFiles } from './files.ts';
import { answerError, createProxy, type Proxy } from './proxy.ts';

export interface DemoShopOptions {
  readonly coordinator: URL;
  /** A shop node's API for storefronts; null where there is none: consent is then kept without a receipt. */
  readonly shopApi: URL | null;
  /** 0 picks one. */
  readonly port: number;
  /** What `demoShopFiles` made, where it is served more than once. */
  readonly files?: readonly WebFile[];
}

export interface DemoShop {
  readonly url: string;
  close(): Promise<void>;
}

/** Its own origin alone. The page trains in WebAssembly where a model is of tensors. */
const policy = pagePolicy({ wasm: true });

/** Addresses of the pages; what is on them is decided in the browser. */
const pagePaths = /^\/(?:|product\/[^/]+|list|basket|privacy)$/;

/** @throws CestaError `network.port-in-use`, `config.invalid` */
export async function serveDemoShop({ coordinator, shopApi, port, files }: DemoShopOptions): Promise<DemoShop> {
  const proxies = [
    createProxy({ prefix: '/cesta', target: coordinator, methods: ['GET', 'HEAD'], upgrades: roundsPath }),
    ...(shopApi === null ? [] : [createProxy({ prefix: '/shop', target: shopApi, methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] })]),
  ];
  const served = servedFiles(files ?? (await demoShopFiles()), shopApi !== null);
  const proxyOf = ({ url = '' }: IncomingMessage): Proxy | undefined => proxies.find(({ pathOf }) => pathOf(url) !== null);
  const server = createHttpServer((request, response) => {
    const proxy = proxyOf(request);
    if (proxy === undefined) return answerPage(request, response, served);
    if (proxy.methods.includes(request.method ?? '')) return proxy.answer(request, response);
    answerError(response, new CestaError('http.not-found', `${request.method} ${request.url}: nothing is served here`));
  });
  // Out of the server's hands, and closed by nobody else.
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    const proxy = proxyOf(request);
    if (proxy === undefined) return void socket.destroy();
    upgraded.add(socket);
    socket.on('close', () => upgraded.delete(socket));
    proxy.upgrade(request, socket, head);
  });
  const url = await listen(server, '127.0.0.1', port);
  return {
    url,
    close: () => new Promise((resolve) => {
      for (const socket of upgraded) socket.destroy();
      server.close(() => resolve()).closeAllConnections();
    }),
  };
}

/** By path. The page is told whether there is a shop node behind it. */
function servedFiles(files: readonly WebFile[], hasShop: boolean): ReadonlyMap<string, WebFile> {
  const served = new Map(files.map((file) => [`/${file.path}`, file]));
  const index = served.get('/index.html');
  if (index !== undefined && hasShop) served.set('/index.html', { ...index, bytes: new TextEncoder().encode(new TextDecoder().decode(index.bytes).replace('<html', '<html data-shop="/shop"')) });
  return served;
}

function answerPage(request: IncomingMessage, response: ServerResponse, served: ReadonlyMap<string, WebFile>): void {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  answerFile(response, isRead ? served.get(pagePaths.test(pathname) ? '/index.html' : pathname) : undefined, policy);
}
