/**
 * Serves the storefront bundle and a page to try it, on this machine alone: a server for trials, without TLS. What the page
 * may load and whom it may speak to is fixed by its policy: this server and the coordinator.
 */
import { readFile } from 'node:fs/promises';
import { roundsAddress } from '../../client/coordinator-api.ts';
import { createHttpServer, listen } from '../../server/listen.ts';
import type { WebFile } from '../../server/web/bundle.ts';
import { answerFile, pagePolicy } from '../../server/web/serve-files.ts';
import { bundleStorefront } from './bundle.ts';

export interface PageServer {
  /** Of the page, with the coordinator in it. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws CestaError `network.port-in-use` */
export async function servePage(coordinator: URL, { port = 0 }: { port?: number } = {}): Promise<PageServer> {
  const { files } = await bundleStorefront({ withPage: true });
  const served = new Map([...files, ...(await pageFiles())].map((file) => [`/${file.path}`, file]));
  const policy = pagePolicy({ connect: [coordinator.origin, new URL(roundsAddress(coordinator)).origin], wasm: true });
  const server = createHttpServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    answerFile(response, served.get(pathname === '/' ? '/page.html' : pathname), policy);
  });
  const origin = await listen(server, '127.0.0.1', port);
  return {
    url: `${origin}/?coordinator=${encodeURIComponent(coordinator.href)}`,
    close: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
}

function pageFiles(): Promise<WebFile[]> {
  return Promise.all(['page.html', 'page.css'].map(async (path) => ({ path, bytes: await readFile(new URL(path, import.meta.url)) })));
}
