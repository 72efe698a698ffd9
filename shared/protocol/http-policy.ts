/** What every HTTP server of the project holds to, whoever runs it: limits, headers, and bodies of a bounded length. */
import { CestaError } from './errors.ts';

/** For Node's `createServer`: slow headers, slow bodies and idle connections are cut off; checked more often than Node does by itself. */
export const serverLimits = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384, connectionsCheckingInterval: 5_000 } as const;

/** No byte either way for so long ends a connection: whoever asks for a release and reads nothing of it would stay forever. */
export const idleMs = 60_000;

/** What is answered may not be framed, sniffed or run. */
export const inertHeaders = { 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'", 'Referrer-Policy': 'no-referrer', 'X-Content-Type-Options': 'nosniff' } as const;

/** The whole of a short body, and no more of it. */
export interface BodyBounds {
  /** `Content-Length`, where there is one. */
  readonly announced: string | undefined;
  readonly maxBytes: number;
}

/** @throws CestaError `protocol.too-large`, `protocol.malformed` for bytes that are no UTF-8, or fewer than announced */
export async function readBoundedText(pieces: AsyncIterable<Uint8Array>, { announced, maxBytes }: BodyBounds): Promise<string> {
  const tooLarge = (bytes: number): CestaError => new CestaError('protocol.too-large', `body: expected at most ${maxBytes} bytes, got ${bytes}`);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  if (Number(announced ?? 0) > maxBytes) throw tooLarge(Number(announced));
  let bytes = 0;
  let text = '';
  try {
    for await (const piece of pieces) {
      bytes += piece.length;
      if (bytes > maxBytes) throw tooLarge(bytes);
      text += decoder.decode(piece, { stream: true });
    }
    return text + decoder.decode();
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('protocol.malformed', 'body: expected a whole text in UTF-8, got other bytes, or fewer', { cause });
  }
}
