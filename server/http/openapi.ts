/** The OpenAPI 3.1 document, generated from the schemas that answers are made of. */
import { z } from 'zod';
import { certificateAnswerSchema, nodesPath, operatorAnswerSchema, requestSchemas, revocationAnswerSchema, tokenAnswerSchema } from '../../shared/identity/requests.ts';
import { envelopeHeaderSchema } from '../../shared/protocol/envelope.ts';
import { describeApi, type JsonObject, type Operation } from '../../shared/protocol/openapi.ts';
import { precisions } from '../../shared/recommender/quantised-rows.ts';
import { liveSchema, qualitySchema } from '../dashboard/schemas.ts';
import { adminOperations } from './admin-routes.ts';
import { budgetSchema, cosignedSchema, federationSchema, healthSchema, readinessSchema, releasesSchema, roundsSchema, taskSchema, tasksSchema } from './schemas.ts';

const releaseFile = 'application/octet-stream';
const noteText = 'text/plain';
const eventStream = 'text/event-stream';

const precisionParameter = {
  name: 'precision',
  in: 'query',
  required: false,
  description: 'The form to rank with, signed and with an ETag of its own: without what only training needs; at `int8` its tables of item rows have 8-bit numbers and a scale a row. `servingForm` in its manifest says which release it is of. A release that has neither is served as it is. Without this parameter: the release itself',
  schema: { type: 'string', enum: precisions },
};

/** What each task serves, below its own path; the main task at the root, too. */
function taskOperations(prefix: string, whose: string, parameters: readonly JsonObject[] = []): readonly Operation[] {
  return [
    { path: `${prefix}/model`, summary: `The release that ${whose} serves: a tensor file with a signed manifest`, body: releaseFile, isCacheable: true, parameters: [...parameters, precisionParameter] },
    {
      path: `${prefix}/model/{version}`,
      summary: `One release of ${whose}, for ever the same: served, held back or rejected, each is a sum whose noise was charged for`,
      body: releaseFile,
      isCacheable: true,
      parameters: [...parameters, { name: 'version', in: 'path', required: true, description: 'Number, or SHA-256 of the file', schema: { type: 'string' } }, precisionParameter],
    },
    {
      path: `${prefix}/releases`,
      summary: `What ${whose} has released and what became of it, newest first`,
      body: releasesSchema,
      parameters: [...parameters, { name: 'before', in: 'query', required: false, description: 'Only releases with a lower version', schema: { type: 'integer', minimum: 1 } }],
    },
    {
      path: `${prefix}/rounds`,
      summary: `The journal of rounds of ${whose}, oldest first`,
      body: roundsSchema,
      parameters: [...parameters, { name: 'after', in: 'query', required: false, description: 'Only rounds with a higher number', schema: { type: 'integer', minimum: 0 } }],
    },
    { path: `${prefix}/budget`, summary: `What ${whose} promises its shoppers and has spent`, body: budgetSchema, parameters },
  ];
}

const taskParameter = { name: 'task', in: 'path', required: true, description: 'Name of a task', schema: { type: 'string' } };

const operations: readonly Operation[] = [
  { path: '/.well-known/cesta.json', summary: 'Who the coordinator is and what it serves', body: federationSchema },
  { path: '/healthz', summary: 'Whether the process answers', body: healthSchema },
  { path: '/readyz', summary: 'Whether the process can do its work', body: readinessSchema },
  { path: '/metrics', summary: 'Figures of the coordinator and its process, in the text format of Prometheus', body: noteText },
  { path: '/v1/catalogue', summary: 'The products of the task, sorted by id; the ETag is the catalogue hash', body: z.array(z.looseObject({ id: z.string() })), isCacheable: true },
  ...taskOperations('/v1', 'the main task'),
  { path: '/v1/tasks', summary: 'The tasks of the federation, the main one first', body: tasksSchema },
  { path: '/v1/tasks/{task}', summary: 'One task', body: taskSchema, parameters: [taskParameter] },
  ...taskOperations('/v1/tasks/{task}', 'a task', [taskParameter]),
  { path: '/v1/rounds/snapshot', summary: 'The coordinator at this moment: tasks, the open round, bytes, budgets, the size of the public record', body: liveSchema },
  { path: '/v1/rounds/stream', summary: 'The same as server-sent events `snapshot`, whenever it has changed, at most four a second; `end` when the coordinator stops', body: eventStream },
  { path: '/v1/quality', summary: 'What somebody measured of the releases, as the operator gave it', body: qualitySchema },
  { path: '/v1/log/checkpoint', summary: 'The head of the public record: a signed note, with the cosignatures of witnesses', body: noteText, isCacheable: true },
  {
    path: '/v1/log/tile/{tile}',
    summary: 'Hashes and entries of the public record, as C2SP tlog-tiles says; full tiles never change',
    body: releaseFile,
    isCacheable: true,
    parameters: [{ name: 'tile', in: 'path', required: true, description: '`LEVEL/INDEX` or `entries/INDEX`, with slashes as they are; partial ones end in `.p/WIDTH`', schema: { type: 'string' } }],
  },
  {
    path: '/v1/log/cosignatures',
    summary: 'Takes a recent checkpoint with the signature of a witness whom the operator named',
    body: cosignedSchema,
    request: { mediaType: noteText, maxLength: 4096 },
  },
  {
    path: nodesPath,
    summary: 'One request about the identity of a node, signed by who asks; the type in its header says which body it has',
    request: z.object({ header: envelopeHeaderSchema, body: z.union(Object.values(requestSchemas)), signature: z.string() }),
    body: z.union([certificateAnswerSchema, tokenAnswerSchema, revocationAnswerSchema, operatorAnswerSchema]),
  },
];

export function openApiDocument(): JsonObject {
  return describeApi({
    title: 'Cesta coordinator',
    description: 'Public, and read only but for what witnesses, nodes and operators ask. Shops take part over the WebSocket /v1/rounds/live; operators act below /v1/admin.',
    operations: [...operations, ...adminOperations],
    securitySchemes: { operator: { type: 'http', scheme: 'bearer', description: 'A session, as `POST /v1/admin/sessions` opens it' } },
  });
}
