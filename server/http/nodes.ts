/** `POST /v1/nodes`: one signed envelope; its type says what is asked. Authority is in the signature, not in the path. */
import type { IncomingMessage } from 'node:http';
import type { Express } from 'express';
import { nodesPath } from '../../shared/identity/requests.ts';
import { maxEnvelopeLength } from '../../shared/protocol/envelope.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Identity } from '../identity/identity.ts';
import { addressOf } from './address.ts';
import { sendJson } from './documents.ts';
import { requireType } from './middleware.ts';

export interface NodesContext {
  readonly identity: Pick<Identity, 'receive' | 'chargeAddress'>;
  readonly behindProxy: boolean;
}

export function addNodes(app: Express, { identity, behindProxy }: NodesContext): void {
  app.post(nodesPath, requireType('application/json'), async (request, response) => {
    identity.chargeAddress('requestsPerAddress', addressOf(request, behindProxy));
    sendJson(response, await identity.receive(await readText(request, maxEnvelopeLength)));
  });
}

/** Reads a short body and no more of it. A body that trickles in ends with the request timeout of the server. */
export async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const tooLarge = (bytes: number): CestaError => new CestaError('protocol.too-large', `body: expected at most ${maxBytes} bytes, got ${bytes}`);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(announced);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(bytes);
      chunks.push(chunk);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('protocol.malformed', 'body: expected UTF-8 text up to its end, got other bytes', { cause });
  }
}
