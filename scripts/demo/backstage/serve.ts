/**
 * Serves the backstage on this machine: one page, what it shows, and buttons that start processes. Whoever asks must have the
 * page: its random token, its origin, and an address of this machine as the host, so that no other site's page can press them.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createHttpServer, listen } from '../../../server/listen.ts';
import { bundleForBrowsers, type WebFile } from '../../../server/web/bundle.ts';
import { answerFile, pagePolicy } from '../../../server/web/serve-files.ts';
import { CestaError, toCestaError } from '../../../shared/protocol/errors.ts';
import { answerError } from '../shop/proxy.ts';
import type { BackstageState } from './state.ts';

/** What the buttons do. Whatever one throws is answered. */
export interface BackstageActions {
  readonly addMaliciousShop: () => void;
  readonly removeMaliciousShop: () => Promise<void>;
  readonly startComparison: () => void;
  readonly startAttackersView: () => void;
}

export interface BackstageOptions {
  /** 0 picks one. */
  readonly port: number;
  readonly state: () => BackstageState;
  readonly actions: BackstageActions;
}

export interface Backstage {
  readonly url: string;
  close(): Promise<void>;
}

/** In which the page finds its token, and sends it back. */
export const tokenHeader = 'x-backstage-token';

/** @throws CestaError `network.port-in-use` */
export async function serveBackstage({ port, state, actions }: BackstageOptions): Promise<Backstage> {
  const token = randomBytes(32).toString('hex');
  const served = await pageFiles(token);
  const policy = pagePolicy();
  const routes: Readonly<Record<string, () => void | Promise<void>>> = {
    'POST /api/malicious-shop': actions.addMaliciousShop,
    'DELETE /api/malicious-shop': actions.removeMaliciousShop,
    'POST /api/comparison': actions.startComparison,
    'POST /api/attackers-view': actions.startAttackersView,
  };
  let origin = '';
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    if (`http://${request.headers.host}` !== origin) throw new CestaError('backstage.unauthorised', `host: expected ${origin}, got another`);
    const { pathname } = new URL(url, origin);
    if (!pathname.startsWith('/api/')) return answerFile(response, method === 'GET' || method === 'HEAD' ? served.get(pathname) : undefined, policy);
    requirePage(request, token, origin);
    const route = `${method} ${pathname}`;
    if (route !== 'GET /api/state') {
      if (!Object.hasOwn(routes, route)) throw new CestaError('http.not-found', `${route}: nothing is served here`);
      await routes[route]();
    }
    const body = JSON.stringify(state());
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }).end(body);
  }
  const server = createHttpServer((request, response) => {
    // No button has a body; one that comes is read and forgotten.
    request.resume();
    answer(request, response).catch((thrown: unknown) => answerError(response, toCestaError(thrown)));
  });
  origin = await listen(server, '127.0.0.1', port);
  return { url: `${origin}/`, close: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()) };
}

/** @throws CestaError `backstage.unauthorised` */
function requirePage({ headers, method }: IncomingMessage, token: string, origin: string): void {
  const given = Buffer.from(String(headers[tokenHeader] ?? ''));
  const expected = Buffer.from(token);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new CestaError('backstage.unauthorised', `${tokenHeader}: expected the token of the page, got another`);
  // Browsers name the origin of whatever changes something.
  if (method !== 'GET' && headers.origin !== origin) throw new CestaError('backstage.unauthorised', `origin: expected ${origin}, got ${headers.origin ?? 'none'}`);
}

async function pageFiles(token: string): Promise<ReadonlyMap<string, WebFile>> {
  const { files } = await bundleForBrowsers({ backstage: 'scripts/demo/backstage/page/main.tsx' });
  const read = (path: string): Promise<string> => readFile(new URL(`page/${path}`, import.meta.url), 'utf8');
  const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
  const index = { path: 'index.html', bytes: bytesOf((await read('index.html')).replace('{{token}}', token)) };
  // That of the dashboard, and what is different here.
  const shared = { path: 'style.css', bytes: await readFile(new URL('../../../server/dashboard/page/style.css', import.meta.url)) };
  const own = { path: 'backstage.css', bytes: bytesOf(await read('backstage.css')) };
  return new Map([...[...files, shared, own, index].map((file): [string, WebFile] => [`/${file.path}`, file]), ['/', index]]);
}
