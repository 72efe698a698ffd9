/** What is known of the demo's year so far: filled by the process that measures, shown by the terminal, the dashboard and the backstage. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { ComparisonRow } from './comparison.ts';
import type { ExampleShelf } from './example-shelf.ts';
import type { Finding, MeasuredRelease, PushTarget } from './findings.ts';
import { failureOf, type DemoProcess } from './processes.ts';
import { writeQuality } from './quality-file.ts';

export interface Year {
  readonly baselines: readonly ComparisonRow[];
  readonly releases: readonly MeasuredRelease[];
  /** What a malicious shop would push; null before it is known. */
  readonly target: PushTarget | null;
  /** The last finding: no release comes any more. */
  readonly end: { readonly message: string; readonly shelf: ExampleShelf | null } | null;
}

export interface YearRecord {
  readonly year: Year;
  hear(finding: Finding): void;
  /**
   * Resolves when all is measured.
   * @param processes Whose failure is the demo's.
   * @throws CestaError `round.failed` when a process fails, or nothing is found for long
   */
  ended(processes: readonly DemoProcess[]): Promise<void>;
  /** Resolves when the file has what was heard. */
  written(): Promise<void>;
}

const longestSilenceMs = 170_000;

/** @param onRelease Hears each release once it is measured. */
export function recordYear({ qualityPath, monthMs, onRelease }: { readonly qualityPath: string; readonly monthMs: number; readonly onRelease: (release: MeasuredRelease) => void }): YearRecord {
  let year: Year = { baselines: [], releases: [], target: null, end: null };
  let heardAt = performance.now();
  let writing = writeQuality(qualityPath, year);
  const write = (): void => void (writing = writing.then(() => writeQuality(qualityPath, year)));
  return {
    get year() {
      return year;
    },
    hear(finding) {
      heardAt = performance.now();
      switch (finding.kind) {
        case 'target': {
          const { kind: _kind, ...target } = finding;
          year = { ...year, target };
          return;
        }
        case 'baseline':
          year = { ...year, baselines: [...year.baselines, finding.row] };
          return write();
        case 'release':
          year = { ...year, releases: [...year.releases, finding.release] };
          onRelease(finding.release);
          return write();
        case 'over':
          year = { ...year, end: { message: finding.message, shelf: finding.shelf } };
          return;
        default:
          finding satisfies never;
      }
    },
    async ended(processes) {
      // A host of shops may end well before the last release is measured: the task is over for it.
      const failed = Promise.race(processes.map((process) => new Promise<DemoProcess>((resolve) => {
        void process.ended.then((code) => code !== 0 && resolve(process));
      })));
      while (year.end === null) {
        const failure = await Promise.race([failed, sleep(100, null)]);
        if (failure !== null) throw failureOf(failure);
        if (performance.now() - heardAt > longestSilenceMs + monthMs) throw new CestaError('round.failed', `demo: expected a release within ${longestSilenceMs / 1000} s, got none`);
      }
    },
    written: () => writing,
  };
}
