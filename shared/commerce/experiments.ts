/**
 * Experiments whose arm a device finds out by itself: a hash of the experiment and of a random salt that never leaves the
 * device. Nobody assigns arms, nobody keeps a list of them, and the salt says nothing about the shopper.
 */
import * as z from 'zod/mini';
import { sha256Hex } from '../protocol/digest.ts';
import { largestReportEpsilon } from '../privacy/randomised-response.ts';

export const subjectIdSchema = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and dashes'));

/** How far a device came, the furthest counts. */
export const levels = ['none', 'impression', 'click', 'purchase'] as const;
export type Level = (typeof levels)[number];

/** What a device reports of an experiment or campaign, and when. */
export const measureSchema = z.strictObject({
  /** Of the one report a device makes; from its own bound. */
  epsilon: z._default(z.number().check(z.gt(0), z.lte(largestReportEpsilon)), 1),
  /** After this many days since it first met it, or at its end. */
  afterDays: z._default(z.int().check(z.gte(0), z.lte(90)), 7),
});

export const experimentSchema = z.strictObject({
  id: subjectIdSchema,
  /** The first is what everybody else has. */
  arms: z.array(z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,30}$/))).check(z.minLength(2), z.maxLength(8), z.refine((arms) => new Set(arms).size === arms.length, 'expected distinct names')),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  measure: z.prefault(measureSchema, {}),
}).check(z.refine(({ from, to }) => from < to, 'expected from before to'));

/** What is measured: an experiment, or a campaign with its control. */
export interface Subject {
  readonly id: string;
  readonly arms: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly measure: z.infer<typeof measureSchema>;
}

/** @param salt 16 random bytes of the device, hex */
export function armOf({ id, arms }: Pick<Subject, 'id' | 'arms'>, salt: string): number {
  const digest = sha256Hex(new TextEncoder().encode(`cesta/experiment/v1\n${id}\n${salt}`));
  // 32 of its bits: arms differ by less than 2^-29 in size.
  return Math.floor((Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32) * arms.length);
}

export function isRunning({ from, to }: Pick<Subject, 'from' | 'to'>, nowMs: number): boolean {
  return Date.parse(from) <= nowMs && nowMs < Date.parse(to);
}

const dayMs = 86_400_000;

/** When a device that met it at `metMs` reports. */
export function dueMs({ to, measure: { afterDays } }: Pick<Subject, 'to' | 'measure'>, metMs: number): number {
  return Math.min(Date.parse(to), metMs + afterDays * dayMs);
}
