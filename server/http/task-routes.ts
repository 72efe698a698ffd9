/** What a task serves: its releases, the journal of its rounds, its budget. The main task has them at the root, too. */
import type { Express, Request, Response } from 'express';
import { z } from 'zod';
import { budgetReport } from '../../shared/federation/budget-report.ts';
import { purposeOf } from '../../shared/federation/plan.ts';
import { withFirstCount } from '../../shared/federation/stages.ts';
import type { ServingFile } from '../../shared/federation/serving-form.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { CatalogueRoom } from '../catalogue-room.ts';
import { publicMessage } from '../disclosure.ts';
import type { PublishedRelease, Releases } from '../releases.ts';
import type { RoundRecord, SpendRecord, Storage } from '../storage/storage.ts';
import type { TaskRuntime } from '../task-runtime.ts';
import { immutable, revalidate, sendDocument, sendJson } from './documents.ts';
import { addReleases } from './releases.ts';
import { modelQuerySchema, roundsQuerySchema, type budgetSchema, type roundsSchema, type taskSchema, type tasksSchema } from './schemas.ts';

/** A task as far as it is served. */
export interface ServedTask extends Pick<TaskRuntime, 'spec' | 'state'> {
  readonly releases: Pick<Releases, 'current' | 'find' | 'form' | 'list'>;
  readonly schedule: Pick<TaskRuntime['schedule'], 'phase' | 'over'>;
}

export interface ServedTasks {
  /** The one that is meant where none is named. */
  readonly main: ServedTask;
  find(name: string): ServedTask | null;
  all(): readonly ServedTask[];
}

export interface TaskRoutesContext {
  readonly tasks: ServedTasks;
  readonly storage: Pick<Storage, 'rounds' | 'spends'>;
  readonly room: Pick<CatalogueRoom, 'fixed'>;
}

const roundsPerPage = 100;

export function addTasks(app: Express, context: TaskRoutesContext): void {
  const { tasks } = context;
  app.get('/v1/tasks', (_request, response) => {
    const body: z.input<typeof tasksSchema> = { tasks: tasks.all().map(describeTask) };
    sendJson(response, body);
  });
  addTask(app, '/v1', () => tasks.main, context);
  const named = (request: Request): ServedTask => {
    const name = String(request.params['task']);
    const task = tasks.find(name);
    if (task === null) throw new CestaError('task.not-found', `task: expected one of /v1/tasks, got ${JSON.stringify(name.slice(0, 80))}`);
    return task;
  };
  app.get('/v1/tasks/:task', (request, response) => sendJson(response, describeTask(named(request))));
  addTask(app, '/v1/tasks/:task', named, context);
}

function describeTask({ spec, state, releases: { current }, schedule: { phase, over } }: ServedTask): z.input<typeof taskSchema> {
  return {
    task: spec.name, model: spec.model.kind, mode: spec.privacy.mode, state, phase,
    version: current?.manifest.version ?? null,
    sha256: current?.sha256 ?? null,
    over: over === null ? null : { ...over },
  };
}

function addTask(app: Express, prefix: string, taskOf: (request: Request) => ServedTask, { storage, room }: TaskRoutesContext): void {
  app.get(`${prefix}/model`, async (request, response) => {
    const { releases } = taskOf(request);
    const formOf = wantedForm(request, releases);
    const { current } = releases;
    if (current === null) throw new CestaError('release.not-found', 'model: expected a release, got none yet: the first round has not ended');
    sendRelease(request, response, { manifest: current.manifest, ...(await formOf(current)) }, revalidate);
  });
  // Candidates and rejected ones, too: a sum that was charged for is public, whether or not it is served.
  app.get(`${prefix}/model/:version`, async (request, response) => {
    const version = String(request.params['version']);
    const address = parseAddress(version);
    const { releases } = taskOf(request);
    const formOf = wantedForm(request, releases);
    const release = address === null ? null : await releases.find(address);
    if (release === null) throw new CestaError('release.not-found', `model: expected the number or SHA-256 of a release, got ${JSON.stringify(version.slice(0, 80))}`);
    sendRelease(request, response, { manifest: release.manifest, ...(await formOf(release)) }, immutable);
  });
  addReleases(app, `${prefix}/releases`, (request) => taskOf(request).releases);
  app.get(`${prefix}/rounds`, async (request, response) => {
    const { spec } = taskOf(request);
    const query = roundsQuerySchema.safeParse(request.query);
    if (!query.success) throw new CestaError('usage.invalid', `query: ${z.prettifyError(query.error)}`);
    const rounds = await storage.rounds(spec.name, { after: query.data.after, limit: roundsPerPage });
    const budget = new Map((await storage.spends(spec.name)).map((spend) => [spend.round, spend]));
    const body: z.input<typeof roundsSchema> = {
      rounds: rounds.map((round) => describeRound(round, budget.get(round.id) ?? null)),
      next: rounds.length === roundsPerPage ? rounds[rounds.length - 1].number : null,
    };
    sendJson(response, body);
  });
  app.get(`${prefix}/budget`, async (request, response) => {
    const { spec } = taskOf(request);
    const report = budgetReport(room.fixed === null ? spec : withFirstCount(spec, room.fixed), await storage.spends(spec.name));
    const body: z.input<typeof budgetSchema> = { ...report, assumptions: [...report.assumptions], rdp: report.rdp === null ? null : { orders: [...report.rdp.orders], values: [...report.rdp.values] } };
    sendJson(response, body);
  });
}

/** What the query asks for. @throws CestaError `usage.invalid` for a precision that there is not */
function wantedForm(request: Request, releases: Pick<Releases, 'form'>): (release: PublishedRelease) => Promise<ServingFile> {
  const query = modelQuerySchema.safeParse(request.query);
  if (!query.success) throw new CestaError('usage.invalid', `query: ${z.prettifyError(query.error)}`);
  const { precision } = query.data;
  return (release) => (precision === undefined ? Promise.resolve(release) : releases.form(release, precision));
}

function sendRelease(request: Request, response: Response, { sha256, bytes, manifest }: PublishedRelease, cacheControl: string): void {
  response.set('Cesta-Version', String(manifest.version));
  sendDocument(request, response, { bytes, tag: sha256, contentType: 'application/octet-stream' }, cacheControl);
}

function parseAddress(text: string): { version: number } | { sha256: string } | null {
  if (/^[0-9a-f]{64}$/.test(text)) return { sha256: text };
  return /^[1-9][0-9]{0,8}$/.test(text) ? { version: Number(text) } : null;
}

function describeRound(record: RoundRecord, spend: SpendRecord | null): z.input<typeof roundsSchema>['rounds'][number] {
  const { id, number, state, result, planHash, plan, openedAt, trainingAt, endedAt, participants, failure } = record;
  return {
    round: id, number, purpose: purposeOf(plan), state, planHash, plan, openedAt, trainingAt, endedAt, participants, result, epsilon: spend?.epsilon ?? null, budget: spend?.state ?? null,
    failure: failure === null ? null : { code: failure.code, message: publicMessage(failure) },
  };
}
