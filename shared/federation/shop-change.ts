/**
 * The contribution of a whole shop, where the unit is the shop: one training on all its shoppers, whose change of weights
 * is clipped and put on the grid as one vector. What moves the sum by at most the clip norm is the shop's data as a whole;
 * shoppers have no bound of their own, and two versions of one shop's data move it by up to twice as much.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import type { RandomWords } from '../numerics/random.ts';
import { createSparseVector } from '../numerics/sparse-vector.ts';
import { emptySum } from '../privacy/clip.ts';
import type { Clipped } from '../privacy/vectors.ts';
import { CestaError } from '../protocol/errors.ts';
import { localTrainerOf, type AnyStatistic, type LocalChange } from '../recommender/federated-model.ts';
import type { Plan } from './plan.ts';
import { contributionEncoder, contributionWeight } from './statistic.ts';
import { proximalWeight } from './strategies/fedprox.ts';
import { correctionOf, nextOwnControl } from './strategies/scaffold.ts';

/** SCAFFOLD's control variates: that of the federation, from the base release, and the shop's own. */
export interface Controls {
  readonly control: Float32Array;
  readonly own: Float32Array;
}

export interface ShopTraining {
  readonly plan: Plan;
  readonly model: AnyStatistic;
  readonly params: unknown;
  /** Those who consent, in the coordinates of the federation's catalogue. */
  readonly histories: readonly ShopperHistory[];
  /** Null but for plans with SCAFFOLD. */
  readonly controls: Controls | null;
  /** Orders shoppers, and rounds; never noise. */
  readonly random: RandomWords;
  /** Gives others their turn; rejects when training is to stop. */
  readonly pause: () => Promise<void>;
}

export interface ShopContribution {
  readonly sum: Clipped;
  /** The shop's own control variate after this round, should the round end in a release; null but for SCAFFOLD. */
  readonly own: Float32Array | null;
}

/**
 * Loads what the model computes with, and trains. A shop without anything to train on contributes nothing, and keeps
 * its control variate.
 * @throws CestaError `plan.invalid` for a model that cannot train so; `model.unusable` when its training is not what it says
 */
export async function contributeShop({ plan, model, params, histories, controls, random, pause }: ShopTraining): Promise<ShopContribution> {
  const local = localTrainerOf(model);
  if (local === null) throw new CestaError('plan.invalid', `unit: expected shopper for ${model.kind}, got shop`);
  const sum = emptySum(plan.statisticLength);
  const encode = contributionEncoder(sum, model, plan, random);
  // Before anything is asked of the data: what a report was computed with is told, and is no secret only if it always is.
  await model.prepare?.();
  if (histories.length === 0) return { sum, own: controls?.own ?? null };
  const steps = plan.strategy?.kind === 'scaffold' ? plan.strategy.localSteps : null;
  const correction = controls === null ? null : correctionOf(controls.control, controls.own);
  const trained = await local.train(params, histories, { random, proximal: proximalWeight(plan.strategy), correction, steps, pause });
  if (trained.steps === 0) return { sum, own: controls?.own ?? null };
  requireHonest(trained, { length: model.statisticLength(), steps, learningRate: local.learningRate });
  const events = histories.reduce((count, { items }) => count + items.length, 0);
  encode(entriesOf(trained.change), contributionWeight(plan, events));
  return { sum, own: controls === null ? null : nextOwnControl(controls.control, controls.own, trained) };
}

function entriesOf(change: Float32Array): ReturnType<typeof createSparseVector> {
  const entries = createSparseVector(Math.max(1, change.length));
  change.forEach((value, index) => value !== 0 && entries.add(index, value));
  return entries;
}

/** The coordinator reckons with these: a trainer that does otherwise would spoil every later round without a sound. */
function requireHonest({ change, steps, learningRate }: LocalChange, wanted: { readonly length: number; readonly steps: number | null; readonly learningRate: number | undefined }): void {
  if (change.length !== wanted.length) throw new CestaError('model.unusable', `local change: expected ${wanted.length} weights, got ${change.length}`);
  if (wanted.steps !== null && steps !== wanted.steps) throw new CestaError('model.unusable', `local steps: expected ${wanted.steps}, got ${steps}`);
  if (wanted.steps !== null && learningRate !== wanted.learningRate) throw new CestaError('model.unusable', `local rate: expected ${wanted.learningRate}, got ${learningRate}`);
}
