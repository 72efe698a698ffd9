/**
 * Randomised reports, added up, and the terms that they were made under: a file of campaigns that says otherwise later would
 * have them read wrongly, and is refused. Each is on disk before it is acknowledged, and counts once however often it is sent. A report
 * names nobody: one device could send several under other numbers, which a limit by address makes slow, not impossible.
 */
import * as z from 'zod';
import type { Counts, Measurement } from '../../../../shared/commerce/measurement.ts';
import { measurementSchema } from '../../../../shared/commerce/measurement.ts';
import { subjectIdSchema, type Subject } from '../../../../shared/commerce/experiments.ts';
import { CestaError } from '../../../../shared/protocol/errors.ts';
import type { SealedLog } from '../sealed-log.ts';

export interface MeasurementBook {
  /** @throws CestaError `measure.unknown`, `usage.invalid`, `limit.capacity`, `storage.failed` */
  add(measurement: Measurement): void;
  counts(subject: string): Counts;
}

const termsSchema = z.strictObject({ subject: subjectIdSchema, epsilon: z.number(), arms: z.array(z.string()) });
/** What a report of a subject means. */
type Terms = Readonly<z.infer<typeof termsSchema>>;
const termsOf = ({ id, arms, measure: { epsilon } }: Subject): Terms => ({ subject: id, epsilon, arms: [...arms] });

/** Devices report at the end of an experiment or when they come next, up to so long after it. */
const graceMs = 30 * 86_400_000;

export interface MeasurementTerms {
  readonly subjects: ReadonlyMap<string, Subject>;
  /** Unix time in milliseconds. */
  readonly dateMs: () => number;
  /** Of all subjects together, in memory and on disk. */
  readonly reportsAtMost?: number;
}

/** @throws CestaError `config.invalid` for a subject that has reports under other terms, `storage.failed` */
export function openMeasurementBook(log: SealedLog, records: readonly Uint8Array[], { subjects, dateMs, reportsAtMost = 1_000_000 }: MeasurementTerms): MeasurementBook {
  const seen = new Set<string>();
  const counts = new Map<string, number[][]>();
  function take({ id, subject, arm, value }: Measurement): void {
    seen.add(id);
    const arms = counts.get(subject) ?? [];
    counts.set(subject, arms);
    arms[arm] ??= [0, 0, 0, 0];
    arms[arm][value] += 1;
  }
  const terms = new Map<string, Terms>();
  for (const record of records) {
    const kept = parse(record);
    if ('arms' in kept) terms.set(kept.subject, kept);
    else take(kept);
  }
  for (const subject of subjects.values()) requireSame(terms.get(subject.id), termsOf(subject));
  return {
    add(measurement) {
      const subject = subjects.get(measurement.subject);
      if (subject === undefined) throw new CestaError('measure.unknown', `subject: expected an experiment or a measured campaign, got ${measurement.subject}`);
      if (measurement.arm >= subject.arms.length) throw new CestaError('usage.invalid', `arm: expected 0..${subject.arms.length - 1}, got ${measurement.arm}`);
      const now = dateMs();
      if (now < Date.parse(subject.from) || now > Date.parse(subject.to) + graceMs) throw new CestaError('usage.invalid', `subject: expected one that runs, or has ended less than ${graceMs / 86_400_000} days ago, got ${subject.id}`);
      if (seen.has(measurement.id)) return;
      if (seen.size >= reportsAtMost) throw new CestaError('limit.capacity', `measurements: expected at most ${reportsAtMost} reports, got one more`);
      const own = termsOf(subject);
      // With the first report, not before: until then nothing can be read wrongly.
      log.append([...(terms.has(subject.id) ? [] : [own]), measurement].map(encode));
      terms.set(subject.id, own);
      take(measurement);
    },
    counts: (subject) => Array.from(counts.get(subject) ?? [], (arm: readonly number[] | undefined) => arm ?? [0, 0, 0, 0]),
  };
}

function requireSame(kept: Terms | undefined, asked: Terms): void {
  const described = ({ epsilon, arms }: Terms): string => `epsilon ${epsilon} and arms ${arms.join(', ')}`;
  if (kept === undefined || described(kept) === described(asked)) return;
  throw new CestaError('config.invalid', `campaigns: ${asked.subject}: expected ${described(kept)}, which its reports were made with, got ${described(asked)}; other terms need another id`);
}

function encode(kept: Terms | Measurement): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(kept));
}

function parse(record: Uint8Array): Terms | Measurement {
  const parsed = z.union([measurementSchema, termsSchema]).safeParse(JSON.parse(new TextDecoder().decode(record)));
  if (!parsed.success) throw new CestaError('storage.failed', 'measurements: expected reports, got other data; the file is of another version', { cause: parsed.error });
  return parsed.data;
}
