/** A line of `rounds.jsonl`, read back. */
import * as z from 'zod';
import { CestaError } from '../../shared/protocol/errors.ts';
import { roundRecordSchema } from '../simulate/records.ts';
import type { RoundRecord } from '../simulate/simulation.ts';

/** @throws CestaError `data.unreadable` */
export function parseRecord(value: unknown): RoundRecord {
  const parsed = roundRecordSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('data.unreadable', `rounds.jsonl: expected the record of a round, got another object: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
