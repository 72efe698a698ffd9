/**
 * A federation task, as an operator asks for it, and the plans of its rounds. Whatever the coordinator cannot
 * enforce is refused here, with the field and the reason, before anybody is invited.
 */
import * as z from 'zod';
import type { Catalogue } from '../commerce/catalogue.ts';
import { canarySchema } from '../evaluation/exposure-canary.ts';
import { filterOrderOf } from '../privacy/budget.ts';
import { solveDense } from '../privacy/dense.ts';
import { calibrateGrid } from '../privacy/grid-calibration.ts';
import { solveGrid } from '../privacy/grid.ts';
import { modelKinds, type AnyStatistic } from '../recommender/federated-model.ts';
import { CestaError } from '../protocol/errors.ts';
import { fewestRingBits, mostParticipants } from '../secagg/terms.ts';
import { contributionsOf, localTermsOf, requireLocalTerms, withoutLocalTerms } from './local-terms.ts';
import { requireMaskable, withDropoutStep } from './masked-terms.ts';
import { sharesOf, type SharedNoise } from './noise-terms.ts';
import { jointNorms, rotatedGrid, sparseGrid, type PromisedPrivacy } from './noisy-bounds.ts';
import { robustSchema } from './robust/rule.ts';
import { robustComplaint } from './robust/terms.ts';
import { cohortOfSession, sessionCohort, sessionsOf } from './session-cohort.ts';
import { strategySchema } from './strategies/strategy.ts';
import { equalRounds, largestStaleness, protocolVersion, parsePlan, privacyModes, purposeOf, slotsOf, type Plan, type Purpose } from './plan.ts';

const count = z.number().int().positive();
/** A year. */
const longestIntervalSeconds = 31_622_400;
const jsonRecord = z.record(z.string(), z.json());

export const taskSpecSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and dashes'),
  model: z.strictObject({ kind: z.enum(modelKinds), hyperParameters: jsonRecord.default({}) }),
  privacy: z.strictObject({
    mode: z.enum(privacyModes),
    epsilon: z.number().gt(0).lte(1000).optional(),
    delta: z.number().gt(0).lt(1).optional(),
    /** Rounds that together may spend (epsilon, delta). */
    rounds: count.max(10_000).default(1),
    /** L2 norm of the model's part of one contribution; by default what the model guarantees. */
    clipNorm: z.number().gt(0).optional(),
    /**
     * Poisson sampling of shoppers: less noise, because nobody knows who was in the sum. It counts only if the shops
     * draw, in secret; a coordinator that draws knows.
     */
    sampling: z.strictObject({ rate: z.number().gt(0).lte(1), drawnBy: z.enum(['shop', 'coordinator']) }).optional(),
    /** `rotated` for models whose contributions are dense: fewer bits, at the price of random rounding. */
    encoding: z.enum(['sparse', 'rotated']).default('sparse'),
    /** The clip norm follows a quantile of the contributions' norms, starting from `clipNorm`. */
    adaptiveClip: z.strictObject({
      /** Shoppers expected in a sum: what the noise on the one bit of each is measured against. Public. */
      expectedShoppers: count,
      quantile: z.number().gt(0).lt(1).default(0.5),
      rate: z.number().gt(0).lte(1).default(0.2),
    }).optional(),
    /** Shops that one person may be a shopper of: the budget is stated for that person as well. */
    shopsPerShopper: count.max(1000).default(2),
    /** Mode `distributed`: dropouts of each sum to make up for; by default a fifth of the shops wanted in it, at most 20; for a quorum beyond 65,535 a twentieth of that. */
    tolerated: z.number().int().min(0).max(mostParticipants).optional(),
    /** Mode `distributed`: dropouts to a component of removable noise; by default one, or few enough that a plan can be run. */
    dropoutStep: count.max(mostParticipants).optional(),
    /** Mode `distributed`: shops that may collude, in one group if there are groups; by default a tenth of a sum's quorum, at least one. */
    colluding: z.number().int().min(0).optional(),
  }),
  cohort: z.strictObject({
    minParticipants: count,
    targetParticipants: count,
    /** Invitations per wanted report: 1.3 invites 130 %. */
    overSelection: z.number().min(1).max(10).default(1.3),
  }),
  deadlines: z.strictObject({ recruitingMs: count, trainingMs: count }),
  /** Sizes the ring of a sum where the unit is the shopper; shops contribute once each, whatever their size. */
  maxShoppersPerShop: count.max(10_000_000).default(5_000),
  schedule: z.strictObject({
    /** Rounds open at multiples of this time since the task was made; without it, as soon as shops are there. */
    everySeconds: count.max(longestIntervalSeconds).optional(),
    /** From the opening of one round to that of the next, at least. */
    minIntervalSeconds: z.number().int().min(0).max(longestIntervalSeconds).default(0),
  }).prefault({}),
  /** Releases after the first are scored by shops before they are served; without it, they are served at once. */
  gate: z.strictObject({
    /** Part of the promise that evaluations take; training has the rest. */
    share: z.number().gt(0).lte(0.5).default(0.1),
    /** How far below the served release's score a candidate's may be. */
    tolerance: z.number().gte(0).lt(1).default(0.05),
  }).optional(),
  /**
   * `buffered`: a round does not cut off members that are slow; their reports count, with less weight, in a later sum,
   * up to `maxStaleness` releases after the one that their plan started from.
   */
  aggregation: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('rounds') }),
    z.strictObject({ kind: z.literal('buffered'), maxStaleness: count.max(largestStaleness) }),
  ]).default({ kind: 'rounds' }),
  /**
   * `shop`: the change that all shoppers of a shop make together is one contribution. What is promised is about a shop's
   * data as a whole; for a single shopper of it, whose records change that contribution, epsilon is that of a pair.
   */
  unit: z.enum(['shopper', 'shop']).default('shopper'),
  strategy: strategySchema.optional(),
  weightedUpTo: count.optional(),
  robust: z.optional(robustSchema),
  /** A release in which an item jumps is held back as a candidate; without it, nothing is looked at. */
  canary: canarySchema.optional(),
}).refine(({ gate, privacy }) => gate === undefined || privacy.rounds > 1, { path: ['gate'], error: 'expected at least 2 rounds with it: the first release has nothing to be compared with' })
  .refine(({ aggregation, privacy }) => aggregation.kind === 'rounds' || privacy.mode !== 'distributed', {
    path: ['aggregation', 'kind'],
    message: 'expected rounds in mode distributed, got buffered: masks cancel only among reports of the same round',
  })
  .superRefine(({ robust, privacy: { mode }, aggregation, cohort }, context) => {
    const complaint = robust === undefined ? null : robustComplaint({ robust, mode, isBuffered: aggregation.kind === 'buffered', ...cohort });
    if (complaint !== null) context.addIssue({ code: 'custom', ...complaint });
  })
  .refine(({ unit, gate }) => unit === 'shopper' || gate === undefined, {
    path: ['gate'],
    message: 'expected none with unit shop, got one: releases are scored by shopper, and one budget has one unit',
  })
  .refine(({ canary, strategy }) => canary === undefined || strategy?.kind !== 'scaffold', {
    path: ['canary'],
    message: 'expected none with scaffold, got one: shops keep control variates from round to round, and those of a release that is held back would stay',
  })
  .refine(({ unit, privacy: { sampling } }) => unit === 'shopper' || sampling === undefined || sampling.rate === 1, {
    path: ['privacy', 'sampling', 'rate'],
    message: 'expected 1 with unit shop, got less: the coordinator sees which shops take part, so nothing is amplified',
  });

export type TaskSpec = Readonly<z.infer<typeof taskSpecSchema>>;

/** @throws CestaError `plan.invalid` */
export function parseTaskSpec(value: unknown): TaskSpec {
  const parsed = taskSpecSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('plan.invalid', `task: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

export interface PlanContext {
  /** What a round of training sums, or an evaluation of releases. */
  readonly model: AnyStatistic;
  readonly catalogue: Catalogue;
  /** 1 for the first round of the task. */
  readonly roundNumber: number;
  /** Address of the release the round starts from. */
  readonly baseRelease: string | null;
  /** What the last round's adaptive clipping arrived at; null in the first round, and where nothing adapts. */
  readonly clipNorm?: number | null;
}

/**
 * The plan of one round.
 * @throws CestaError `privacy.mode-unavailable`, `privacy.invalid`, `privacy.infeasible` or `plan.invalid`
 */
export function makePlan(task: TaskSpec, { model, catalogue, roundNumber, baseRelease, clipNorm = null }: PlanContext): Plan {
  const purpose = purposeOf({ model });
  const asked = purpose === 'evaluation' ? forEvaluation(task) : task;
  const local = {
    ...(task.aggregation.kind === 'buffered' && purpose === 'training' ? { aggregation: task.aggregation } : {}),
    ...localTermsOf(asked),
  };
  const robust = asked.robust === undefined ? {} : { robust: asked.robust };
  requireLocalTerms({ ...local, ...robust }, model);
  const { minParticipants, targetParticipants, overSelection } = task.cohort;
  const cohort = { minParticipants, targetParticipants, maxParticipants: Math.ceil(targetParticipants * overSelection) };
  const round = `${task.name}-${roundNumber}`;
  const plan = parsePlan({
    protocol: protocolVersion,
    task: task.name,
    round,
    model: { kind: model.kind, hyperParameters: model.hyperParameters },
    catalogueHash: catalogue.hash,
    ...withDropoutStep(protect(asked, model, { round, clipNorm, maxParticipants: sessionCohort({ cohort, ...robust }).maxParticipants }), { cohort, ...robust }, asked.privacy.dropoutStep),
    cohort,
    deadlines: task.deadlines,
    baseRelease,
    ...robust,
    ...local,
  });
  requireMaskable(plan);
  return plan;
}

/**
 * An evaluation is a few bounded numbers: what a task says of the model's contributions is not about them. It compares a
 * few sums of scores, in which every shopper counts: no rule combines them.
 */
function forEvaluation(task: TaskSpec): TaskSpec {
  if (task.gate === undefined) throw new CestaError('plan.invalid', `gate: expected one for an evaluation in task ${task.name}, got none`);
  const { clipNorm: _clipNorm, adaptiveClip: _adaptiveClip, ...privacy } = task.privacy;
  const { robust: _robust, ...rest } = withoutLocalTerms(task);
  return { ...rest, privacy: { ...privacy, encoding: 'sparse' } };
}

/** What one round takes of the promise: training and evaluations of all rounds together, all of it. */
function shareOf({ gate, privacy: { rounds } }: TaskSpec, purpose: Purpose): { readonly share?: number } {
  if (gate === undefined) return {};
  return { share: (purpose === 'evaluation' ? gate.share : 1 - gate.share) / rounds };
}

interface RoundTerms {
  readonly round: string;
  readonly clipNorm: number | null;
  /** In one sum: that of a group, where there are groups. */
  readonly maxParticipants: number;
}

/** How a round is protected, and the length that follows from it. */
type Protection = Pick<Plan, 'bounds' | 'privacy' | 'statisticLength'>;

function protect(task: TaskSpec, model: AnyStatistic, terms: RoundTerms): Protection {
  const { mode } = task.privacy;
  switch (mode) {
    case 'none':
      return leaveUnprotected(task, model, terms);
    case 'local':
      refuseShares(task);
      return protectWithNoise(task, model, terms, { mode });
    case 'distributed':
      return protectWithNoise(task, model, terms, { mode, ...sharesOf(task) });
    case 'central':
      throw new CestaError('privacy.mode-unavailable', 'privacy.mode: expected none, local or distributed, got central, which exists in experiments only: the coordinator would see un-noised sums');
    default:
      return mode satisfies never;
  }
}

/**
 * Largest |entry| of a shop's change in mode `none`, where no norm bounds it: weights are of the order of 1, and a round
 * that moves one by more has diverged. With one contribution a shop the grid is fine all the same.
 */
const largestShopEntry = 64;

function leaveUnprotected(task: TaskSpec, model: AnyStatistic, { maxParticipants }: RoundTerms): Protection {
  const { privacy } = task;
  const maxShoppersPerShop = contributionsOf(task);
  refuseShares(task);
  const given = (['epsilon', 'delta', 'clipNorm', 'sampling', 'adaptiveClip'] as const).find((field) => privacy[field] !== undefined);
  if (given !== undefined) throw new CestaError('privacy.invalid', `privacy.${given}: expected none in mode none, got a value that nothing would enforce`);
  if (privacy.encoding === 'rotated') throw new CestaError('privacy.invalid', 'privacy.encoding: expected sparse in mode none, got rotated, which needs a clip norm');
  const rowCap = task.unit === 'shop' ? largestShopEntry : model.entryBound;
  const { gridScale } = solveGrid({ maxShoppers: maxShoppersPerShop * maxParticipants, rowCap: Math.max(rowCap, 1), noiseStd: 0, localNoiseStd: 0, modulusBits: 32 });
  return {
    statisticLength: model.statisticLength() + 1,
    bounds: { encoding: { kind: 'sparse' }, clipNorm: null, rowCap, countValue: 1, clipBit: null, gridScale, modulusBits: 32, maxShoppersPerShop },
    privacy: { mode: 'none' },
  };
}

/** What a task promises, with its defaults; checked together, because the parts may contradict each other. */
function promiseOf({ privacy }: TaskSpec): PromisedPrivacy {
  const { epsilon, delta, rounds, sampling, mode } = privacy;
  if (epsilon === undefined || delta === undefined) throw new CestaError('privacy.invalid', `privacy: expected epsilon and delta in mode ${mode}, got none`);
  if (sampling !== undefined && sampling.drawnBy !== 'shop') {
    throw new CestaError('privacy.invalid', 'privacy.sampling.drawnBy: expected shop, got coordinator: a sample that the coordinator chooses is no secret from it, and amplifies nothing');
  }
  return { epsilon, delta, rounds, sampling: sampling?.rate ?? 1 };
}

type NoiseMode = { readonly mode: 'local' } | ({ readonly mode: 'distributed' } & SharedNoise);

function refuseShares({ privacy }: TaskSpec): void {
  const given = (['tolerated', 'dropoutStep', 'colluding'] as const).find((field) => privacy[field] !== undefined);
  if (given !== undefined) throw new CestaError('privacy.invalid', `privacy.${given}: expected none in mode ${privacy.mode}, where no shop counts on another's noise, got a value`);
}

function protectWithNoise(task: TaskSpec, model: AnyStatistic, terms: RoundTerms, noiseMode: NoiseMode): Protection {
  const promise = promiseOf(task);
  const filterOrder = filterOrderOf(promise);
  const share = shareOf(task, purposeOf({ model }));
  // What a model says of its contributions is about one shopper's.
  const isShop = task.unit === 'shop';
  const modelNorm = terms.clipNorm ?? task.privacy.clipNorm ?? (isShop ? Infinity : model.normBound);
  if (!Number.isFinite(modelNorm)) {
    throw new CestaError('privacy.invalid', `privacy.clipNorm: expected a positive number, since contributions of ${isShop ? 'a whole shop' : model.kind} have no natural bound, got none`);
  }
  // Toward zero, always: of dense vectors at the clip norm, epsilon 8 in 20 rounds, mode local, the sparse grid keeps 99 %
  // at 2,000 weights and 88 % at 400,000, and of entries below a step nothing; the rotated one keeps the mean of all.
  if (isShop && task.privacy.encoding === 'sparse') {
    throw new CestaError('privacy.invalid', 'privacy.encoding: expected rotated with unit shop and noise, got sparse, which rounds the small entries of a dense change toward zero');
  }
  const norms = jointNorms(task, promise, modelNorm);
  const rowCap = isShop ? modelNorm : Math.min(model.entryBound, modelNorm);
  const maxShoppersPerShop = contributionsOf(task);
  const vectorLength = model.statisticLength() + slotsOf(norms);
  const shared = {
    ...promise,
    rounds: equalRounds({ ...promise, ...share }),
    orders: [filterOrder],
    clipNorm: norms.clipNorm,
    maxShoppers: maxShoppersPerShop * terms.maxParticipants,
    maxParticipants: terms.maxParticipants,
    honestShares: noiseMode.mode === 'local' ? 1 : cohortOfSession(task.cohort, sessionsOf(task)).minParticipants - noiseMode.tolerated - noiseMode.colluding,
  };
  const grid = task.privacy.encoding === 'rotated'
    ? rotatedGrid(solveDense({ ...shared, length: vectorLength, ...(noiseMode.mode === 'distributed' ? { bits: fewestRingBits } : {}) }), { vectorLength, round: terms.round })
    : sparseGrid(calibrateGrid({ ...shared, rowCap: Math.max(rowCap, norms.countValue, norms.clipBit?.value ?? 0), length: vectorLength, modulusBits: 32 }), vectorLength);
  const { noiseStd, statisticLength, ...gridBounds } = grid;
  return {
    statisticLength,
    bounds: { ...gridBounds, ...norms, rowCap, maxShoppersPerShop },
    privacy: { ...noiseMode, ...promise, ...share, noiseStd, mechanism: 'skellam', filterOrder, shopsPerShopper: task.privacy.shopsPerShopper },
  };
}
