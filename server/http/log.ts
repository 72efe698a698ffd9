/**
 * The public record as files, after C2SP tlog-tiles, and the one thing that may be handed in: what witnesses signed.
 * Nothing here has to be believed: readers compute the root from the tiles and compare it with the signed head.
 */
import type { Express } from 'express';
import type { z } from 'zod';
import { parseTilePath, tileWidth } from '../../shared/ledger/tiles.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { PublicRecord } from '../ledger/public-record.ts';
import { readText } from './bodies.ts';
import { immutable, revalidate, sendDocument, sendJson } from './documents.ts';
import { requireType } from './middleware.ts';
import type { cosignedSchema } from './schemas.ts';

/** Room for a head and some twenty signatures. */
const maxNoteBytes = 4_096;

const prefix = '/v1/log/';

export function addLog(app: Express, record: Pick<PublicRecord, 'checkpoint' | 'read' | 'cosign'>): void {
  app.get('/v1/log/checkpoint', (request, response) => {
    const bytes = new TextEncoder().encode(record.checkpoint());
    sendDocument(request, response, { bytes, tag: sha256Hex(bytes), contentType: 'text/plain; charset=utf-8' }, revalidate);
  });
  app.get('/v1/log/tile/*path', async (request, response) => {
    const address = parseTilePath(request.path.slice(prefix.length));
    const bytes = address === null ? null : await record.read(address);
    if (address === null || bytes === null) throw new CestaError('http.not-found', `tile: expected one of the public record, got ${JSON.stringify(request.path.slice(0, 80))}`);
    // A partial tile never changes either, but it is soon replaced by a fuller one, and need not be kept.
    sendDocument(request, response, { bytes, tag: sha256Hex(bytes), contentType: 'application/octet-stream' }, address.width === tileWidth ? immutable : revalidate);
  });
  app.post('/v1/log/cosignatures', requireType('text/plain'), async (request, response) => {
    const { size, cosignatures } = await record.cosign(await readText(request, maxNoteBytes));
    const body: z.input<typeof cosignedSchema> = { size, cosignatures: cosignatures.size };
    sendJson(response, body);
  });
}
