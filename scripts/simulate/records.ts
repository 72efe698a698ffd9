/** The record of a round, and its schema: what checkpoints and files are read back by. */
import * as z from 'zod';
import type { Plan } from '../../shared/federation/plan.ts';
import { modelNorm } from '../../shared/federation/plan.ts';
import type { SimulatedOutcome } from '../../shared/simulation/round-outcome.ts';
import type { RoundRecord } from './simulation.ts';

const count = z.number().int().nonnegative();

export const metricsSchema = z.record(z.string(), z.number());

export const roundRecordSchema = z.strictObject({
  round: count.positive(),
  outcome: z.enum(['released', 'failed']),
  reason: z.string().nullable(),
  virtualSeconds: z.number(),
  invited: count,
  joined: count,
  reported: count,
  left: count,
  late: count,
  shoppers: z.number(),
  bytesUp: z.number(),
  bytesDown: z.number(),
  clipFraction: z.number().nullable(),
  noiseStd: z.number(),
  sumNorm: z.number(),
  signalToNoise: z.number().nullable(),
  meanNorm: z.number(),
  clipNorm: z.number().nullable(),
  epsilon: z.number().nullable(),
  metrics: metricsSchema.nullable(),
}) satisfies z.ZodType<RoundRecord>;

/** What is known of a round but for its outcome. */
export interface RoundFrame {
  readonly round: number;
  readonly openedSeconds: number;
  readonly plan: Plan;
  /** Of the release that each member fetches before it trains; 0 where a round starts from the catalogue alone. */
  readonly releaseBytes: number;
  /** Spent so far. */
  readonly epsilon: number | null;
}

export function recordOf({ round, openedSeconds, plan, releaseBytes, epsilon }: RoundFrame, outcome: SimulatedOutcome): RoundRecord {
  const { virtualMs, invited, joined, left, late, bytesUp, bytesDown, clipFraction } = outcome.traffic;
  const clipNorm = plan.bounds.clipNorm === null ? null : modelNorm(plan.bounds);
  const common = { round, virtualSeconds: openedSeconds + virtualMs / 1000, invited, joined, left, late, bytesUp, bytesDown: bytesDown + joined * releaseBytes, clipFraction, clipNorm, epsilon, metrics: null };
  if (outcome.kind === 'failed') {
    return { ...common, outcome: 'failed', reason: outcome.reason, reported: 0, shoppers: 0, noiseStd: 0, sumNorm: 0, signalToNoise: null, meanNorm: 0 };
  }
  const { sum, shoppers, noiseStd } = outcome.aggregate;
  const sumNorm = Math.sqrt(sum.reduce((square, value) => square + value * value, 0));
  return {
    ...common,
    outcome: 'released',
    reason: null,
    reported: outcome.reported.length,
    shoppers,
    noiseStd,
    sumNorm,
    signalToNoise: noiseStd === 0 ? null : sumNorm / (noiseStd * Math.sqrt(sum.length)),
    meanNorm: sumNorm / shoppers,
  };
}
