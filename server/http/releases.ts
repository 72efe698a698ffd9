/** What was made for a task and what became of it: public, since each is a sum under noise that was charged for. */
import type { Express, Request } from 'express';
import { z } from 'zod';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Releases } from '../releases.ts';
import { sendJson } from './documents.ts';
import { releasesQuerySchema, type releasesSchema } from './schemas.ts';

const releasesPerPage = 100;

export function addReleases(app: Express, path: string, releasesOf: (request: Request) => Pick<Releases, 'list'>): void {
  app.get(path, async (request, response) => {
    const query = releasesQuerySchema.safeParse(request.query);
    if (!query.success) throw new CestaError('usage.invalid', `query: ${z.prettifyError(query.error)}`);
    const page = await releasesOf(request).list({ before: query.data.before, limit: releasesPerPage });
    const body: z.input<typeof releasesSchema> = { releases: [...page], next: page.length === releasesPerPage ? page[page.length - 1].version : null };
    sendJson(response, body);
  });
}
