/**
 * The public HTTP side of the coordinator: read only, but for what witnesses sign, for requests about nodes, which carry
 * their own signature, and for what operators do, which is mounted beside it. Releases and the catalogue are served from
 * bytes that are durable and digested already, so an answer is never half of anything.
 */
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { protocolVersion } from '../../shared/federation/plan.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { roundsPath } from '../../shared/protocol/messages.ts';
import type { Clock } from '../clock.ts';
import { noMeter } from '../meter.ts';
import type { LiveFeed } from '../dashboard/live.ts';
import type { QualityFile } from '../dashboard/quality-file.ts';
import { addDashboard, addLive, addQuality } from '../dashboard/routes.ts';
import type { Metrics } from '../metrics.ts';
import type { PublicRecord } from '../ledger/public-record.ts';
import type { Storage } from '../storage/storage.ts';
import { addAdmin, type AdminContext } from './admin.ts';
import { revalidate, sendDocument, sendJson, type ServedDocument } from './documents.ts';
import { addLog } from './log.ts';
import { answerErrors, anyOrigin, countBytes, logRequests, notFound, publicHeaders, type HeaderPolicy } from './middleware.ts';
import { addNodes, type NodesContext } from './nodes.ts';
import { openApiDocument } from './openapi.ts';
import type { federationSchema } from './schemas.ts';
import { addTasks, type TaskRoutesContext } from './task-routes.ts';

export interface AppContext extends TaskRoutesContext {
  readonly publicKey: string;
  readonly storage: Pick<Storage, 'ping' | 'rounds' | 'spends'>;
  readonly record: Pick<PublicRecord, 'checkpoint' | 'read' | 'cosign'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the coordinator is about to stop; never, without it. */
  readonly isDraining?: () => boolean;
  /** Without it, every origin may read. */
  readonly headers?: HeaderPolicy;
  /** Without it, nobody counts. */
  readonly metrics?: Metrics;
  /** Without it, nothing is taken over HTTP. */
  readonly nodes?: NodesContext;
  /** Without it, nothing is served to operators. */
  readonly admin?: AdminContext;
  /** Without it, there are no pages. */
  readonly dashboard?: DashboardContext;
}

export interface DashboardContext {
  /** Whether its pages are served, beside the figures that they show. */
  readonly hasPages: boolean;
  readonly live: Pick<LiveFeed, 'snapshot' | 'stream'>;
  readonly quality: QualityFile;
}

export function createApp(context: AppContext): Express {
  const app = express();
  app.disable('x-powered-by');
  // Validators are precomputed; hashing every answer again would be waste.
  app.disable('etag');
  const { metrics = null, headers = anyOrigin } = context;
  app.use(logRequests(context.logger, context.clock), countBytes(metrics ?? noMeter));
  // Before the headers that let other origins in.
  if (context.admin !== undefined) addAdmin(app, context.admin, { logger: context.logger, headers });
  if (context.dashboard?.hasPages === true) addDashboard(app, headers);
  app.use(publicHeaders(headers));
  addStatus(app, context);
  if (metrics !== null) addMetrics(app, metrics);
  addCatalogue(app, context);
  addTasks(app, context);
  if (context.dashboard !== undefined) {
    addLive(app, context.dashboard.live);
    addQuality(app, context.dashboard.quality);
  }
  addLog(app, context.record);
  if (context.nodes !== undefined) addNodes(app, context.nodes);
  app.use(notFound);
  app.use(answerErrors(context.logger, metrics ?? noMeter));
  return app;
}

function addStatus(app: Express, { storage, tasks, isDraining, publicKey, room }: AppContext): void {
  app.get('/healthz', (_request, response) => sendJson(response, { status: 'ok' }));
  app.get('/readyz', async (_request, response) => {
    if (isDraining?.() === true) throw new CestaError('coordinator.draining', `coordinator: it is stopping, in phase ${tasks.main.schedule.phase}`);
    await storage.ping();
    sendJson(response, { status: 'ready', phase: tasks.main.schedule.phase });
  });
  app.get('/.well-known/cesta.json', (_request, response) => {
    const { spec: task, releases: { current } } = tasks.main;
    const federation: z.input<typeof federationSchema> = {
      protocol: protocolVersion,
      task: task.name,
      tasks: tasks.all().map(({ spec }) => spec.name),
      model: task.model.kind,
      publicKey,
      catalogueHash: room.fixed?.hash ?? null,
      version: current?.manifest.version ?? null,
      sha256: current?.sha256 ?? null,
      live: roundsPath,
    };
    sendJson(response, federation);
  });
  const openApi = openApiDocument();
  app.get('/v1/openapi.json', (_request, response) => sendJson(response, openApi));
}

function addMetrics(app: Express, metrics: Metrics): void {
  app.get('/metrics', async (_request, response) => {
    const { text, contentType } = await metrics.read();
    response.set({ 'Content-Type': contentType, 'Cache-Control': 'no-store' }).send(text);
  });
}

function addCatalogue(app: Express, { room }: AppContext): void {
  let served: ServedDocument | null = null;
  app.get('/v1/catalogue', (request, response) => {
    const { fixed } = room;
    if (fixed === null) throw new CestaError('data.not-found', 'catalogue: it is the union of what shops publish, and fixed when the first round opens');
    if (served?.tag !== fixed.hash) served = { bytes: new TextEncoder().encode(canonicalJson(fixed.products)), tag: fixed.hash, contentType: 'application/json; charset=utf-8' };
    sendDocument(request, response, served, revalidate);
  });
}
