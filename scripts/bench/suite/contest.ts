/** Two ways to do one thing, timed in turns, so that a busy machine slows both: what a figure is worth shows in their ratio. */
import { medianOf } from '../median.ts';

/** One line of `npm run bench`. */
export interface BenchRow {
  readonly measure: string;
  readonly what: string;
  readonly unit: 'ms' | 'us' | 'per second';
  readonly ours: number;
  /** The floor or library of the same run. */
  readonly reference: string;
  readonly theirs: number;
  /** Timed runs behind each figure, which is their median. */
  readonly runs: number;
  /** How many times as fast as the reference: 1 is as fast, below it slower. */
  readonly timesAsFast: number;
}

type About = Pick<BenchRow, 'measure' | 'what' | 'reference' | 'runs'>;

export interface Contest extends About {
  /** Both sides hear which turn it is, to take other input in each: what never changes a compiler may take for a constant. */
  readonly ours: (turn: number) => unknown;
  readonly theirs: (turn: number) => unknown;
}

/** Medians in milliseconds, or in microseconds where a run takes less than one, after a turn that warms up. */
export function contest({ ours, theirs, ...about }: Contest): BenchRow {
  const times: [number[], number[]] = [[], []];
  for (let turn = 0; turn <= about.runs; turn += 1) {
    [ours, theirs].forEach((run, side) => {
      const start = performance.now();
      run(turn);
      if (turn > 0) times[side].push(performance.now() - start);
    });
  }
  return milliseconds(about, medianOf(times[0]), medianOf(times[1]));
}

/** Of two durations that were measured already. */
export function milliseconds(about: About, oursMs: number, theirsMs: number): BenchRow {
  const [unit, factor] = oursMs < 1 ? (['us', 1000] as const) : (['ms', 1] as const);
  return { ...about, unit, ours: oursMs * factor, theirs: theirsMs * factor, timesAsFast: theirsMs / oursMs };
}

export function perSecond(about: About, ours: number, theirs: number): BenchRow {
  return { ...about, unit: 'per second', ours, theirs, timesAsFast: ours / theirs };
}
