/**
 * `npm run bench`: every measure beside a floor or a well-known library in the same run. Absolute figures are of this machine and
 * what else it does; ratios travel further.
 */
import { CestaError } from '../../../shared/protocol/errors.ts';
import { installedVersion, machine, type Machine } from '../machine.ts';
import type { BenchRow } from './contest.ts';

export interface BenchSuite {
  readonly machine: Machine;
  /** Of the package, of Node and of the libraries that are references. */
  readonly versions: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly rows: readonly BenchRow[];
}

/** Loaded when its turn comes: what one measure imports must not slow another. */
const measures: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  aggregation: async () => (await import('./arithmetic.ts')).aggregationRows(),
  wire: async () => (await import('./arithmetic.ts')).wireRows(),
  secagg: async () => (await import('./arithmetic.ts')).secaggRows(),
  noise: async () => (await import('./arithmetic.ts')).noiseRows(),
  accountant: async () => (await import('./arithmetic.ts')).accountantRows(),
  training: async () => (await import('./services.ts')).trainingRows(),
  ranking: async () => (await import('./services.ts')).rankingRows(),
  rounds: async () => (await import('./services.ts')).roundsRows(),
  simulator: async () => (await import('./simulator.ts')).simulatorRows(),
  releases: async () => (await import('./services.ts')).releaseRows(),
};

const references = ['ws', '@tensorflow/tfjs-backend-wasm'];

export const measureNames = Object.keys(measures);

/**
 * @param names some of `measureNames`; all by default, one after the other
 * @throws CestaError `usage.invalid` for a name that is none
 */
export async function benchAll(names: readonly string[] = measureNames, onMeasure: (name: string) => void = () => undefined): Promise<BenchSuite> {
  const unknown = names.find((name) => !Object.hasOwn(measures, name));
  if (unknown !== undefined) throw new CestaError('usage.invalid', `measures: expected some of ${measureNames.join(', ')}, got ${unknown}`);
  const started = performance.now();
  const before = machine();
  const rows: BenchRow[] = [];
  for (const name of new Set(names)) {
    onMeasure(name);
    rows.push(...(await measures[name]()));
  }
  const { versionsInUse } = await import('../../experiment/hashes.ts');
  const versions = { ...versionsInUse(), ...Object.fromEntries(references.map((name) => [name, installedVersion(name)])) };
  return { machine: before, versions, seconds: (performance.now() - started) / 1000, rows };
}
