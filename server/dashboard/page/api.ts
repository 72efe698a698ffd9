/** Requests of the page to the coordinator that served it: answers are parsed, and refusals carry the server's own code. */
import * as z from 'zod';
import { errorSchema } from '../../http/schemas.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';

const timeoutMs = 30_000;

/** An address of the coordinator, wherever a proxy has put it: one folder above this page. */
export function addressOf(path: string): string {
  return new URL(`../${path}`, document.baseURI).href;
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  /** Of an operator. */
  readonly session?: string;
}

/** @throws CestaError `network.unreachable`, or the code that the server gave */
export async function ask<T>(path: string, schema: z.ZodType<T>, { method = 'GET', body, session }: Call = {}): Promise<T> {
  const headers = { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...(session === undefined ? {} : { Authorization: `Bearer ${session}` }) };
  const bytes = await request(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const parsed = schema.safeParse(parseText(path, bytes));
  if (!parsed.success) throw new CestaError('protocol.malformed', `${path}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** @throws CestaError see {@link ask} */
export async function request(path: string, init: RequestInit = {}): Promise<Uint8Array> {
  let response: Response;
  let bytes: Uint8Array;
  try {
    response = await fetch(addressOf(path), { ...init, cache: 'no-cache', signal: AbortSignal.timeout(timeoutMs) });
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new CestaError('network.unreachable', `${path}: the coordinator does not answer`, { cause });
  }
  if (response.ok) return bytes;
  const refusal = errorSchema.safeParse(parseText(path, bytes));
  if (!refusal.success) throw new CestaError('network.unreachable', `${path}: expected an answer of the coordinator, got status ${response.status}`);
  throw new CestaError(refusal.data.error.code, refusal.data.error.message);
}

function parseText(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CestaError('protocol.malformed', `${path}: expected JSON, got other bytes`, { cause });
  }
}
