/** Short bodies, and no more of them. One that trickles in ends with the request timeout of the server. */
import type { IncomingMessage } from 'node:http';
import { CestaError } from '../../shared/protocol/errors.ts';

/** @throws CestaError `protocol.too-large`, `protocol.malformed` for bytes that are no UTF-8, or fewer than announced */
export async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const tooLarge = (bytes: number): CestaError => new CestaError('protocol.too-large', `body: expected at most ${maxBytes} bytes, got ${bytes}`);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(announced);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Destroyed, the request would take the connection along, and the answer with it.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(bytes);
      chunks.push(chunk);
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('protocol.malformed', 'body: expected a whole text in UTF-8, got other bytes, or fewer', { cause });
  }
}
