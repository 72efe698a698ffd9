/** What a coordinator says of itself over HTTP, as far as the scripts look at it. */
import { z } from 'zod';
import { CestaError } from '../shared/protocol/errors.ts';

const coordinatorSchema = z.object({ publicKey: z.string(), version: z.number().int().nullable() });
const roundsSchema = z.object({ rounds: z.array(z.object({ round: z.string(), state: z.string(), participants: z.number().nullable() })) });

/** Fetches and parses a JSON document of a coordinator. @throws CestaError `network.unreachable` or `protocol.malformed` */
export async function fetchDocument<T>(base: string | URL, path: string, schema: z.ZodType<T>): Promise<T> {
  const response = await getTwice(new URL(path, base));
  if (!response.ok) throw new CestaError('network.unreachable', `coordinator: expected status 200 for ${path}, got ${response.status}`);
  const parsed = schema.safeParse(await response.json());
  if (!parsed.success) throw new CestaError('protocol.malformed', `${path}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

export function fetchCoordinator(base: string): Promise<z.infer<typeof coordinatorSchema>> {
  return fetchDocument(base, '/.well-known/cesta.json', coordinatorSchema);
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
