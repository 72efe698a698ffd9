/** Short bodies, and no more of them. One that trickles in ends with the request timeout of the server. */
import type { IncomingMessage } from 'node:http';
import { readBoundedText } from '../../shared/protocol/http-policy.ts';

/** @throws CestaError `protocol.too-large`, `protocol.malformed` for bytes that are no UTF-8, or fewer than announced */
export function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  // Destroyed, the request would take the connection along, and the answer with it.
  return readBoundedText(request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, { announced: request.headers['content-length'], maxBytes });
}
