/** What operators send and get below `/v1/admin`: the source of its OpenAPI document, and what the command line parses. */
import { z } from 'zod';
import { privacyModes } from '../../shared/federation/plan.ts';
import { operatorNameSchema } from '../../shared/identity/requests.ts';
import { modelKinds } from '../../shared/recommender/federated-model.ts';
import { nodeEnrolments, nodePresences } from '../admin/nodes.ts';

/** Everything below it is for operators. */
export const adminPath = '/v1/admin';
export const sessionsPath = `${adminPath}/sessions`;

export const loginSchema = z.strictObject({ token: z.string().max(200), code: z.string().max(20) });
export const sessionSchema = z.strictObject({ session: z.string(), operator: operatorNameSchema, expiresAt: z.iso.datetime() });

export const taskStatusSchema = z.strictObject({
  name: z.string(),
  state: z.enum(['active', 'paused', 'cancelled']),
  /** What it is doing: `waiting`, the phase of its open round, `pausing`, `over` or `stopped`. */
  phase: z.string(),
  model: z.enum(modelKinds),
  mode: z.enum(privacyModes),
  version: z.number().int().nullable(),
  roundsCharged: z.number().int(),
  roundsPlanned: z.number().int(),
  /** Why no further round opens; the code is null when everything that was asked for is done. */
  over: z.strictObject({ code: z.string().nullable(), message: z.string() }).nullable(),
  createdAt: z.string(),
});
export const tasksSchema = z.strictObject({ tasks: z.array(taskStatusSchema) });

/** What is served after the change. */
export const servedSchema = z.strictObject({ version: z.number().int(), sha256: z.string(), restores: z.number().int().nullable() });
export const rejectedSchema = z.strictObject({ version: z.number().int() });

export const nodeStatusSchema = z.strictObject({
  name: z.string(),
  publicKey: z.string(),
  organisation: z.string().nullable(),
  /** `open`: known by first use alone, without a certificate. */
  enrolment: z.enum(nodeEnrolments),
  certificateExpires: z.string().nullable(),
  firstSeen: z.string().nullable(),
  lastSeen: z.string().nullable(),
  /** `ready`: may be invited. */
  connected: z.enum(nodePresences),
  inRound: z.boolean(),
});
export const nodesSchema = z.strictObject({ nodes: z.array(nodeStatusSchema) });

export const operatorsSchema = z.strictObject({ operators: z.array(z.strictObject({ name: operatorNameSchema, createdAt: z.string() })) });
export const newOperatorNameSchema = z.strictObject({ name: operatorNameSchema });
/** Shown once. */
export const credentialsSchema = z.strictObject({ name: operatorNameSchema, token: z.string(), otpauth: z.string() });

export const actionSchema = z.strictObject({
  number: z.number().int(),
  operator: z.string(),
  action: z.string(),
  target: z.string().nullable(),
  /** Id of the HTTP request, as the log has it. */
  request: z.string().nullable(),
  at: z.string(),
  /** `done` or a code; null while it is under way, and for ever where a crash came in between. */
  outcome: z.string().nullable(),
});
/** `next`: pass as `before` for older ones; null on the last page. */
export const actionsSchema = z.strictObject({ actions: z.array(actionSchema), next: z.number().int().nullable() });

export const pageSchema = z.strictObject({
  before: z.coerce.number().int().positive().default(Number.MAX_SAFE_INTEGER),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});
export const emptySchema = z.strictObject({});
