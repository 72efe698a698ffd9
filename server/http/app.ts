/**
 * The public HTTP side of the coordinator: read only, but for what witnesses sign and for requests about nodes, which
 * carry their own signature. Releases and the catalogue are served from bytes that are durable and digested already, so
 * an answer is never half of anything.
 */
import express, { type Express, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { budgetReport } from '../../shared/federation/budget-report.ts';
import { protocolVersion } from '../../shared/federation/plan.ts';
import { withFirstCount } from '../../shared/federation/stages.ts';
import type { TaskSpec } from '../../shared/federation/task.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { CatalogueRoom } from '../catalogue-room.ts';
import type { Clock } from '../clock.ts';
import { publicMessage } from '../disclosure.ts';
import { roundsPath } from '../../shared/protocol/messages.ts';
import { noMeter } from '../meter.ts';
import type { Metrics } from '../metrics.ts';
import type { PublicRecord } from '../ledger/public-record.ts';
import type { PublishedRelease, Releases } from '../releases.ts';
import type { RoundRecord, SpendState, Storage } from '../storage/storage.ts';
import { addNodes, type NodesContext } from './nodes.ts';
import { immutable, revalidate, sendDocument, sendJson, type ServedDocument } from './documents.ts';
import { answerErrors, anyOrigin, countBytes, logRequests, notFound, publicHeaders, type HeaderPolicy } from './middleware.ts';
import { addLog } from './log.ts';
import { openApiDocument } from './openapi.ts';
import { roundsQuerySchema, type budgetSchema, type federationSchema, type roundsSchema } from './schemas.ts';

export interface AppContext {
  readonly task: TaskSpec;
  readonly publicKey: string;
  readonly storage: Storage;
  readonly record: Pick<PublicRecord, 'checkpoint' | 'read' | 'cosign'>;
  readonly releases: Pick<Releases, 'current' | 'find'>;
  readonly room: Pick<CatalogueRoom, 'fixed'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly phase: () => string;
  /** Whether the coordinator is about to stop; never, without it. */
  readonly isDraining?: () => boolean;
  /** Without it, every origin may read. */
  readonly headers?: HeaderPolicy;
  /** Without it, nobody counts. */
  readonly metrics?: Metrics;
  /** Without it, nothing is taken over HTTP. */
  readonly nodes?: NodesContext;
}

const roundsPerPage = 100;

export function createApp(context: AppContext): Express {
  const app = express();
  app.disable('x-powered-by');
  // Validators are precomputed; hashing every answer again would be waste.
  app.disable('etag');
  const { metrics = null } = context;
  app.use(logRequests(context.logger, context.clock), countBytes(metrics ?? noMeter), publicHeaders(context.headers ?? anyOrigin));
  addStatus(app, context);
  if (metrics !== null) addMetrics(app, metrics);
  addModel(app, context);
  addRecords(app, context);
  addLog(app, context.record);
  if (context.nodes !== undefined) addNodes(app, context.nodes);
  app.use(notFound);
  app.use(answerErrors(context.logger, metrics ?? noMeter));
  return app;
}

function addStatus(app: Express, { storage, phase, isDraining, task, publicKey, room, releases }: AppContext): void {
  app.get('/healthz', (_request, response) => sendJson(response, { status: 'ok' }));
  app.get('/readyz', async (_request, response) => {
    if (isDraining?.() === true) throw new CestaError('coordinator.draining', `coordinator: it is stopping, in phase ${phase()}`);
    await storage.ping();
    sendJson(response, { status: 'ready', phase: phase() });
  });
  app.get('/.well-known/cesta.json', (_request, response) => {
    const { current } = releases;
    const federation: z.input<typeof federationSchema> = {
      protocol: protocolVersion,
      task: task.name,
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

function addModel(app: Express, { releases, room }: AppContext): void {
  app.get('/v1/model', (request, response) => {
    if (releases.current === null) throw new CestaError('release.not-found', 'model: expected a release, got none yet: the first round has not ended');
    sendRelease(request, response, releases.current, revalidate);
  });
  app.get('/v1/model/:version', async (request, response) => {
    const address = parseAddress(request.params.version);
    const release = address === null ? null : await releases.find(address);
    if (release === null) throw new CestaError('release.not-found', `model: expected the number or SHA-256 of a release, got ${JSON.stringify(request.params.version.slice(0, 80))}`);
    sendRelease(request, response, release, immutable);
  });
  let served: ServedDocument | null = null;
  app.get('/v1/catalogue', (request, response) => {
    const { fixed } = room;
    if (fixed === null) throw new CestaError('data.not-found', 'catalogue: it is the union of what shops publish, and fixed when the first round opens');
    if (served?.tag !== fixed.hash) served = { bytes: new TextEncoder().encode(canonicalJson(fixed.products)), tag: fixed.hash, contentType: 'application/json; charset=utf-8' };
    sendDocument(request, response, served, revalidate);
  });
}

function sendRelease(request: Request, response: Response, { sha256, bytes, manifest }: PublishedRelease, cacheControl: string): void {
  response.set('Cesta-Version', String(manifest.version));
  sendDocument(request, response, { bytes, tag: sha256, contentType: 'application/octet-stream' }, cacheControl);
}

function parseAddress(text: string): { version: number } | { sha256: string } | null {
  if (/^[0-9a-f]{64}$/.test(text)) return { sha256: text };
  return /^[1-9][0-9]{0,8}$/.test(text) ? { version: Number(text) } : null;
}

function addRecords(app: Express, { storage, task, room }: AppContext): void {
  app.get('/v1/rounds', async (request, response) => {
    const query = roundsQuerySchema.safeParse(request.query);
    if (!query.success) throw new CestaError('usage.invalid', `query: ${z.prettifyError(query.error)}`);
    const rounds = await storage.rounds(task.name, { after: query.data.after, limit: roundsPerPage });
    const budget = new Map((await storage.spends(task.name)).map(({ round, state }) => [round, state]));
    const body: z.input<typeof roundsSchema> = {
      rounds: rounds.map((round) => describeRound(round, budget.get(round.id) ?? null)),
      next: rounds.length === roundsPerPage ? rounds[rounds.length - 1].number : null,
    };
    sendJson(response, body);
  });
  app.get('/v1/budget', async (_request, response) => {
    const report = budgetReport(room.fixed === null ? task : withFirstCount(task, room.fixed), await storage.spends(task.name));
    const body: z.input<typeof budgetSchema> = { ...report, assumptions: [...report.assumptions], rdp: report.rdp === null ? null : { orders: [...report.rdp.orders], values: [...report.rdp.values] } };
    sendJson(response, body);
  });
}

function describeRound(record: RoundRecord, budget: SpendState | null): z.input<typeof roundsSchema>['rounds'][number] {
  const { id, number, state, planHash, plan, openedAt, trainingAt, endedAt, participants, failure } = record;
  return {
    round: id, number, state, planHash, plan, openedAt, trainingAt, endedAt, participants, budget,
    failure: failure === null ? null : { code: failure.code, message: publicMessage(failure) },
  };
}
