/**
 * One randomised report on the wire: which experiment, which arm, how far, and a random number that lets a repeated one be
 * recognised. No item, shopper or time has a field; the body is of one length, so that its size says nothing either.
 */
import * as z from 'zod/mini';
import { levels, subjectIdSchema } from './experiments.ts';

export const measurementSchema = z.strictObject({
  id: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
  subject: subjectIdSchema,
  arm: z.int().check(z.gte(0), z.lte(7)),
  value: z.int().check(z.gte(0), z.lte(levels.length - 1)),
});
export type Measurement = Readonly<z.infer<typeof measurementSchema>>;

export const measurementBytes = 256;

/** JSON, filled up with spaces. */
export function encodeMeasurement({ id, subject, arm, value }: Measurement): string {
  return JSON.stringify({ id, subject, arm, value }).padEnd(measurementBytes, ' ');
}

/** Reports by arm and value. */
export type Counts = readonly (readonly number[])[];
