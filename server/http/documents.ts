/** Answers with a strong validator: bytes whose digest is known before anybody asks for them. */
import type { Request, Response } from 'express';

export interface ServedDocument {
  readonly bytes: Uint8Array;
  /** Without quotes. Equal tags mean equal bytes. */
  readonly tag: string;
  readonly contentType: string;
}

/** Ask again each time, and be told `304` if nothing changed. */
export const revalidate = 'public, no-cache';
/** The address names the bytes: they never change. */
export const immutable = 'public, max-age=31536000, immutable';

export function sendDocument(request: Request, response: Response, { bytes, tag, contentType }: ServedDocument, cacheControl: string): void {
  response.set({ ETag: `"${tag}"`, 'Cache-Control': cacheControl });
  if (isHeld(request.get('If-None-Match'), tag)) {
    response.status(304).end();
    return;
  }
  response.set({ 'Content-Type': contentType, 'Content-Length': String(bytes.length) });
  response.end(bytes);
}

/**
 * Whether If-None-Match names the tag (RFC 9110, section 13.1.2: weak comparison). Not `request.fresh`: that gives way
 * to `Cache-Control: no-cache`, which every `fetch` adds when a script sets If-None-Match itself.
 */
function isHeld(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === `"${tag}"`);
}

/** A fresh answer about a state that changes. */
export function sendJson(response: Response, body: unknown): void {
  response.set('Cache-Control', 'no-cache').json(body);
}
