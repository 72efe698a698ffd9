/**
 * Conditional reads of a coordinator's public documents, the same for shop nodes and storefronts. Whatever goes
 * wrong on the way becomes a coded error; what the documents say is checked by whoever asked.
 */
import * as z from 'zod/mini';
import { CestaError } from '../shared/protocol/errors.ts';

/** The part of `fetch` that is needed. */
export type Fetch = (url: string, init?: { method?: string; body?: string; headers?: Record<string, string>; signal?: AbortSignal }) => Promise<Response>;

export interface Document {
  readonly bytes: Uint8Array;
  /** As sent, quotes included; empty when the server names none. */
  readonly etag: string;
}

const timeoutMs = 30_000;
const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** An address below a base that may itself have a path (`/cesta` behind a shop's own server). */
export function addressBelow(base: string | URL, path: string): string {
  return `${String(base).replace(/\/+$/, '')}/${path}`;
}

/**
 * Reads a document; null when the copy named by `etag` is still the current one.
 * @throws CestaError `network.unreachable`, or the code that the server gave.
 */
export async function getDocument(fetch: Fetch, url: string, etag = ''): Promise<Document | null> {
  try {
    const response = await fetch(url, { headers: etag === '' ? {} : { 'If-None-Match': etag }, signal: AbortSignal.timeout(timeoutMs) });
    if (response.status === 304 && etag !== '') return null;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (!response.ok) throw await refusal(url, response.status, bytes);
    return { bytes, etag: response.headers.get('ETag') ?? '' };
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('network.unreachable', `GET ${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * Posts a short text and resolves to the JSON that is answered.
 * @throws CestaError `network.unreachable`, or the code that the server gave.
 */
export function postText(fetch: Fetch, url: string, body: string): Promise<unknown> {
  return requestJson(fetch, url, { method: 'POST', body });
}

export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** JSON. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Resolves to the JSON that is answered.
 * @throws CestaError `network.unreachable`, or the code that the server gave.
 */
export async function requestJson(fetch: Fetch, url: string, { method, body, headers = {} }: JsonRequest): Promise<unknown> {
  try {
    const sent = body === undefined ? {} : { body };
    const response = await fetch(url, { method, ...sent, headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) }, signal: AbortSignal.timeout(timeoutMs) });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (!response.ok) throw await refusal(url, response.status, bytes, method);
    return parseJson(bytes, url);
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('network.unreachable', `${method} ${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** @throws CestaError `protocol.malformed` */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CestaError('protocol.malformed', `${what}: expected JSON, got other bytes`, { cause });
  }
}

/** The table of codes is loaded where a code is to be read: most pages never meet one. */
async function refusal(url: string, status: number, bytes: Uint8Array, method = 'GET'): Promise<CestaError> {
  try {
    const { error: { code, message } } = errorSchema.parse(parseJson(bytes, url));
    const { isErrorCode } = await import('../shared/protocol/error-table.ts');
    if (isErrorCode(code)) return new CestaError(code, `${method} ${url}: ${message}`);
  } catch {
    // No error of ours: what stands between may answer anything.
  }
  return new CestaError('network.unreachable', `${method} ${url}: expected status 200, got ${status}`);
}
