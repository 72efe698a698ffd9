/**
 * Serves the storefront bundle and a page to try it, on this machine alone: a server for trials, without TLS. What the page
 * may load and whom it may speak to is fixed by its policy: this server and the coordinator.
 */
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { roundsAddress } from '../../client/coordinator-api.ts';
import { createHttpServer, listen } from '../../server/listen.ts';
import { bundleStorefront, type BundleFile } from './bundle.ts';

const types: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.wasm': 'application/wasm', '.txt': 'text/plain' };

export interface PageServer {
  /** Of the page, with the coordinator in it. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws CestaError `network.port-in-use` */
export async function servePage(coordinator: URL, { port = 0 }: { port?: number } = {}): Promise<PageServer> {
  const { files } = await bundleStorefront({ withPage: true });
  const served = new Map([...files, ...(await pageFiles())].map((file) => [`/${file.path}`, file]));
  const policy = policyFor(coordinator);
  const server = createHttpServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    answer(response, served.get(pathname === '/' ? '/page.html' : pathname), policy);
  });
  const origin = await listen(server, '127.0.0.1', port);
  return {
    url: `${origin}/?coordinator=${encodeURIComponent(coordinator.href)}`,
    close: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
}

function pageFiles(): Promise<BundleFile[]> {
  return Promise.all(['page.html', 'page.css'].map(async (path) => ({ path, bytes: await readFile(new URL(path, import.meta.url)) })));
}

/** Compiling WebAssembly counts as evaluating code; nothing else of that kind is let in. */
function policyFor(coordinator: URL): string {
  const sockets = new URL(roundsAddress(coordinator)).origin;
  return `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; worker-src 'self'; connect-src 'self' ${coordinator.origin} ${sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

function answer(response: ServerResponse, file: BundleFile | undefined, policy: string): void {
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  if (file === undefined) return void response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': types[extname(file.path)] ?? 'application/octet-stream' }).end(file.bytes);
}
