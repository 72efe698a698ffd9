/**
 * TLS towards a coordinator whose certificate a private authority signed, or that asks for one of ours (mutual TLS). Node's
 * own `fetch` takes neither, so requests go over `https` here.
 */
import { request } from 'node:https';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Fetch } from '../http.ts';

/** PEM texts. */
export interface ClientTls {
  /** Authorities to trust instead of the system's. */
  readonly ca?: string;
  /** What this side shows, if it is asked to. */
  readonly cert?: string;
  readonly key?: string;
}

/** The largest answer that is taken: a release or a catalogue. */
const maxAnswerBytes = 1 << 30;

/** @throws CestaError `config.invalid` for half a pair */
export function requireTlsPair({ cert, key }: ClientTls): void {
  if ((cert === undefined) !== (key === undefined)) throw new CestaError('config.invalid', 'tls: expected a certificate and its key, got one of them');
}

/** `fetch` over these credentials; http: addresses are the platform's business. */
export function tlsFetch(tls: ClientTls): Fetch {
  requireTlsPair(tls);
  return (url, init = {}) => (url.startsWith('https:') ? fetchOverTls(tls, url, init) : globalThis.fetch(url, init));
}

function fetchOverTls(tls: ClientTls, url: string, { method = 'GET', body, headers = {}, signal }: NonNullable<Parameters<Fetch>[1]>): Promise<Response> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const outgoing = request(url, { ...tls, method, headers: { ...headers, ...length }, agent: false, ...(signal === undefined ? {} : { signal }) }, (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) incoming.destroy(new Error(`expected at most ${maxAnswerBytes} bytes, got more`));
        else chunks.push(chunk);
      });
      incoming.on('error', reject);
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 502;
        const etag = incoming.headers.etag;
        resolve(new Response(status === 204 || status === 304 ? null : Buffer.concat(chunks), { status, headers: etag === undefined ? {} : { ETag: etag } }));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
