/** The findings as a table for a terminal and as a chart. */
import Table from 'cli-table3';
import type { Measured } from '../../../shared/evaluation/attacks/measures.ts';
import type { AttackReport, AttackRow } from './attacks.ts';
import type { Chart, Panel } from './chart.ts';
import { twoDigits } from './verdict.ts';

/** The columns: what is measured, and what a guess is worth. */
const columns: readonly { readonly title: string; readonly guess: number; readonly read: (row: AttackRow) => Measured }[] = [
  { title: 'row change, advantage', guess: 0, read: ({ rowAdvantage }) => rowAdvantage },
  { title: 'one item known', guess: 0, read: ({ linkedAdvantage }) => linkedAdvantage },
  { title: 'sign, AUC', guess: 0.5, read: ({ signArea }) => signArea },
  { title: 'interaction, F1', guess: 0.5, read: ({ interactionF1 }) => interactionF1 },
  { title: 'member, AUC', guess: 0.5, read: ({ memberArea }) => memberArea },
  { title: 'member, others known', guess: 0.5, read: ({ subtractionArea }) => subtractionArea },
];

export function describeAttacks(report: AttackReport): string {
  const { model, shoppers, population, items, delta, rows, exclusive, verdict } = report;
  const table = new Table({ head: ['the view', 'row change, AUC', ...columns.map(({ title }) => title)], style: { head: [], border: [] } });
  table.push(['a guess', rows[0].priorArea.toFixed(2), ...columns.map(({ guess }) => guess.toFixed(2))]);
  for (const row of rows) table.push([row.name, show(row.rowArea), ...columns.map(({ read }) => show(read(row)))]);
  return [
    `${model}: ${shoppers} victims, ${population} other shoppers, ${items} items, delta ${delta}; a guess knows popularity: precision ${rows[0].priorPrecision.toFixed(3)} (95 % intervals over victims)`,
    table.toString(),
    ...exclusive.map(({ participants, shares }) => `Sum of ${participants} without noise, touched by one participant alone: ${Object.entries(shares).map(([block, share]) => `${(100 * share).toFixed(1)} % of the ${block}`).join(', ')}`),
    ...verdict.lines,
  ].join('\n');
}

function show({ value, low, high }: Measured): string {
  return `${twoDigits(value)} [${twoDigits(low)}, ${twoDigits(high)}]`;
}

export function chartOf({ model, shoppers, rows, verdict }: AttackReport): Chart {
  const panels = columns.map(({ title, guess, read }): Panel => ({ title, from: guess, to: 1, bars: rows.map(read) }));
  return {
    title: `Attacks on ${model}, by protection`,
    description: `What ${shoppers} victims' views give away; bars start at a guess and end at certainty, lines are 95 % intervals. ${verdict.lines.map((line) => line.trim()).join(' ')}`,
    rows: rows.map(({ name }) => name),
    panels,
  };
}
