/** What operators may do, one entry each: the routes and their documentation are both made from this table. */
import { z } from 'zod';
import { taskSpecSchema } from '../../shared/federation/task.ts';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Admin } from '../admin/admin.ts';
import type { PublishedRelease } from '../releases.ts';
import { actionsSchema, adminPath, credentialsSchema, emptySchema, loginSchema, newOperatorNameSchema, nodesSchema, operatorsSchema, pageSchema, rejectedSchema, servedSchema, sessionSchema, sessionsPath, taskStatusSchema, tasksSchema } from './admin-schemas.ts';
import type { Operation } from '../../shared/protocol/openapi.ts';
import { releasesSchema } from './schemas.ts';

export interface AdminCall<Body, Query> {
  readonly admin: Admin;
  /** Values of the path, by name. */
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  /** What the caller presented; known to be in force. */
  readonly session: string;
}

export interface AdminRoute<Body = unknown, Query = unknown, Answer = unknown> {
  readonly method: 'get' | 'post' | 'delete';
  /** With `{name}` for what varies. */
  readonly path: string;
  readonly summary: string;
  /** As it is named in the audit trail; without, nothing is changed. */
  readonly action?: string;
  readonly body?: z.ZodType<Body>;
  /** What a body of another shape is refused with. */
  readonly bodyCode?: ErrorCode;
  readonly query?: z.ZodType<Query>;
  readonly answer: z.ZodType<Answer>;
  readonly handle: (call: AdminCall<Body, Query>) => Promise<Answer> | Answer;
}

/** Checked against its own schemas, then one of many. */
function route<Body, Query, Answer>(entry: AdminRoute<Body, Query, Answer>): AdminRoute {
  return entry as unknown as AdminRoute;
}

function changeOfTask(verb: 'pause' | 'resume' | 'cancel', summary: string): AdminRoute {
  return route({ method: 'post', path: `${adminPath}/tasks/{name}/${verb}`, summary, action: `task.${verb}`, answer: taskStatusSchema, handle: ({ admin, params }) => admin.desk[verb](params['name']) });
}

function served({ manifest: { version, restores }, sha256 }: PublishedRelease): z.infer<typeof servedSchema> {
  return { version, sha256, restores: restores ?? null };
}

function versionOf(params: Readonly<Record<string, string>>): number {
  const text = params['version'];
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new CestaError('release.not-found', `release: expected its number, got ${JSON.stringify(text.slice(0, 80))}`);
  return Number(text);
}

const releasesPath = `${adminPath}/tasks/{name}/releases`;

const releaseRoutes: readonly AdminRoute[] = [
  route({
    method: 'get', path: releasesPath, summary: 'The releases of a task and what became of them, newest first', query: pageSchema, answer: releasesSchema,
    async handle({ admin, params, query }) {
      const releases = [...(await admin.desk.releases(params['name']).list(query))];
      return { releases, next: releases.length === query.limit ? releases[releases.length - 1].version : null };
    },
  }),
  route({
    method: 'post', path: `${releasesPath}/{version}/promote`, summary: 'Serves a release; what was served before comes back as a new version', action: 'release.promote', answer: servedSchema,
    handle: async ({ admin, params }) => served(await admin.desk.releases(params['name']).promote(versionOf(params), 'operator')),
  }),
  route({
    method: 'post', path: `${releasesPath}/{version}/reject`, summary: 'Decides against a candidate', action: 'release.reject', answer: rejectedSchema,
    async handle({ admin, params }) {
      const version = versionOf(params);
      await admin.desk.releases(params['name']).reject(version);
      return { version };
    },
  }),
  route({
    method: 'post', path: `${releasesPath}/rollback`, summary: 'Serves again what was served before, as a new version', action: 'release.rollback', answer: servedSchema,
    handle: async ({ admin, params }) => served(await admin.desk.releases(params['name']).rollback('operator')),
  }),
];

export const adminRoutes: readonly AdminRoute[] = [
  route({
    method: 'delete', path: sessionsPath, summary: 'Ends the session', action: 'session.end', answer: emptySchema,
    handle({ admin, session }) {
      admin.sessions.end(session);
      return {};
    },
  }),
  route({ method: 'get', path: `${adminPath}/tasks`, summary: 'The tasks of the federation', answer: tasksSchema, handle: async ({ admin }) => ({ tasks: [...(await admin.desk.list())] }) }),
  route({ method: 'post', path: `${adminPath}/tasks`, summary: 'Makes a task', action: 'task.create', body: taskSpecSchema, bodyCode: 'plan.invalid', answer: taskStatusSchema, handle: ({ admin, body }) => admin.desk.create(body) }),
  route({ method: 'get', path: `${adminPath}/tasks/{name}`, summary: 'One task', answer: taskStatusSchema, handle: ({ admin, params }) => admin.desk.status(params['name']) }),
  changeOfTask('pause', 'Opens no further rounds; the open one goes on'),
  changeOfTask('resume', 'Opens rounds again'),
  changeOfTask('cancel', 'Ends a task for good; its releases are served still'),
  ...releaseRoutes,
  route({ method: 'get', path: `${adminPath}/nodes`, summary: 'The nodes: who they are, whether they may take part, where they stand', answer: nodesSchema, handle: async ({ admin }) => ({ nodes: await admin.nodes() }) }),
  route({ method: 'get', path: `${adminPath}/operators`, summary: 'The operators in force', answer: operatorsSchema, handle: ({ admin }) => ({ operators: [...admin.operators.list()] }) }),
  route({ method: 'post', path: `${adminPath}/operators`, summary: 'Makes an operator; the answer is the only time its credentials are shown', action: 'operator.add', body: newOperatorNameSchema, answer: credentialsSchema, handle: ({ admin, body }) => admin.operators.add(body.name) }),
  route({
    method: 'delete', path: `${adminPath}/operators/{name}`, summary: 'Withdraws an operator, and its sessions; never the last', action: 'operator.remove', answer: emptySchema,
    async handle({ admin, params }) {
      await admin.operators.remove(params['name']);
      return {};
    },
  }),
  route({
    method: 'get', path: `${adminPath}/actions`, summary: 'What operators did, newest first', query: pageSchema, answer: actionsSchema,
    async handle({ admin, query }) {
      const actions = [...(await admin.trail.list(query))];
      return { actions, next: actions.length === query.limit ? actions[actions.length - 1].number : null };
    },
  }),
];

/** For the OpenAPI document. */
export const adminOperations: readonly Operation[] = [
  { path: sessionsPath, method: 'post', summary: 'Opens a session for a token and a one-time code', request: loginSchema, body: sessionSchema },
  ...adminRoutes.map(({ method, path, summary, body, query, answer }): Operation => ({
    path, method, summary, security: 'operator', body: answer,
    ...(body === undefined ? {} : { request: body }),
    parameters: [...parametersOf(path), ...(query === undefined ? [] : queryParameters(query))],
  })),
];

function parametersOf(path: string): Record<string, unknown>[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function queryParameters(schema: z.ZodType): Record<string, unknown>[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'output' });
  return Object.entries(properties).map(([name, property]) => ({ name, in: 'query', required: false, schema: property }));
}
