/**
 * A federation task, as an operator asks for it, and the plans of its rounds. Whatever the coordinator cannot
 * enforce is refused here, with the field and the reason, before anybody is invited.
 */
import * as z from 'zod';
import type { Catalogue } from '../commerce/catalogue.ts';
import { calibrateGrid } from '../privacy/grid-calibration.ts';
import { solveGrid } from '../privacy/grid.ts';
import { modelKinds, type AnyFederatedModel } from '../recommender/federated-model.ts';
import { CestaError } from '../protocol/errors.ts';
import { protocolVersion, parsePlan, privacyModes, type Bounds, type Plan, type PrivacyPlan } from './plan.ts';

const count = z.number().int().positive();
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
    /** L2 norm of one shopper's contribution; by default what the model guarantees. */
    clipNorm: z.number().gt(0).optional(),
  }),
  cohort: z.strictObject({
    minParticipants: count,
    targetParticipants: count,
    /** Invitations per wanted report: 1.3 invites 130 %. */
    overSelection: z.number().min(1).max(10).default(1.3),
  }),
  deadlines: z.strictObject({ recruitingMs: count, trainingMs: count }),
  maxShoppersPerShop: count.max(10_000_000).default(5_000),
});

export type TaskSpec = Readonly<z.infer<typeof taskSpecSchema>>;

/** @throws CestaError `plan.invalid` */
export function parseTaskSpec(value: unknown): TaskSpec {
  const parsed = taskSpecSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('plan.invalid', `task: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** The squared share of the clip norm that the count slot takes: one shopper counts as a tenth of the norm. */
const countShare = 0.01;

export interface PlanContext {
  readonly model: AnyFederatedModel;
  readonly catalogue: Catalogue;
  /** 1 for the first round of the task. */
  readonly roundNumber: number;
  /** Address of the release the round starts from. */
  readonly baseRelease: string | null;
}

/**
 * The plan of one round.
 * @throws CestaError `privacy.mode-unavailable`, `privacy.invalid`, `privacy.infeasible` or `plan.invalid`
 */
export function makePlan(task: TaskSpec, { model, catalogue, roundNumber, baseRelease }: PlanContext): Plan {
  const { minParticipants, targetParticipants, overSelection } = task.cohort;
  const cohort = { minParticipants, targetParticipants, maxParticipants: Math.ceil(targetParticipants * overSelection) };
  const statisticLength = model.statisticLength() + 1;
  const { bounds, privacy } = protect(task, model, statisticLength, cohort.maxParticipants);
  return parsePlan({
    protocol: protocolVersion,
    task: task.name,
    round: `${task.name}-${roundNumber}`,
    model: { kind: model.kind, hyperParameters: model.hyperParameters },
    catalogueHash: catalogue.hash,
    statisticLength,
    bounds,
    privacy,
    cohort,
    deadlines: task.deadlines,
    baseRelease,
  });
}

function protect(task: TaskSpec, model: AnyFederatedModel, length: number, maxParticipants: number): { bounds: Bounds; privacy: PrivacyPlan } {
  const { mode, epsilon, delta, rounds } = task.privacy;
  const maxShoppers = task.maxShoppersPerShop * maxParticipants;
  switch (mode) {
    case 'none': {
      if (epsilon !== undefined || delta !== undefined) throw new CestaError('privacy.invalid', 'privacy.epsilon: expected none in mode none, got a value that nothing would enforce');
      const rowCap = model.entryBound;
      const { gridScale } = solveGrid({ maxShoppers, rowCap: Math.max(rowCap, 1), noiseStd: 0, localNoiseStd: 0, modulusBits: 32 });
      return {
        bounds: { clipNorm: null, rowCap, countValue: 1, gridScale, modulusBits: 32, maxShoppersPerShop: task.maxShoppersPerShop },
        privacy: { mode: 'none' },
      };
    }
    case 'local': {
      if (epsilon === undefined || delta === undefined) throw new CestaError('privacy.invalid', 'privacy: expected epsilon and delta in mode local, got none');
      return protectLocally({ epsilon, delta, rounds }, task, model, { length, maxShoppers, maxParticipants });
    }
    case 'distributed':
      throw new CestaError('privacy.mode-unavailable', 'privacy.mode: expected none or local, got distributed, which needs secure aggregation');
    case 'central':
      throw new CestaError('privacy.mode-unavailable', 'privacy.mode: expected none or local, got central, which exists in experiments only: the coordinator would see un-noised sums');
    default:
      return mode satisfies never;
  }
}

function protectLocally(
  promise: { epsilon: number; delta: number; rounds: number },
  task: TaskSpec,
  model: AnyFederatedModel,
  size: { length: number; maxShoppers: number; maxParticipants: number },
): { bounds: Bounds; privacy: PrivacyPlan } {
  const { epsilon, delta, rounds } = promise;
  const modelNorm = task.privacy.clipNorm ?? model.normBound;
  if (!Number.isFinite(modelNorm)) {
    throw new CestaError('privacy.invalid', `privacy.clipNorm: expected a positive number, since contributions of ${model.kind} have no natural bound, got none`);
  }
  // Joint norm of the model part and the count slot: C^2 = modelNorm^2 + countValue^2.
  const clipNorm = modelNorm / Math.sqrt(1 - countShare);
  const countValue = clipNorm * Math.sqrt(countShare);
  const rowCap = Math.min(model.entryBound, modelNorm);
  const { gridScale, noiseStd } = calibrateGrid({
    epsilon,
    delta,
    rounds,
    clipNorm,
    rowCap: Math.max(rowCap, countValue),
    length: size.length,
    maxShoppers: size.maxShoppers,
    maxParticipants: size.maxParticipants,
    // Nobody else's noise is counted on in this mode.
    honestShares: 1,
    modulusBits: 32,
  });
  return {
    bounds: { clipNorm, rowCap, countValue, gridScale, modulusBits: 32, maxShoppersPerShop: task.maxShoppersPerShop },
    privacy: { mode: 'local', epsilon, delta, rounds, noiseStd, mechanism: 'skellam' },
  };
}
