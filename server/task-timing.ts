/** How long the rounds of a task wait for whom, in milliseconds. */
export interface TaskTiming {
  /** How long the first ready shop waits for more than the quorum. */
  readonly gatherMs: number;
  /** Pause after a failed round; doubles with each failure in a row. */
  readonly retryMs: number;
  /** An upload must advance by a full chunk within this time. */
  readonly stallMs: number;
  /** Time for each stage of a masked session but that of the vectors. */
  readonly stageMs: number;
  /** How long an acknowledgement may wait for others that become durable with it. */
  readonly acknowledgeMs: number;
  /** How long witnesses may take to sign a plan. */
  readonly witnessMs: number;
}

export const defaultTiming: TaskTiming = {
  gatherMs: 30_000,
  retryMs: 1_000,
  stallMs: 30_000,
  stageMs: 30_000,
  // To a shop that reports once in minutes, a tenth of a second is nothing; to a disk it is a dozen syncs.
  acknowledgeMs: 100,
  witnessMs: 30_000,
};
