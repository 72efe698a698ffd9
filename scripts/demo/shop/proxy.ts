/**
 * Passes part of a site on to another server of this machine, as a shop's own web server does: requests and answers as streams,
 * WebSockets byte by byte. It checks nothing of what it passes on: who may ask for what is for the server behind it to say.
 */
import { request as open, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody, statusOf } from '../../../shared/protocol/error-table.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';

export interface Proxy {
  readonly methods: readonly string[];
  /** The path below the prefix, with the query, as the other server knows it. */
  readonly pathOf: (url: string) => string | null;
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Only where `upgrades` says so. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface ProxyOptions {
  /** Such as `/cesta`. */
  readonly prefix: string;
  readonly target: URL;
  readonly methods: readonly string[];
  /** Path below the prefix whose WebSockets are passed on. */
  readonly upgrades?: string;
}

/** @throws CestaError `config.invalid` */
export function createProxy({ prefix, target, methods, upgrades }: ProxyOptions): Proxy {
  if (target.protocol !== 'http:') throw new CestaError('config.invalid', `${prefix}: expected an http: address, got ${target.href}`);
  const base = target.pathname.replace(/\/+$/, '');
  const pathOf = (url: string): string | null => (url.startsWith(`${prefix}/`) ? base + url.slice(prefix.length) : null);
  const optionsOf = ({ method, headers, url = '' }: IncomingMessage, extra: Record<string, string> = {}): RequestOptions => ({
    hostname: target.hostname.replace(/^\[(.*)\]$/, '$1'), port: target.port, method, path: pathOf(url), headers: { ...endToEnd(headers), host: target.host, ...extra },
  });
  return {
    methods,
    pathOf,
    answer(request, response) {
      const onward = open(optionsOf(request), (answer) => {
        response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
        answer.on('error', () => response.destroy()).pipe(response);
      });
      onward.on('error', (cause) => answerError(response, new CestaError('network.unreachable', `${prefix}: expected an answer of ${target.origin}, got ${cause.message}`, { cause })));
      // A visitor who goes away in the middle of a download is waited for by nobody.
      response.on('close', () => onward.destroy());
      request.on('error', () => onward.destroy()).pipe(onward);
    },
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      if (upgrades === undefined || pathOf(request.url ?? '') !== base + upgrades) return void socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      const onward = open(optionsOf(request, { connection: 'Upgrade', upgrade: 'websocket' }));
      onward.on('upgrade', (answer, far, farHead) => {
        socket.write(headOf(answer));
        far.write(head);
        socket.write(farHead);
        far.on('error', () => socket.destroy()).on('close', () => socket.destroy());
        socket.on('close', () => far.destroy());
        far.pipe(socket).pipe(far);
      });
      // Refused: the answer is short, and nothing follows it.
      onward.on('response', (answer) => {
        answer.resume();
        socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\n\r\n`);
      });
      onward.on('error', () => socket.destroy());
      onward.end();
    },
  };
}

/** Without what is meant for the next server alone (RFC 9110, section 7.6.1). */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').toLowerCase().split(',').map((name) => name.trim());
  const dropped = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', ...named]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}

/** Of an answer to an upgrade, as it came. */
function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
  return [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, '', ''].join('\r\n');
}

export function answerError(response: ServerResponse, error: CestaError): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(statusOf(error), { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Connection: 'close' }).end(JSON.stringify({ error: errorBody(error) }));
}
