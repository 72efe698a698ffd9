/**
 * The answer of an experiment on who can push an item. The best setting is then no answer: it is the one that nobody attacks. So
 * settings are grouped by what was swept first, the attacker, and compared in quality where the reference is.
 */
import { canonicalJson } from '../../../shared/protocol/canonical-json.ts';
import type { Cell, ExperimentResult } from '../result.ts';
import type { Summary } from '../summary.ts';
import { labelOf } from '../labels.ts';
import { rowOf, rowsOf } from './rows.ts';
import { between, estimate, list, signed } from './words.ts';

export function pushed({ axes: [attacker, ...others], cells }: ExperimentResult, summary: Summary): string[] {
  const exposures = rowsOf(summary, 'exposure@20');
  const groups = groupedBy(attacker, cells);
  const exposed = [...groups.values()].map((own) => {
    const means = own.map(({ label, point }) => ({ mean: rowOf(exposures, label)?.statistics.mean ?? NaN, name: named(point, others) })).sort((a, b) => a.mean - b.mean);
    const [least, most] = [means[0], means[means.length - 1]];
    return `With “${named(own[0].point, [attacker])}”, exposure@20 is ${estimate(least.mean)}${most.mean === least.mean ? ' whatever the setting' : ` (${least.name}) to ${estimate(most.mean)} (${most.name})`}.`;
  });
  return [...exposed, ...costs([...groups.values()], others, summary)];
}

function groupedBy(path: string, cells: readonly Cell[]): Map<string, Cell[]> {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const key = canonicalJson(cell.point[path] ?? null);
    groups.set(key, [...groups.get(key) ?? [], cell]);
  }
  return groups;
}

/** Of the settings that differ from the reference in all but the attacker. */
function costs(groups: readonly (readonly Cell[])[], others: readonly string[], { comparedWith, comparedBy, rows }: Summary): string[] {
  const own = groups.find((cells) => cells.some(({ label }) => label === comparedWith)) ?? [];
  const differences = own.flatMap(({ label, point }) => {
    const comparison = rows.find((row) => row.label === label)?.comparison ?? null;
    return comparison === null ? [] : [`${named(point, others)} ${signed(comparison.difference)} (95 % interval ${between(comparison)})`];
  });
  return differences.length === 0 ? [] : [`Quality with the same attacker: ${comparedBy} against “${comparedWith}”, shopper by shopper, is ${list(differences)}.`];
}

function named(point: Cell['point'], paths: readonly string[]): string {
  return labelOf(Object.fromEntries(paths.map((path) => [path, point[path] ?? null])));
}
