/**
 * Whether a candidate may be served, decided on noised sums of scores: a one-sided test of known variance. It refuses
 * what is broken; candidates that are a little worse pass, and so do all of them where the noise is larger than the sums.
 */
import * as z from 'zod';
import { scaleWeight, type ReleaseScores } from './release-scores.ts';

/** An evaluation and what came of it, as a journal keeps it: noised sums, which everybody may see. */
export const gateVerdictSchema = z.strictObject({
  /** `rollback`: the candidate is refused, and what is served falls short of the release before it, too. */
  decision: z.enum(['promote', 'refuse', 'rollback']),
  tolerance: z.number(),
  testable: z.number(),
  served: z.number(),
  gain: z.number(),
  servedGain: z.number().nullable(),
  noiseStd: z.number(),
});

export type GateVerdict = Readonly<z.infer<typeof gateVerdictSchema>>;

/** Standard deviations of noise by which a sum must fall short. */
const deviations = 2;

/**
 * With C, S and P the sums of candidate, served and previous release, and t the tolerance:
 * refused where C - (1 - t) S, which is gain + t S, is more than two standard deviations of its noise below 0; then
 * rolled back where S - (1 - t) P, which is (1 - t) servedGain + t S, is so, too.
 * The noise is Skellam of thousands of grid steps, normal to all purposes, independent in every coordinate, and of known
 * variance: v for a gain and v / w^2 for S, so v (1 + (t / w)^2) in the first figure and v ((1 - t)^2 + (t / w)^2) in the second.
 * A candidate whose score is exactly 1 - t of the served one's is refused with probability 2.3 % (a normal variable below
 * -2), a better one more rarely. Without noise the comparison is exact. Under secret sampling the figures are about the
 * sample: its own chance is not in the variance.
 */
export function decideGate({ served, gain, servedGain, noiseStd }: ReleaseScores, tolerance: number): GateVerdict['decision'] {
  const scaleNoise = tolerance / scaleWeight;
  const isShort = (difference: number, unitStd: number): boolean => difference < -deviations * noiseStd * unitStd;
  if (!isShort(gain + tolerance * served, Math.hypot(1, scaleNoise))) return 'promote';
  if (servedGain === null) return 'refuse';
  return isShort((1 - tolerance) * servedGain + tolerance * served, Math.hypot(1 - tolerance, scaleNoise)) ? 'rollback' : 'refuse';
}
