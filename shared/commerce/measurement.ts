/**
 * One randomised report on the wire: which experiment, which arm, how far, and a random number that lets a repeated one be
 * recognised. No item, shopper or time has a field; the body is of one length, so that its size says nothing either.
 */
import * as z from 'zod';
import { levels, subjectIdSchema } from './experiments.ts';

export const measurementSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  subject: subjectIdSchema,
  arm: z.number().int().min(0).max(7),
  value: z.number().int().min(0).max(levels.length - 1),
});
export type Measurement = Readonly<z.infer<typeof measurementSchema>>;

export const measurementBytes = 256;

/** JSON, filled up with spaces. */
export function encodeMeasurement({ id, subject, arm, value }: Measurement): string {
  return JSON.stringify({ id, subject, arm, value }).padEnd(measurementBytes, ' ');
}

/** Reports by arm and value. */
export type Counts = readonly (readonly number[])[];
