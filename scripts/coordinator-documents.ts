/** What a coordinator says of itself over HTTP, as far as the scripts look at it. */
import type { z } from 'zod';
import { prettifyError } from 'zod';
import { federationSchema, roundsSchema } from '../server/http/schemas.ts';
import { CestaError } from '../shared/protocol/errors.ts';

/** Fetches and parses a JSON document of a coordinator. @throws CestaError `network.unreachable` or `protocol.malformed` */
export async function fetchDocument<T>(base: string | URL, path: string, schema: z.ZodType<T>): Promise<T> {
  const response = await getTwice(new URL(path, base));
  if (!response.ok) throw new CestaError('network.unreachable', `coordinator: expected status 200 for ${path}, got ${response.status}`);
  const parsed = schema.safeParse(await response.json());
  if (!parsed.success) throw new CestaError('protocol.malformed', `${path}: ${prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

export function fetchCoordinator(base: string): Promise<z.infer<typeof federationSchema>> {
  return fetchDocument(base, '/.well-known/cesta.json', federationSchema);
}

export function fetchRounds(base: string): Promise<z.infer<typeof roundsSchema>> {
  return fetchDocument(base, '/v1/rounds', roundsSchema);
}

/** A kept-alive connection may have been closed by the other side just before it was used: one more try tells. */
async function getTwice(address: URL): Promise<Response> {
  try {
    return await fetch(address).catch(() => fetch(address));
  } catch (cause) {
    throw new CestaError('network.unreachable', `coordinator: expected an answer from ${address.origin}, got none`, { cause });
  }
}
