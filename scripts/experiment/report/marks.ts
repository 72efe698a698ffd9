/** What tells series apart without colour, and the marks that several charts draw. */
import * as Plot from '@observablehq/plot';
import { baselineDashes, baselineNames } from '../../../server/dashboard/page/words.ts';
import { baselines, type Baseline } from '../../../shared/simulation/scenario.ts';
import type { LegendEntry } from './figure.ts';
import type { Row } from './rows.ts';

export interface SeriesStyle {
  readonly className: string;
  readonly dash: string;
  readonly symbol: Plot.SymbolName;
}

const dashes = ['none', '7 4', '2 3', '11 3 2 3', '4 2', '14 4', '7 3 2 3 2 3', '1 4'];
const symbols: readonly Plot.SymbolName[] = ['circle', 'square', 'triangle', 'diamond', 'wye', 'star', 'cross', 'hexagon'];

/** So many can be told apart; a chart with more is drawn in parts. */
export const mostSeries = dashes.length;

export function seriesStyle(index: number): SeriesStyle {
  const at = index % mostSeries;
  return { className: `series s${at + 1}`, dash: dashes[at], symbol: symbols[at] };
}

export function inParts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / mostSeries) }, (_, part) => all.slice(part * mostSeries, (part + 1) * mostSeries));
}

/** A baseline as a chart has it: a line across. */
export interface BaselineLine {
  readonly name: Baseline;
  readonly value: number;
}

export function baselineLines(rows: readonly Row[]): BaselineLine[] {
  return baselines.flatMap((name) => rows.filter(({ kind, label }) => kind === 'baseline' && label === name).map(({ statistics }) => ({ name, value: statistics.mean })));
}

export function baselineLegend(lines: readonly BaselineLine[]): LegendEntry[] {
  return lines.map(({ name }) => ({ text: baselineNames[name], className: 'series s0', dash: baselineDashes[name] }));
}

/** Where a chart's values are drawn. */
export interface ValueFrame {
  readonly domain: readonly [number, number];
  /** Pixels between the ends of the domain. */
  readonly pixels: number;
}

/** Lines across, their names in the right margin or on them at the left, none upon another; small charts have them in the legend only. */
export function baselineMarks(lines: readonly BaselineLine[], { domain: [low, high], pixels }: ValueFrame, names: 'right' | 'left' | 'none'): Plot.Markish[] {
  // In the margin, long names take two lines.
  const heights = lines.map(({ name }) => (names === 'right' && baselineNames[name].length > 20 ? 28 : 14));
  const offsets = apart(lines.map(({ value }) => ((high - value) / (high - low)) * pixels), heights);
  return lines.flatMap(({ name, value }, index) => [
    Plot.ruleY([value], { className: 'series s0', strokeDasharray: baselineDashes[name], strokeWidth: 1.75 }),
    ...(names === 'none' ? [] : [Plot.text([value], {
      y: Number, text: () => baselineNames[name], className: 'note', frameAnchor: names, textAnchor: 'start',
      ...(names === 'right' ? { dx: 6, dy: offsets[index], lineWidth: 10 } : { dx: 2, dy: offsets[index] - 7 }),
    })]),
  ]);
}

/** How far to move what has its middle at each position and these heights, so that no two overlap. */
function apart(positions: readonly number[], heights: readonly number[]): number[] {
  const order = [...positions.keys()].sort((a, b) => positions[a] - positions[b]);
  const moved = [...positions];
  order.forEach((at, rank) => {
    if (rank > 0) moved[at] = Math.max(moved[at], moved[order[rank - 1]] + (heights[at] + heights[order[rank - 1]]) / 2);
  });
  return moved.map((position, at) => position - positions[at]);
}

/** From zero where that leaves the values at least half of the height. */
export function domainOf(values: readonly number[]): readonly [number, number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const margin = (most - least || Math.abs(most) || 1) * 0.08;
  if (least >= 0 && (least < most * 0.55 || least === most)) return [0, (most || 1) + margin];
  return [least - margin, most + margin];
}
