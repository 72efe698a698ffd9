/**
 * One trainer for all sequence models. In rounds of unit shopper it makes contributions: one plain step on one shopper's
 * windows, a microbatch, whose norm is bounded by itself. On the data of a whole participant it takes many steps.
 */
import type { ShopperHistory } from '../../commerce/history.ts';
import { createStepVectors } from '../../kernels/step-vectors.ts';
import { hashName, seededRandom, shuffle, type RandomWords } from '../../numerics/random.ts';
import type { SparseVector } from '../../numerics/sparse-vector.ts';
import { CestaError } from '../../protocol/errors.ts';
import type { LocalChange, LocalTraining } from '../federated-model.ts';
import { batchOf } from './batch.ts';
import { addGradient, clearGradient, emptyGradient, type Differentiable, type Gradient } from './gradient.ts';
import type { SequenceHyperParameters } from './hyper-parameters.ts';
import { adaptiveSteps, forEachRange, plainSteps, type Optimiser } from './optimiser.ts';
import { windowsOf, type SequenceWindow } from './windows.ts';

export interface Trainer {
  contribute(weights: Float32Array, history: ShopperHistory, into: SparseVector): void;
  train(weights: Float32Array, histories: readonly ShopperHistory[], training: LocalTraining): Promise<LocalChange>;
}

export function createTrainer(differentiable: Differentiable, hyperParameters: SequenceHyperParameters, entryBound: number): Trainer {
  const { layout } = differentiable;
  const rules = { items: layout.items, ...hyperParameters };
  const ofOne = emptyGradient(layout);
  return {
    contribute(weights, history, into) {
      // A shopper's negatives follow from the own history and the public weights: from no other shopper, and other ones in each round.
      const random = seededRandom(hashName(bitsOf(weights[0]), history.items.join(' ')), 'sequence contribution');
      const windows = windowsOf(history, rules, random);
      if (windows.length === 0) return;
      addGradient(differentiable, weights, batchOf(windows, rules, random), null, ofOne);
      addBounded(ofOne, -hyperParameters.contributionRate, { norm: hyperParameters.contributionNorm, entry: entryBound }, differentiable, into);
      clearGradient(ofOne, layout);
    },
    train: (weights, histories, training) => trainLocally(differentiable, hyperParameters, weights, histories, training),
  };
}

/** Writes a multiple of a gradient, scaled down to a norm and to a largest entry. */
function addBounded(gradient: Gradient, factor: number, bounds: { readonly norm: number; readonly entry: number }, { layout }: Differentiable, into: SparseVector): void {
  let square = 0;
  let largest = 0;
  forEachRange(layout, gradient, false, (from, to) => {
    for (let at = from; at < to; at += 1) {
      square += gradient.values[at] ** 2;
      largest = Math.max(largest, Math.abs(gradient.values[at]));
    }
  });
  const size = Math.abs(factor);
  // Square roots and quotients round: a step below the bounds stays within them.
  const scale = factor * Math.min(1, (bounds.norm / (size * Math.sqrt(square))) * (1 - 2 ** -40), (bounds.entry / (size * largest)) * (1 - 2 ** -40));
  forEachRange(layout, gradient, false, (from, to) => {
    for (let at = from; at < to; at += 1) if (gradient.values[at] !== 0) into.add(at, scale * gradient.values[at]);
  });
}

async function trainLocally(differentiable: Differentiable, hyperParameters: SequenceHyperParameters, start: Float32Array, histories: readonly ShopperHistory[], training: LocalTraining): Promise<LocalChange> {
  const { layout } = differentiable;
  const { optimiser: kind, learningRate, batch: size, dropout, localEpochs } = hyperParameters;
  const { random, proximal, correction } = training;
  if (correction !== null && kind !== 'sgd') {
    throw new CestaError('config.invalid', `sequence: expected optimiser sgd where steps are corrected by control variates, which need one fixed rate, got ${kind}`);
  }
  const vectors = createStepVectors(layout.length);
  const { weights } = vectors;
  weights.set(start);
  const optimiser: Optimiser = kind === 'sgd' ? plainSteps(layout, vectors, learningRate) : adaptiveSteps(layout, vectors, hyperParameters);
  const gradient: Gradient = { values: vectors.gradients, touched: new Set() };
  const rules = { items: layout.items, ...hyperParameters };
  const everywhere = proximal > 0 || correction !== null;
  let steps = 0;
  for (let epoch = 0; training.steps === null ? epoch < localEpochs : steps < training.steps; epoch += 1) {
    const batches = epochBatches(histories, rules, size, random);
    if (batches.length === 0) break;
    for (const windows of batches) {
      if (steps === training.steps) break;
      await training.pause();
      addGradient(differentiable, weights, batchOf(windows, rules, random), dropout > 0 ? { rate: dropout, random } : null, gradient);
      if (proximal > 0) for (let at = 0; at < weights.length; at += 1) gradient.values[at] += proximal * (weights[at] - start[at]);
      if (correction !== null) for (let at = 0; at < weights.length; at += 1) gradient.values[at] += correction[at];
      optimiser.step(gradient, everywhere);
      if (everywhere) gradient.values.fill(0);
      clearGradient(gradient, layout);
      steps += 1;
    }
  }
  return { change: weights.map((weight, at) => weight - start[at]), steps, learningRate };
}

/** All windows of all shoppers in a random order, those of like length together: little of a batch is padding. */
function epochBatches(histories: readonly ShopperHistory[], rules: Parameters<typeof windowsOf>[1], size: number, random: RandomWords): SequenceWindow[][] {
  const windows = shuffle(histories.flatMap((history) => windowsOf(history, rules, random)), random).sort((a, b) => a.inputs.length - b.inputs.length);
  const batches: SequenceWindow[][] = [];
  for (let start = 0; start < windows.length; start += size) batches.push(windows.slice(start, start + size));
  return shuffle(batches, random);
}

function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0];
}
