/**
 * The plan of a round: one model definition, one privacy plan, one cohort rule, hashed as a whole. Both sides
 * compute the hash from the same canonical JSON, so neither can train under terms the other did not see.
 */
import * as z from 'zod';
import { longestStatistic, statisticKinds } from '../recommender/federated-model.ts';
import { canonicalJson, type Json } from '../protocol/canonical-json.ts';
import { sha256Hex } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import { protocolVersion } from '../protocol/version.ts';
import { componentsFor, fewestParticipants, fewestRingBits, mostComponents, mostParticipants } from '../secagg/terms.ts';
import { robustSchema, type RobustSpec } from './robust/rule.ts';
import { robustComplaint } from './robust/terms.ts';
import { sessionCohort } from './session-cohort.ts';
import { strategySchema } from './strategies/strategy.ts';

export { protocolVersion };

const positive = z.number().finite().positive();
const count = z.number().int().positive();
const jsonSchema: z.ZodType<Json> = z.json();

/**
 * Bounds of one contribution, of a shopper or where the unit is the shop of a shop, and of the ring it is summed in. It
 * is the model's vector, one count slot and, where the clip norm adapts, one slot for a bit; its joint L2 norm is at most
 * `clipNorm`.
 */
const boundsSchema = z.strictObject({
  /** How a contribution becomes integers: entry by entry, or rotated and rounded at random (dense vectors). */
  encoding: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('sparse') }),
    z.strictObject({
      kind: z.literal('rotated'),
      /** Coordinates before padding to a power of two: the model's vector and the slots behind it. */
      vectorLength: count,
      /** Public seed of the rotation. */
      rotationSeed: z.number().int().min(-(2 ** 31)).max(2 ** 32 - 1),
    }),
  ]),
  /** L2 norm of one shopper's whole contribution (model part and slots), or null where nothing is clipped. */
  clipNorm: positive.nullable(),
  /** Largest |entry| of the model part. */
  rowCap: positive,
  /** What one contribution of weight 1 adds to the count slot, in the units of the clip norm. */
  countValue: positive,
  /**
   * What one shopper adds to the last slot, with the sign of whether its norm was within the clip norm; null where
   * the clip norm is fixed. `quantile` and `rate` say how the next round's clip norm follows.
   */
  clipBit: z.strictObject({ value: positive, quantile: z.number().min(0).max(1), rate: positive }).nullable(),
  /** Grid steps per unit: a power of two. */
  gridScale: positive.refine((scale) => Number.isInteger(Math.log2(scale)), 'expected a power of two'),
  /** The sum is read modulo 2^modulusBits. */
  modulusBits: z.number().int().min(8).max(32),
  /** Contributions that one shop may sum, 1 where the unit is the shop; the ring holds `maxParticipants` times as many. */
  maxShoppersPerShop: count,
}).refine(({ encoding, modulusBits }) => encoding.kind === 'rotated' || modulusBits === 32, 'modulusBits: expected 32 with the sparse encoding');

/** What a plan with noise promises. `noiseStd` is in the units of the clip norm. */
const promise = {
  epsilon: positive,
  delta: z.number().gt(0).lt(1),
  /** Training rounds of the task, which spend (epsilon, delta) together, with their evaluations where there are any. */
  rounds: count,
  /** The part of the promise that this round may take; without it, rounds take equal parts of all of it. */
  share: z.number().gt(0).optional(),
  /** Noise that the promise needs: in every report in mode `local`, in the sum, or each group's, in mode `distributed`. */
  noiseStd: positive,
  mechanism: z.literal('skellam'),
  /** Every shop takes each of its shoppers with this probability, independently, and tells nobody whom; 1: all. */
  sampling: z.number().gt(0).max(1),
  /** The Renyi order at which the task's budget is filtered, fixed before its first round. */
  filterOrder: z.number().int().min(2),
  /** Shops that one person may be a shopper of: the budget is stated for that person as well. */
  shopsPerShopper: count,
};

/** How the sum is protected. */
const privacySchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('none') }),
  /** Every shop adds all the noise itself: the guarantee holds against the coordinator with nobody trusted. */
  z.strictObject({ mode: z.literal('local'), ...promise }),
  /** Reports are masked and the coordinator sees their sum only; every shop adds a share of the noise. */
  z.strictObject({
    mode: z.literal('distributed'),
    ...promise,
    /** Dropouts of each sum, after its roster is fixed, for which removable noise makes up; beyond them nothing is revealed. */
    tolerated: z.number().int().min(0).max(mostParticipants),
    /** Dropouts that one component of removable noise makes up for; absent: one. */
    dropoutStep: count.max(mostParticipants).optional(),
    /** Shops in the sum whose noise is not counted on: those that may collude with the coordinator or one another. */
    colluding: z.number().int().min(0),
  }),
]);

const cohortSchema = z.strictObject({
  /**
   * Fewer reports than this and the round fails: no sum is released. Where members are drawn into groups, this is their
   * number at the start, and each group that falls below its part of it is left out.
   */
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

/** Each older plan that reports may still come for holds a vector at the coordinator. */
export const largestStaleness = 100;

export const planSchema = z.strictObject({
  protocol: z.literal(protocolVersion),
  task: z.string().min(1).max(64),
  /** Unique in the federation: task name and number. */
  round: z.string().min(1).max(96),
  model: z.strictObject({ kind: z.enum(statisticKinds), hyperParameters: z.record(z.string(), jsonSchema) }),
  catalogueHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Length of the statistic: the model's vector and the slots behind it, padded where it is rotated. */
  statisticLength: count.max(longestStatistic),
  bounds: boundsSchema,
  privacy: privacySchema,
  cohort: cohortSchema,
  deadlines: deadlinesSchema,
  /** Digest of the release whose parameters this round starts from; null for the catalogue's own. */
  baseRelease: z.string().regex(/^[0-9a-f]{64}$/).nullable(),
  /**
   * Only where the task is buffered: a report that comes after the round has closed counts in a later sum, as long as at
   * most `maxStaleness` releases were made since `baseRelease`.
   */
  aggregation: z.strictObject({ kind: z.literal('buffered'), maxStaleness: count.max(largestStaleness) }).optional(),
  /** Whose contribution is clipped and hidden: one shopper's, if absent; or that of all shoppers of a shop together. */
  unit: z.literal('shop').optional(),
  /** How the mean change becomes a step; never without a model that trains locally. Absent where the model updates its parameters by itself. */
  strategy: strategySchema.optional(),
  /**
   * A contribution of n events counts min(n, weightedUpTo) / weightedUpTo, in the vector and in the count: see
   * statistic.ts for what that means for the sensitivity. Absent: all count 1.
   */
  weightedUpTo: count.optional(),
  /** How reports, or sums of groups of them, are combined; absent: added up. */
  robust: z.optional(robustSchema),
})
  .refine(({ privacy }) => privacy.mode !== 'distributed' || componentsFor(privacy) <= mostComponents, `privacy.dropoutStep: expected at most ${mostComponents} components of noise for privacy.tolerated`)
  // With groups, a sum is that of one group, and so is what has to hold of its members.
  .refine((plan) => honestShares(plan) >= 1, 'cohort.minParticipants: expected more in each sum than privacy.tolerated and privacy.colluding together')
  // Two survivor sets of `threshold` signatures each would take a third of double signers.
  .refine((plan) => plan.privacy.mode !== 'distributed' || 3 * plan.privacy.colluding < sessionCohort(plan).minParticipants, 'privacy.colluding: expected less than a third of cohort.minParticipants, of each group where there are groups')
  .refine((plan) => plan.privacy.mode !== 'distributed' || sessionCohort(plan).minParticipants >= fewestParticipants, `cohort.minParticipants: expected at least ${fewestParticipants} in mode distributed, for each group where there are groups`)
  .refine(({ privacy, aggregation }) => privacy.mode !== 'distributed' || aggregation === undefined, 'aggregation: expected none in mode distributed')
  .refine(({ privacy, bounds }) => privacy.mode !== 'distributed' || bounds.modulusBits >= fewestRingBits, `bounds.modulusBits: expected at least ${fewestRingBits} in mode distributed`)
  .superRefine(({ robust, privacy: { mode }, aggregation, cohort, statisticLength }, context) => {
    const complaint = robust === undefined ? null : robustComplaint({ robust, mode, isBuffered: aggregation !== undefined, ...cohort, statisticLength });
    if (complaint !== null) context.addIssue({ code: 'custom', ...complaint });
  })
  .refine(({ unit, bounds }) => unit === undefined || bounds.maxShoppersPerShop === 1, 'bounds.maxShoppersPerShop: expected 1 with unit shop')
  // Sampling hides who was in the sum. The coordinator sees which shops are.
  .refine(({ unit, privacy }) => unit === undefined || privacy.mode === 'none' || privacy.sampling === 1, 'privacy.sampling: expected 1 with unit shop')
  // What rounds take more than their equal part of, others would have to do without.
  .refine(({ privacy }) => privacy.mode === 'none' || privacy.share === undefined || privacy.share <= 1 / privacy.rounds, 'privacy.share: expected at most 1 / privacy.rounds');

/**
 * The terms of one round, as every participant is sent them.
 * @interface
 */
export type Plan = Readonly<z.infer<typeof planSchema>>;
export type Bounds = Plan['bounds'];
export type PrivacyPlan = Plan['privacy'];

interface SumTerms {
  readonly privacy: z.infer<typeof privacySchema>;
  readonly cohort: z.infer<typeof cohortSchema>;
  readonly robust?: RobustSpec | undefined;
}

/** Shares of noise that the guarantee of each sum counts on at the least: 1 where every share is all of it. */
export function honestShares({ privacy, ...members }: SumTerms): number {
  return privacy.mode === 'distributed' ? sessionCohort(members).minParticipants - privacy.tolerated - privacy.colluding : 1;
}

/** What a round is for: its sum makes a release, or scores some. */
export type Purpose = 'training' | 'evaluation';

export function purposeOf({ model }: Pick<Plan, 'model'>): Purpose {
  return model.kind === 'evaluation' ? 'evaluation' : 'training';
}

/** How many rounds like this one would spend all of the promise: no whole number where it is shared unequally. */
export function equalRounds({ rounds, share }: { readonly rounds: number; readonly share?: number | undefined }): number {
  return share === undefined ? rounds : 1 / share;
}

/** Slots behind the model's vector: the count, and the bit where the clip norm adapts. */
export function slotsOf({ clipBit }: Pick<Bounds, 'clipBit'>): number {
  return clipBit === null ? 1 : 2;
}

/** Coordinates of one contribution, slots included and before any padding. */
export function contributionLength({ bounds: { encoding }, statisticLength }: Pick<Plan, 'bounds' | 'statisticLength'>): number {
  return encoding.kind === 'rotated' ? encoding.vectorLength : statisticLength;
}

/**
 * L2 norm left for the model's part of a contribution beside the slots; Infinity where nothing is clipped. The root
 * may round up; four units in the last place keep the joint norm within the clip norm for certain.
 */
export function modelNorm({ clipNorm, countValue, clipBit }: Bounds): number {
  if (clipNorm === null) return Infinity;
  return Math.sqrt(clipNorm ** 2 - countValue ** 2 - (clipBit?.value ?? 0) ** 2) * (1 - 2 ** -50);
}

/** What a user may ask for; `central` is a word of experiments that a coordinator refuses. */
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

/**
 * Standard deviation of the noise in the sum of `participants` reports, in the units of the clip norm. With a `dropoutStep` above 1,
 * after dropouts, it is the least there is: the variance may be 1 + (dropoutStep - 1) / {@link honestShares} times as much.
 */
export function totalNoiseStd(privacy: PrivacyPlan, participants: number): number {
  switch (privacy.mode) {
    case 'none':
      return 0;
    case 'local':
      return privacy.noiseStd * Math.sqrt(participants);
    case 'distributed':
      // Of the survivors' equal shares, those of the colluding are not counted on, and are in the sum all the same.
      return privacy.noiseStd * Math.sqrt(participants / (participants - privacy.colluding));
    default:
      return privacy satisfies never;
  }
}
