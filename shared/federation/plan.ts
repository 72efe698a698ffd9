/**
 * The plan of a round: one model definition, one privacy plan, one cohort rule, hashed as a whole. Both sides
 * compute the hash from the same canonical JSON, so neither can train under terms the other did not see.
 */
import * as z from 'zod';
import { modelKinds } from '../recommender/federated-model.ts';
import { canonicalJson, type Json } from '../protocol/canonical-json.ts';
import { sha256Hex } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';

export const protocolVersion = 1;

const positive = z.number().finite().positive();
const count = z.number().int().positive();
const jsonSchema: z.ZodType<Json> = z.json();

/**
 * Bounds of one shopper's contribution and of the ring it is summed in. A contribution is the model's vector
 * and one count slot; its joint L2 norm is at most `clipNorm`.
 */
const boundsSchema = z.strictObject({
  /** L2 norm of one shopper's whole contribution (model part and count slot), or null where nothing is clipped. */
  clipNorm: positive.nullable(),
  /** Largest |entry| of the model part. */
  rowCap: positive,
  /** What one shopper adds to the count slot, in the units of the clip norm. */
  countValue: positive,
  /** Grid steps per unit: a power of two. */
  gridScale: positive.refine((scale) => Number.isInteger(Math.log2(scale)), 'expected a power of two'),
  modulusBits: z.literal(32),
  /** Shoppers that one shop may sum; the ring holds `maxParticipants` times as many. */
  maxShoppersPerShop: count,
});

/** How the sum is protected. `noiseStd` is in the units of the clip norm. */
const privacySchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('none') }),
  z.strictObject({
    /** Every shop adds all the noise itself: the guarantee holds against the coordinator with nobody trusted. */
    mode: z.literal('local'),
    epsilon: positive,
    delta: z.number().gt(0).lt(1),
    /** Rounds that together spend (epsilon, delta). */
    rounds: count,
    noiseStd: positive,
    mechanism: z.literal('skellam'),
  }),
]);

const cohortSchema = z.strictObject({
  /** Fewer reports than this and the round fails: no sum is released. */
  minParticipants: count,
  /** The round closes as soon as this many have reported. */
  targetParticipants: count,
  /** Invited at most: over-selection against drop-outs. */
  maxParticipants: count,
}).refine(({ minParticipants, targetParticipants, maxParticipants }) => minParticipants <= targetParticipants && targetParticipants <= maxParticipants,
  'expected minParticipants <= targetParticipants <= maxParticipants');

const deadlinesSchema = z.strictObject({
  recruitingMs: count,
  trainingMs: count,
});

export const planSchema = z.strictObject({
  protocol: z.literal(protocolVersion),
  task: z.string().min(1).max(64),
  /** Unique in the federation: task name and number. */
  round: z.string().min(1).max(96),
  model: z.strictObject({ kind: z.enum(modelKinds), hyperParameters: z.record(z.string(), jsonSchema) }),
  catalogueHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Length of the statistic: the model's vector and the count slot behind it. */
  statisticLength: count.max(1 << 28),
  bounds: boundsSchema,
  privacy: privacySchema,
  cohort: cohortSchema,
  deadlines: deadlinesSchema,
  /** Digest of the release whose parameters this round starts from; null for the catalogue's own. */
  baseRelease: z.string().regex(/^[0-9a-f]{64}$/).nullable(),
});

export type Plan = Readonly<z.infer<typeof planSchema>>;
export type Bounds = Plan['bounds'];
export type PrivacyPlan = Plan['privacy'];
export type Cohort = Plan['cohort'];

/** What a user may ask for; `distributed` and `central` are words of the design that a coordinator may have to refuse. */
export const privacyModes = ['none', 'local', 'distributed', 'central'] as const;
export type PrivacyMode = (typeof privacyModes)[number];

/** @throws CestaError `plan.invalid` naming the field. */
export function parsePlan(value: unknown): Plan {
  const parsed = planSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('plan.invalid', `plan: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** SHA-256 of the plan's canonical JSON, lower-case hex. */
export function planHash(plan: Plan): string {
  return sha256Hex(new TextEncoder().encode(canonicalJson(plan)));
}

/** What the coordinator's key signs on an invitation. */
export function planStatement(hash: string): Uint8Array {
  return new TextEncoder().encode(`cesta/plan/v1\n${hash}`);
}

/** Standard deviation of the noise in the sum of `participants` reports, in the units of the clip norm. */
export function totalNoiseStd(privacy: PrivacyPlan, participants: number): number {
  switch (privacy.mode) {
    case 'none':
      return 0;
    case 'local':
      return privacy.noiseStd * Math.sqrt(participants);
    default:
      return privacy satisfies never;
  }
}
