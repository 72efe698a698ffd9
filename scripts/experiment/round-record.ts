/** A line of `rounds.jsonl`, read back. */
import * as z from 'zod';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { RoundRecord } from '../simulate/simulation.ts';

const count = z.number().int().nonnegative();
export const metricsSchema = z.record(z.string(), z.number());

const recordSchema = z.strictObject({
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

/** @throws CestaError `data.unreadable` */
export function parseRecord(value: unknown): RoundRecord {
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('data.unreadable', `rounds.jsonl: expected the record of a round, got another object: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
