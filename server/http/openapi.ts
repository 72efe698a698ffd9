/** The OpenAPI 3.1 document, generated from the schemas that answers are made of. */
import { z } from 'zod';
import { certificateAnswerSchema, nodesPath, requestSchemas, revocationAnswerSchema, tokenAnswerSchema } from '../../shared/identity/requests.ts';
import { envelopeHeaderSchema } from '../../shared/protocol/envelope.ts';
import { budgetSchema, cosignedSchema, errorSchema, federationSchema, healthSchema, readinessSchema, roundsSchema } from './schemas.ts';

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

const operations: readonly Operation[] = [
  { path: '/.well-known/cesta.json', summary: 'Who the coordinator is and what it serves', body: federationSchema },
  { path: '/healthz', summary: 'Whether the process answers', body: healthSchema },
  { path: '/readyz', summary: 'Whether the process can do its work', body: readinessSchema },
  { path: '/metrics', summary: 'Figures of the coordinator and its process, in the text format of Prometheus', body: noteText },
  { path: '/v1/model', summary: 'The current release: a tensor file with a signed manifest', body: releaseFile, isCacheable: true },
  {
    path: '/v1/model/{version}',
    summary: 'One release, for ever the same',
    body: releaseFile,
    isCacheable: true,
    parameters: [{ name: 'version', in: 'path', required: true, description: 'Number, or SHA-256 of the file', schema: { type: 'string' } }],
  },
  { path: '/v1/catalogue', summary: 'The products of the task, sorted by id; the ETag is the catalogue hash', body: z.array(z.looseObject({ id: z.string() })), isCacheable: true },
  {
    path: '/v1/rounds',
    summary: 'The journal of rounds, oldest first',
    body: roundsSchema,
    parameters: [{ name: 'after', in: 'query', required: false, description: 'Only rounds with a higher number', schema: { type: 'integer', minimum: 0 } }],
  },
  { path: '/v1/budget', summary: 'What the task promises its shoppers and has spent', body: budgetSchema },
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
    ...(parameters === undefined ? {} : { parameters }),
    ...(request === undefined ? {} : { requestBody: request }),
    responses: { 200: { description: 'OK', content }, ...(isCacheable === true ? { 304: { description: 'Not modified' } } : {}), default: failure },
  };
}

function jsonSchemaOf(schema: z.ZodType): JsonObject {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as JsonObject;
  return rest;
}
