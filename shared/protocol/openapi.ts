/** OpenAPI 3.1 documents, generated from the schemas that answers are made of: the same for coordinators and shop nodes. */
import * as z from 'zod';
import { isErrorCode, type ErrorCode } from './error-table.ts';

export type JsonObject = Record<string, unknown>;

export interface Operation {
  readonly path: string;
  /** `get` without a request, else `post`, unless said. */
  readonly method?: 'get' | 'post' | 'put' | 'delete';
  /** The names of the security schemes of which it takes any one. */
  readonly security?: string | readonly string[];
  readonly summary: string;
  /** What the body is: a schema, or the media type of bytes. */
  readonly body: z.core.$ZodType | string;
  readonly parameters?: readonly JsonObject[];
  /** What is posted: a schema, or a text of so many bytes at most. */
  readonly request?: z.core.$ZodType | { readonly mediaType: string; readonly maxLength: number };
  /** Whether the answer carries a strong ETag and honours If-None-Match. */
  readonly isCacheable?: boolean;
}

const errorCode = z.string().refine((code): code is ErrorCode => isErrorCode(code), 'expected a known error code');

/** The body of every error. */
export const errorSchema = z.object({ error: z.object({ code: errorCode, message: z.string(), hint: z.string() }) });

export interface ApiDescription {
  readonly title: string;
  readonly description: string;
  readonly operations: readonly Operation[];
  /** As OpenAPI has them, by name. */
  readonly securitySchemes: JsonObject;
}

export function describeApi({ title, description, operations, securitySchemes }: ApiDescription): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const operation of operations) {
    const method = operation.method ?? (operation.request === undefined ? 'get' : 'post');
    paths[operation.path] = { ...paths[operation.path], [method]: describe(operation) };
  }
  return {
    openapi: '3.1.0',
    info: { title, version: '1', description },
    paths,
    components: { schemas: { Error: jsonSchemaOf(errorSchema, 'output') }, securitySchemes },
  };
}

function describe({ summary, body, parameters, isCacheable, security, request }: Operation): JsonObject {
  const content = typeof body === 'string' ? { [body]: { schema: { type: 'string', format: 'binary' } } } : { 'application/json': { schema: jsonSchemaOf(body, 'output') } };
  const failure = { description: 'Error', content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
  return {
    summary,
    ...(security === undefined ? {} : { security: [security].flat().map((scheme) => ({ [scheme]: [] })) }),
    ...(parameters === undefined || parameters.length === 0 ? {} : { parameters }),
    ...(request === undefined ? {} : { requestBody: { required: true, content: describeRequest(request) } }),
    responses: { 200: { description: 'OK', content }, ...(isCacheable === true ? { 304: { description: 'Not modified' } } : {}), default: failure },
  };
}

function describeRequest(request: NonNullable<Operation['request']>): JsonObject {
  if ('mediaType' in request) return { [request.mediaType]: { schema: { type: 'string', maxLength: request.maxLength } } };
  return { 'application/json': { schema: jsonSchemaOf(request, 'input') } };
}

/** `input`: what may be sent, where defaults fill in; `output`: what comes back. */
function jsonSchemaOf(schema: z.core.$ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonObject;
  return rest;
}
