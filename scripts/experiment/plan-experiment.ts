/** What an experiment will run, with ids and folders: everything that can be wrong with it is found here, before anything runs. */
import { join } from 'node:path';
import { onlineRetailAttribution } from '../../shared/datasets/online-retail.ts';
import type { Baseline, Scenario } from '../../shared/simulation/scenario.ts';
import { embeddedName } from '../../client/shop/read-data.ts';
import { expand, type PlannedCell } from './expand.ts';
import { hashCode, hashData, runId, sha256 } from './hashes.ts';
import { parseExperiment, type Overrides } from './parse.ts';
import type { ExperimentResult, Point } from './result.ts';
import type { PlannedRun } from './run-folder.ts';

/** An experiment's result before there are any. */
export interface ExperimentPlan extends Omit<ExperimentResult, 'cells' | 'baselines' | 'command'> {
  /** Of all its runs. */
  readonly folder: string;
  readonly cells: readonly { readonly point: Point; readonly label: string; readonly runs: readonly PlannedRun[] }[];
  readonly baselines: Readonly<Partial<Record<Baseline, readonly PlannedRun[]>>>;
}

/** @throws CestaError `config.invalid` naming the field, `data.not-found`, `data.unreadable` */
export async function planExperiment(experiment: unknown, overrides: Overrides, runsFolder = 'runs'): Promise<ExperimentPlan> {
  const parsed = parseExperiment(experiment, overrides);
  const { name, metrics } = parsed;
  const expansion = expand(parsed);
  const { axes, cells, comparedWith } = expansion;
  const codeHash = hashCode();
  const dataHashes = await hashAll(cells);
  const folder = join(runsFolder, name);
  const planned = (scenario: Scenario, label: string): PlannedRun => {
    const dataHash = dataHashes.get(scenario.data) ?? '';
    const id = runId(scenario, codeHash, dataHash);
    return { id, label: `${label}, seed ${scenario.seed}`, scenario, codeHash, dataHash, folder: join(folder, id.slice(0, 12)) };
  };
  const hashes = [...dataHashes.values()];
  return {
    name,
    question: parsed.question ?? (axes.length === 0 ? `How good is ${cells[0].label}?` : `What does ${axes.join(', ')} change?`),
    axes,
    cells: cells.map(({ point, label, scenarios }) => ({ point, label, runs: scenarios.map((scenario) => planned(scenario, label)) })),
    baselines: Object.fromEntries(Object.entries(expansion.baselines).map(([baseline, scenarios]) => [baseline, scenarios.map((scenario) => planned(scenario, baseline))])),
    metrics,
    comparedWith,
    codeHash,
    dataHash: hashes.length === 1 ? hashes[0] : sha256(hashes.join('\n')),
    attribution: dataHashes.has(embeddedName) ? onlineRetailAttribution : null,
    folder,
  };
}

/** Every data set is read once. */
async function hashAll(cells: readonly PlannedCell[]): Promise<ReadonlyMap<string, string>> {
  const names = new Set(cells.flatMap(({ scenarios }) => scenarios.map(({ data }) => data)));
  return new Map(await Promise.all([...names].map(async (name) => [name, await hashData(name)] as const)));
}

/** All runs of a plan, baselines first: they are quick, and give others a line to stand above. */
export function runsOf({ cells, baselines }: ExperimentPlan): readonly PlannedRun[] {
  return [...Object.values(baselines).flat(), ...cells.flatMap(({ runs }) => runs)];
}
