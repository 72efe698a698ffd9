/** Bounds and grid of a plan with noise: how the clip norm is shared by the parts of a contribution, and what a grid is in a plan. */
import { hashName } from '../numerics/random.ts';
import { noiseMultiplierFor } from '../privacy/accounting/calibration.ts';
import { clipBitCoordinate, planAdaptiveClip } from '../privacy/adaptive-clip.ts';
import type { DensePlan } from '../privacy/dense.ts';
import { paddedLength } from '../privacy/rotation.ts';
import type { Bounds } from './plan.ts';
import type { TaskSpec } from './task.ts';

/** The squared share of the clip norm that the count slot takes: one contribution counts as a tenth of the norm. */
const countShare = 0.01;

/** What a task promises, with its defaults. */
export interface PromisedPrivacy {
  readonly epsilon: number;
  readonly delta: number;
  readonly rounds: number;
  readonly sampling: number;
}

export type Grid = Pick<Bounds, 'encoding' | 'gridScale' | 'modulusBits'> & { readonly noiseStd: number; readonly statisticLength: number };

export function sparseGrid({ gridScale, noiseStd }: { gridScale: number; noiseStd: number }, vectorLength: number): Grid {
  return { encoding: { kind: 'sparse' }, gridScale, noiseStd, modulusBits: 32, statisticLength: vectorLength };
}

export function rotatedGrid({ bits, scale, noiseStd }: DensePlan, { vectorLength, round }: { vectorLength: number; round: string }): Grid {
  const encoding = { kind: 'rotated' as const, vectorLength, rotationSeed: hashName(0, round) };
  return { encoding, gridScale: scale, noiseStd, modulusBits: bits, statisticLength: paddedLength(vectorLength) };
}

/**
 * Norms of the parts of a contribution: C^2 = modelNorm^2 + countValue^2 + bit^2, the bit's share as Andrew et al. 2021
 * split a noise multiplier.
 * @throws CestaError `privacy.infeasible` when too few shoppers are expected for an adaptive clip norm.
 */
export function jointNorms({ privacy: { adaptiveClip } }: Pick<TaskSpec, 'privacy'>, { epsilon, delta, rounds, sampling }: PromisedPrivacy, modelNorm: number): Pick<Bounds, 'countValue' | 'clipBit'> & { readonly clipNorm: number } {
  const norm = modelNorm / Math.sqrt(1 - countShare);
  const countValue = norm * Math.sqrt(countShare);
  if (adaptiveClip === undefined) return { clipNorm: norm, countValue, clipBit: null };
  const { expectedShoppers, quantile, rate } = adaptiveClip;
  const noiseMultiplier = noiseMultiplierFor({ epsilon, delta, rounds, sampling }, 'rdp');
  const { countStd, valueNoiseMultiplier: valueNoise, inflation } = planAdaptiveClip({ noiseMultiplier, cohort: Math.max(1, Math.floor(expectedShoppers * sampling)) });
  return { clipNorm: norm * inflation, countValue, clipBit: { value: clipBitCoordinate({ within: true, clipNorm: norm, countStd, valueNoise }), quantile, rate } };
}
