/** The OpenAPI 3.1 document, generated from the schemas that answers are made of. */
import { z } from 'zod';
import { certificateAnswerSchema, nodesPath, requestSchemas, revocationAnswerSchema, tokenAnswerSchema } from '../../shared/identity/requests.ts';
import { envelopeHeaderSchema } from '../../shared/protocol/envelope.ts';
import { budgetSchema, cosignedSchema, errorSchema, federationSchema, healthSchema, readinessSchema, releasesSchema, roundsSchema, taskSchema, tasksSchema } from './schemas.ts';

type JsonObject = Record<string, unknown>;

interface Operation {
  readonly path: string;
  readonly summary: string;
  /** What the body is: a schema, or the media type of bytes. */
  readonly body: z.ZodType | string;
  readonly parameters?: readonly JsonObject[];
  /** What is posted; without it, the path is read. */
  readonly request?: JsonObject;
  /** Whether the answer carries a strong ETag and honours If-None-Match. */
  readonly isCacheable?: boolean;
}

const releaseFile = 'application/octet-stream';
const noteText = 'text/plain';

/** What each task serves, below its own path; the main task at the root, too. */
function taskOperations(prefix: string, whose: string, parameters: readonly JsonObject[] = []): readonly Operation[] {
  return [
    { path: `${prefix}/model`, summary: `The release that ${whose} serves: a tensor file with a signed manifest`, body: releaseFile, isCacheable: true, parameters },
    {
      path: `${prefix}/model/{version}`,
      summary: `One release of ${whose}, for ever the same: served, held back or rejected, each is a sum whose noise was charged for`,
      body: releaseFile,
      isCacheable: true,
      parameters: [...parameters, { name: 'version', in: 'path', required: true, description: 'Number, or SHA-256 of the file', schema: { type: 'string' } }],
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
  { path: '/v1/catalogue', summary: 'The products of the task, sorted by id; the ETag is the catalogue hash', body: z.array(z.looseObject({ id: z.string() })), isCacheable: true },
  ...taskOperations('/v1', 'the main task'),
  { path: '/v1/tasks', summary: 'The tasks of the federation, the main one first', body: tasksSchema },
  { path: '/v1/tasks/{task}', summary: 'One task', body: taskSchema, parameters: [taskParameter] },
  ...taskOperations('/v1/tasks/{task}', 'a task', [taskParameter]),
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
    request: { required: true, content: { [noteText]: { schema: { type: 'string', maxLength: 4096 } } } },
  },
  {
    path: nodesPath,
    summary: 'One request about the identity of a node, signed by who asks; the type in its header says which body it has',
    request: { required: true, content: { 'application/json': { schema: jsonSchemaOf(z.object({ header: envelopeHeaderSchema, body: z.union(Object.values(requestSchemas)), signature: z.string() })) } } },
    body: z.union([certificateAnswerSchema, tokenAnswerSchema, revocationAnswerSchema]),
  },
];

export function openApiDocument(): JsonObject {
  return {
    openapi: '3.1.0',
    info: { title: 'Cesta coordinator', version: '1', description: 'Public, and read only but for what witnesses and nodes sign. Shops take part over the WebSocket /v1/rounds/live.' },
    paths: Object.fromEntries(operations.map((operation) => [operation.path, { [operation.request === undefined ? 'get' : 'post']: describe(operation) }])),
    components: { schemas: { Error: jsonSchemaOf(errorSchema) } },
  };
}

function describe({ summary, body, parameters, isCacheable, request }: Operation): JsonObject {
  const content = typeof body === 'string' ? { [body]: { schema: { type: 'string', format: 'binary' } } } : { 'application/json': { schema: jsonSchemaOf(body) } };
  const failure = { description: 'Error', content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
  return {
    summary,
    ...(parameters === undefined || parameters.length === 0 ? {} : { parameters }),
    ...(request === undefined ? {} : { requestBody: request }),
    responses: { 200: { description: 'OK', content }, ...(isCacheable === true ? { 304: { description: 'Not modified' } } : {}), default: failure },
  };
}

function jsonSchemaOf(schema: z.ZodType): JsonObject {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as JsonObject;
  return rest;
}
