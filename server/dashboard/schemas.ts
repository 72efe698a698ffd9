/** What the dashboard reads beside the public API: the coordinator at this moment, and what somebody measured of its releases. */
import * as z from 'zod';
import { privacyModes } from '../../shared/federation/plan.ts';

const count = z.number().int().nonnegative();

/** The round that is open, or the last one of this process. No participant is named. */
export const liveRoundSchema = z.object({
  task: z.string(),
  round: z.string(),
  number: count,
  purpose: z.enum(['training', 'evaluation']),
  phase: z.enum(['recruiting', 'training', 'masking', 'releasing', 'done', 'failed']),
  openedAt: z.string(),
  /** Of the phase; null where it has none of its own. */
  deadlineAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  invited: count,
  /** Invited and not yet answered. */
  waiting: count,
  joined: count,
  working: count,
  reported: count,
  /** Members that neither work nor have reported. */
  dropped: count,
  /** Invited, and no members: they declined, or were gone. */
  declined: count,
  /** Bytes of the whole coordinator since the round opened, until it ended. */
  bytesUp: count,
  bytesDown: count,
  version: count.nullable(),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type LiveRound = Readonly<z.infer<typeof liveRoundSchema>>;

export const liveTaskSchema = z.object({
  task: z.string(),
  model: z.string(),
  mode: z.enum(privacyModes),
  state: z.enum(['active', 'paused', 'cancelled']),
  phase: z.string(),
  over: z.object({ code: z.string().nullable(), message: z.string() }).nullable(),
  /** Number of its last round; 0 before the first. */
  rounds: count,
  release: z.object({ version: count, createdAt: z.string(), sha256: z.string() }).nullable(),
  epsilonSpent: z.number().nullable(),
  epsilonLimit: z.number().nullable(),
  delta: z.number().nullable(),
});
export type LiveTask = Readonly<z.infer<typeof liveTaskSchema>>;

/** `GET /v1/rounds/snapshot`, and each event of `GET /v1/rounds/stream`. */
export const liveSchema = z.object({
  /** When it was so. */
  at: z.string(),
  /** The main task first. */
  tasks: z.array(liveTaskSchema),
  round: liveRoundSchema.nullable(),
  connections: count,
  shopsReady: count,
  /** Of this process: all bytes of HTTP, payload of WebSocket frames. */
  bytesUp: count,
  bytesDown: count,
  /** Frames, connections and requests that were refused. */
  refused: count,
  logSize: count,
});
export type Live = Readonly<z.infer<typeof liveSchema>>;

const score = z.number().min(0).max(1);
const interval = z.tuple([score, score]);

/** Normalised discounted cumulative gain of the first ten, on purchases that nobody trained on. */
export const qualitySchema = z.strictObject({
  baselines: z.array(z.strictObject({ name: z.enum(['popularity', 'local-only', 'central']), ndcg10: score, ndcg10Interval: interval.optional() })).max(3),
  releases: z.array(z.strictObject({ task: z.string().max(64), version: z.number().int().positive(), ndcg10: score, ndcg10Interval: interval.optional(), label: z.string().max(200).optional() })).max(20_000),
  /** What was measured, and how. */
  note: z.string().max(2_000),
});
export type Quality = Readonly<z.infer<typeof qualitySchema>>;
