/** What the HTTP API answers with: the source of its OpenAPI document, and what its tests parse. */
import { z } from 'zod';
import { canaryVerdictSchema } from '../../shared/evaluation/exposure-canary.ts';
import { gateVerdictSchema } from '../../shared/evaluation/gate-rule.ts';
import { planSchema, privacyModes } from '../../shared/federation/plan.ts';
import { processorSchema, publicJurisdictionSchema } from '../../shared/policy/accountability.ts';
import { precisions } from '../../shared/recommender/quantised-rows.ts';
import { isErrorCode, type ErrorCode } from '../../shared/protocol/error-table.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const errorCode = z.string().refine((code): code is ErrorCode => isErrorCode(code), 'expected a known error code');

export { errorSchema } from '../../shared/protocol/openapi.ts';

export const healthSchema = z.object({ status: z.literal('ok') });

export const readinessSchema = z.object({ status: z.literal('ready'), phase: z.string() });

/** Where a shop or a storefront starts: who the coordinator is and what it serves. */
export const federationSchema = z.object({
  protocol: z.number().int(),
  /** The main one: it is meant where no task is named. */
  task: z.string(),
  /** All of them; each has its paths below `/v1/tasks/NAME`. */
  tasks: z.array(z.string()),
  model: z.string(),
  /** Ed25519, hex: signs plans and releases. */
  publicKey: digest,
  /** Null until the union of what shops publish is fixed. */
  catalogueHash: digest.nullable(),
  /** The current release, or null before the first. */
  version: z.number().int().nullable(),
  sha256: digest.nullable(),
  /** WebSocket of the rounds, below this server. */
  live: z.string(),
  /** What decides the order of a shelf, in words (Art. 27 DSA). */
  parameters: z.array(z.string()),
  privacy: z.object({
    mode: z.string(),
    /** Whom the figures protect. */
    unit: z.string(),
    delta: z.number().nullable(),
    epsilonLimit: z.number().nullable(),
    epsilonSpent: z.number().nullable(),
  }),
  controller: z.object({ name: z.string(), contact: z.string().nullable() }).nullable(),
  jurisdiction: publicJurisdictionSchema.nullable(),
  /** Empty where the operator named none. */
  processors: z.array(processorSchema),
});

export const taskSchema = z.object({
  task: z.string(),
  model: z.string(),
  mode: z.enum(privacyModes),
  /** What the operator decided. */
  state: z.enum(['active', 'paused', 'cancelled']),
  phase: z.string(),
  /** The release that is served, or null before the first. */
  version: z.number().int().nullable(),
  sha256: digest.nullable(),
  /** Why no further round opens; null while one may. `code` is null when everything asked for is done. */
  over: z.object({ code: errorCode.nullable(), message: z.string() }).nullable(),
});

/** The main task first. */
export const tasksSchema = z.object({ tasks: z.array(taskSchema) });

export const roundSchema = z.object({
  round: z.string(),
  number: z.number().int(),
  purpose: z.enum(['training', 'evaluation']),
  state: z.enum(['recruiting', 'training', 'done', 'failed']),
  planHash: digest,
  plan: planSchema,
  openedAt: z.string(),
  trainingAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  /** Members once training starts, reports in the sum once it is done. */
  participants: z.number().int().nullable(),
  failure: z.object({ code: errorCode, message: z.string() }).nullable(),
  /** Of an evaluation that is done: noised scores, and what was decided; null for all others. */
  result: gateVerdictSchema.nullable(),
  /** What the round costs by itself, at the task's delta; null where nothing is promised. */
  epsilon: z.number().nullable(),
  /** What became of the round's share of the budget. */
  budget: z.enum(['reserved', 'committed', 'abandoned']).nullable(),
});

export const roundsSchema = z.object({
  rounds: z.array(roundSchema),
  /** Pass as `after` for the next page; null on the last one. */
  next: z.number().int().nullable(),
});

export const releasesSchema = z.object({
  releases: z.array(z.object({
    version: z.number().int(),
    sha256: digest,
    round: z.string(),
    createdAt: z.string(),
    /** `serving`: GET /v1/model. `served`: once. `candidate`: held back, and nobody has decided yet. */
    state: z.enum(['serving', 'served', 'candidate', 'rejected']),
    /** The version whose parameters it serves again. */
    restores: z.number().int().nullable(),
    /** Spent by the task up to and including the round; null where nothing is promised. */
    epsilon: z.number().nullable(),
    /** In the sum of the round, as released. */
    shoppers: z.number(),
    /** What a canary held it back for when it was made, whatever became of it since. */
    canary: canaryVerdictSchema.nullable(),
  })),
  /** Pass as `before` for the next page; null on the last one. */
  next: z.number().int().nullable(),
});

export const budgetSchema = z.object({
  task: z.string(),
  mode: z.enum(['none', 'local', 'distributed']),
  unit: z.string(),
  adjacency: z.string(),
  delta: z.number().nullable(),
  epsilonLimit: z.number().nullable(),
  epsilonSpent: z.number().nullable(),
  epsilonLeft: z.number().nullable(),
  /** For a person who is a shopper of `shopsPerShopper` shops. */
  epsilonAcrossShops: z.number().nullable(),
  shopsPerShopper: z.number().int(),
  /** The Renyi order of the budget's filter, and the share of its limit that is used. */
  filterOrder: z.number().int().nullable(),
  filterUsed: z.number().nullable(),
  /** Composed Renyi divergence of everything charged, at fixed orders. */
  rdp: z.object({ orders: z.array(z.number()), values: z.array(z.number()) }).nullable(),
  /** What the same releases tell about one whole shop, or where that is the unit about one of its shoppers. */
  shopLedger: z.object({ unit: z.string(), adjacency: z.string(), epsilon: z.number() }).nullable(),
  shopperLedger: z.object({ unit: z.string(), adjacency: z.string(), epsilon: z.number() }).nullable(),
  /** Of training, and beside them evaluations of releases. */
  roundsCharged: z.number().int(),
  evaluationsCharged: z.number().int(),
  roundsLeft: z.number().int(),
  state: z.enum(['open', 'exhausted', 'unlimited']),
  assumptions: z.array(z.string()),
  threatModel: z.string(),
});

/** What became of a cosignature: the head it is over, and how many that has now. */
export const cosignedSchema = z.object({ size: z.number().int(), cosignatures: z.number().int() });

/** `?after=3`: rounds with a higher number. */
export const roundsQuerySchema = z.object({ after: z.coerce.number().int().nonnegative().default(0) });

/** `?precision=int8`: the form of a release to rank with; without it the release itself, to train from. */
export const modelQuerySchema = z.object({ precision: z.enum(precisions).optional() });

/** `?before=3`: releases with a lower version. */
export const releasesQuerySchema = z.object({ before: z.coerce.number().int().positive().default(Number.MAX_SAFE_INTEGER) });
