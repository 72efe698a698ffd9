/**
 * One simulated training: the interface that the command line, experiments and importers share. A checkpoint after every round is
 * all that a later process needs to go on to the same bytes.
 */
import type { ReadOptions } from '../../client/shop/read-data.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';

/** Of a release, on the split of the scenario. Names as in experiment files: `ndcg@10`. */
export type Metrics = Readonly<Record<string, number>>;

/** One line of `rounds.jsonl`: nothing in it depends on the machine or the time of day. */
export interface RoundRecord {
  /** 1 for the first. */
  readonly round: number;
  readonly outcome: 'released' | 'failed';
  /** Why a round failed; null otherwise. */
  readonly reason: string | null;
  /** Since the simulation began. */
  readonly virtualSeconds: number;
  readonly invited: number;
  readonly joined: number;
  readonly reported: number;
  readonly left: number;
  readonly late: number;
  /** Contributions in the sum, as the release has them: with noise. */
  readonly shoppers: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly clipFraction: number | null;
  /** In the units of the clip norm, of each coordinate of the sum. */
  readonly noiseStd: number;
  /** L2 norm of the decoded sum. */
  readonly sumNorm: number;
  /** Norm of the sum over that of the noise alone; null without noise. */
  readonly signalToNoise: number | null;
  /** L2 norm of the mean contribution. */
  readonly meanNorm: number;
  readonly clipNorm: number | null;
  /** Spent so far at the scenario's delta; null without noise. */
  readonly epsilon: number | null;
  /** Null where the round was not tested. */
  readonly metrics: Metrics | null;
}

/** Values of each test shopper at the end, in the order of the split: what paired comparisons need. With a calendar that asks about following days, one test case a shopper and step. */
export interface TestValues {
  readonly ndcg10: Float64Array;
  readonly recall10: Float64Array;
  /** Shop of the population. */
  readonly shops: Int32Array;
}

export interface Measured {
  readonly metrics: Metrics;
  readonly tests: TestValues;
}

export interface SimulationResult {
  readonly scenario: Scenario;
  readonly rounds: readonly RoundRecord[];
  /** Of the last release; with a calendar that asks about following days, over the test cases of all rounds. */
  readonly metrics: Metrics;
  readonly epsilon: number | null;
  readonly delta: number | null;
  /**
   * Present where noise was scaled down: epsilon is then that of a federation with so many participants in a round, which the
   * metrics estimate. The sums that were simulated have less noise, and no guarantee is claimed for them.
   */
  readonly noiseCohort?: number;
  readonly tests: TestValues;
  /** The last release's parameters, sealed as `encodeTensors` does; null for baselines without one model. */
  readonly model: Uint8Array | null;
  /** Digest of the data set that was read. */
  readonly dataHash: string;
}

/** What a later process needs to go on after `round`. */
export interface Checkpoint {
  readonly round: number;
  /** Opaque. Those that a simulation hands out are made each time they are asked for, which takes the longer the more rounds there were. */
  readonly bytes: Uint8Array;
}

/** From drawing the cohort to the encoded release: contributions, sum, noise, decoding and update are in it; reading the data, planning and testing are not. */
export interface RoundTime {
  readonly round: number;
  readonly seconds: number;
  /** Participants whose report is in the sum. */
  readonly clients: number;
}

export interface SimulateOptions {
  readonly scenario: Scenario;
  /** How a file of data is read; the embedded data takes none of it. */
  readonly read?: ReadOptions;
  /** Threads that sum contributions; 0: this one. The result is the same for any number. */
  readonly workers?: number;
  readonly resume?: Checkpoint;
  /** In order; awaited before the next round starts. */
  readonly onRound?: (record: RoundRecord) => void | Promise<void>;
  /** After `onRound` of the same round; awaited. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => void | Promise<void>;
  /** Wall time of a round, before it is tested: of the machine, so in no record. */
  readonly onTimed?: (timed: RoundTime) => void;
  readonly signal?: AbortSignal;
}
