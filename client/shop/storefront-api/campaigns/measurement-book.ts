/**
 * Randomised reports, added up. Each is on disk before it is acknowledged, and counts once however often it is sent. A report
 * names nobody: one device could send several under other numbers, which a limit by address makes slow, not impossible.
 */
import type { Counts, Measurement } from '../../../../shared/commerce/measurement.ts';
import { measurementSchema } from '../../../../shared/commerce/measurement.ts';
import type { Subject } from '../../../../shared/commerce/experiments.ts';
import { CestaError } from '../../../../shared/protocol/errors.ts';
import type { SealedLog } from '../sealed-log.ts';

export interface MeasurementBook {
  /** @throws CestaError `measure.unknown`, `usage.invalid`, `limit.capacity`, `storage.failed` */
  add(measurement: Measurement): void;
  counts(subject: string): Counts;
}

/** Devices report at the end of an experiment or when they come next, up to so long after it. */
const graceMs = 30 * 86_400_000;

export interface MeasurementTerms {
  readonly subjects: ReadonlyMap<string, Subject>;
  /** Unix time in milliseconds. */
  readonly dateMs: () => number;
  /** Of all subjects together, in memory and on disk. */
  readonly reportsAtMost?: number;
}

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
  for (const record of records) take(parse(record));
  return {
    add(measurement) {
      const subject = subjects.get(measurement.subject);
      if (subject === undefined) throw new CestaError('measure.unknown', `subject: expected an experiment or a measured campaign, got ${measurement.subject}`);
      if (measurement.arm >= subject.arms.length) throw new CestaError('usage.invalid', `arm: expected 0..${subject.arms.length - 1}, got ${measurement.arm}`);
      const now = dateMs();
      if (now < Date.parse(subject.from) || now > Date.parse(subject.to) + graceMs) throw new CestaError('usage.invalid', `subject: expected one that runs, or has ended less than ${graceMs / 86_400_000} days ago, got ${subject.id}`);
      if (seen.has(measurement.id)) return;
      if (seen.size >= reportsAtMost) throw new CestaError('limit.capacity', `measurements: expected at most ${reportsAtMost} reports, got one more`);
      log.append([new TextEncoder().encode(JSON.stringify(measurement))]);
      take(measurement);
    },
    counts: (subject) => Array.from(counts.get(subject) ?? [], (arm: readonly number[] | undefined) => arm ?? [0, 0, 0, 0]),
  };
}

function parse(record: Uint8Array): Measurement {
  const parsed = measurementSchema.safeParse(JSON.parse(new TextDecoder().decode(record)));
  if (!parsed.success) throw new CestaError('storage.failed', 'measurements: expected reports, got other data; the file is of another version', { cause: parsed.error });
  return parsed.data;
}
