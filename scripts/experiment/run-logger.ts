/** Who hears of a run while it goes on: callbacks that write it down somewhere. What they do is awaited before the next round is told. */
import type { Scenario } from '../../shared/simulation/scenario.ts';
import type { RoundRecord, SimulationResult } from '../simulate/simulation.ts';

export interface LoggedRun {
  /** SHA-256, as in result.ts. */
  readonly id: string;
  /** Of its cell or baseline, with the seed: `epsilon 1, seed 2`. */
  readonly label: string;
  readonly scenario: Scenario;
}

/**
 * Of one run. A run that goes on after an interruption tells its rounds from the first one, so that what is written down is
 * whole; a run that was finished before tells nothing.
 */
export interface RunLogger {
  start(run: LoggedRun): void | Promise<void>;
  round(record: RoundRecord): void | Promise<void>;
  end(result: SimulationResult): void | Promise<void>;
}
