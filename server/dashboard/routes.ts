/**
 * The dashboard over HTTP: its pages, for this origin alone, and the figures that they show beside the public API, which
 * are public like all of that.
 */
import type { Express } from 'express';
import type { z } from 'zod';
import { sendJson } from '../http/documents.ts';
import { privateHeaders, type HeaderPolicy } from '../http/middleware.ts';
import { answerFile, pagePolicy } from '../web/serve-files.ts';
import { streamType, type LiveFeed } from './live.ts';
import { openPageFiles } from './page-files.ts';
import type { QualityFile } from './quality-file.ts';
import type { liveSchema, qualitySchema } from './schemas.ts';

const pagesPath = '/dashboard';

/** Before the headers that let pages of other origins read. */
export function addDashboard(app: Express, headers: HeaderPolicy): void {
  const pages = openPageFiles();
  const policy = pagePolicy();
  app.get('/', (_request, response) => response.redirect(302, `${pagesPath}/`));
  app.use(pagesPath, privateHeaders(headers));
  app.get(`${pagesPath}{/*path}`, async (request, response) => {
    // A page's own addresses are below its folder.
    if (request.path === pagesPath) return response.redirect(308, `${pagesPath}/`);
    const path = request.path.slice(pagesPath.length + 1);
    answerFile(response, (await pages.find(path === '' ? 'index.html' : path)) ?? undefined, policy);
  });
}

export function addLive(app: Express, live: Pick<LiveFeed, 'snapshot' | 'stream'>): void {
  app.get('/v1/rounds/snapshot', async (_request, response) => {
    const body: z.input<typeof liveSchema> = await live.snapshot();
    sendJson(response, body);
  });
  app.get('/v1/rounds/stream', (request, response) => {
    if (request.method === 'HEAD') return void response.writeHead(200, { 'Content-Type': streamType, 'Cache-Control': 'no-store' }).end();
    live.stream(response);
  });
}

export function addQuality(app: Express, file: QualityFile): void {
  app.get('/v1/quality', async (_request, response) => {
    const body: z.input<typeof qualitySchema> = await file.read();
    sendJson(response, body);
  });
}
