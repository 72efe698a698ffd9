/** The reports of one round that arrive in the clear, added up or combined: an update reaches the accumulator whole and checked or not at all. */
import { maxCoordinate, type Accumulator, type DecodedReports } from '../shared/federation/accumulator.ts';
import type { Plan } from '../shared/federation/plan.ts';
import { createReportSum } from '../shared/federation/report-sum.ts';
import { createUploads, type UploadOptions, type Uploads } from './uploads.ts';

export interface Aggregation extends Omit<Uploads, 'collect'> {
  /** Folds a complete update into the sum. @returns the digest of its bytes. */
  accumulate(participant: string): string;
  readonly participants: number;
  /** In the order in which their reports came. */
  readonly reporters: readonly string[];
  decode(): DecodedReports;
  /** Decodes the sum and gives up its vector: later reports start another. Null without a report. */
  drain(): { readonly reports: DecodedReports; readonly participants: number } | null;
}

export type AggregationOptions = Omit<UploadOptions, 'rules'> & { readonly plan: Plan };

export function createAggregation({ plan, ...options }: AggregationOptions): Aggregation {
  let accumulator: Accumulator | null = null;
  const reporters: string[] = [];
  const current = (): Accumulator => (accumulator ??= createReportSum(plan));
  const { statisticLength: length } = plan;
  const uploads = createUploads({ ...options, rules: { least: length, most: length, bound: maxCoordinate(plan) } });
  return {
    announce: (participant, announcement) => uploads.announce(participant, announcement),
    take: (participant, offset, data) => uploads.take(participant, offset, data),
    discard: (participant) => uploads.discard(participant),
    close: () => uploads.close(),
    accumulate: (participant) => uploads.collect(participant, (words) => {
      current().add(words);
      reporters.push(participant);
    }),
    reporters,
    get participants() {
      return accumulator?.participants ?? 0;
    },
    decode: () => current().decode(),
    drain() {
      const drained = accumulator;
      accumulator = null;
      reporters.length = 0;
      return drained === null ? null : { reports: drained.decode(), participants: drained.participants };
    },
  };
}
