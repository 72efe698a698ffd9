/** What the rooms of the coordinator tell whoever counts; how that is counted and shown is no business of theirs. */
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import type { Clock } from './clock.ts';

export type Carrier = 'http' | 'websocket';

/** From a report to what is served: into the sum, out of the ring, into the parameters, past the canary, onto the disk and into the record. */
export type AggregationStage = 'add' | 'decode' | 'update' | 'canary' | 'publish';

export interface Meter {
  /** `up` is towards the coordinator. */
  bytes(carrier: Carrier, direction: 'up' | 'down', count: number): void;
  refused(carrier: Carrier, code: ErrorCode): void;
  took(stage: AggregationStage, ms: number): void;
  /** What a canary said of a release. */
  canary(outcome: 'passed' | 'held'): void;
}

export const noMeter: Meter = { bytes: () => undefined, refused: () => undefined, took: () => undefined, canary: () => undefined };

/** Starts to measure; what it returns ends that, and is not called where the work failed. */
export function startTimer({ meter = noMeter, clock }: { readonly meter?: Meter; readonly clock: Clock }, stage: AggregationStage): () => void {
  const startedAt = clock.now();
  return () => meter.took(stage, clock.now() - startedAt);
}
