/**
 * What a chart has below and what tells its series apart: epsilon where it was swept, else the first swept numbers, else names,
 * a row each. What else was swept makes the series.
 */
import * as Plot from '@observablehq/plot';
import { labelOf, nullLabel } from '../labels.ts';
import type { Cell, Point } from '../result.ts';
import { inParts, mostSeries } from './marks.ts';

export const epsilonPath = 'privacy.epsilon';

/** Numbers along an axis of a chart. */
export interface NumberAxis {
  readonly path: string;
  readonly label: string;
  readonly isLog: boolean;
  /** Ascending, without null. */
  readonly values: readonly number[];
  /** Where cells without a number are drawn, right of all others; null where there is none. */
  readonly unset: { readonly at: number; readonly label: string; /** Width of the label, about. */ readonly pixels: number } | null;
}

/** Cells along a line of a chart. */
export interface Series {
  readonly label: string;
  readonly cells: readonly Cell[];
}

/** Drawn along the axis before all others, whatever the order of the file. */
const foremost: readonly string[] = ['population.shoppers', epsilonPath];

/** The axis that is drawn as numbers; null where cells are told apart by names. */
export function numberAxis(axes: readonly string[], cells: readonly Cell[]): NumberAxis | null {
  const candidates = [...foremost.filter((path) => axes.includes(path)), ...axes.filter((path) => !foremost.includes(path))];
  for (const path of candidates) {
    const found = cells.map(({ point }) => point[path] ?? null);
    const values = [...new Set(found.filter((value) => typeof value === 'number'))].sort((a, b) => a - b);
    if (values.length < 2 || found.some((value) => value !== null && typeof value !== 'number')) continue;
    const [least, most] = [values[0], values[values.length - 1]];
    const isLog = least > 0 && (path === epsilonPath || most / least >= 20);
    const at = isLog ? most * Math.max(1.6, (most / least) ** 0.2) : most + (most - least) / 5;
    return { path, label: pathLabel(path), isLog, values, unset: found.includes(null) ? { at, label: nullLabel(path), pixels: 6.2 * nullLabel(path).length } : null };
  }
  return null;
}

/** Where a cell is along an axis. */
export function placeOf(axis: NumberAxis, { point }: Cell): number {
  const value = point[axis.path] ?? null;
  return typeof value === 'number' ? value : axis.unset?.at ?? NaN;
}

/** Cells with the same values on all other axes, each in ascending order of the axis. */
export function seriesAlong(axis: NumberAxis, axes: readonly string[], cells: readonly Cell[]): Series[] {
  const others = axes.filter((path) => path !== axis.path);
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const label = pointLabel(cell.point, others);
    groups.set(label, [...groups.get(label) ?? [], cell]);
  }
  return [...groups].map(([label, own]) => ({ label: label === '' ? 'federation' : label, cells: own.sort((a, b) => placeOf(axis, a) - placeOf(axis, b)) }));
}

/** Cells that one chart can hold, and what they have in common; null where one holds all. */
export interface Part {
  readonly title: string | null;
  /** By what tells them apart within the chart. */
  readonly cells: readonly (readonly [string, Cell])[];
}

/** Those along a line together, where no line is too long; else in their order. */
export function cellParts(axes: readonly string[], cells: readonly Cell[]): Part[] {
  const labelled = cells.map((cell) => [cell.label, cell] as const);
  if (cells.length <= mostSeries) return [{ title: null, cells: labelled }];
  const axis = numberAxis(axes, cells);
  const series = axis === null ? [] : seriesAlong(axis, axes, cells);
  if (axis !== null && series.length > 1 && series.every(({ cells: own }) => own.length <= mostSeries)) return series.map(({ label, cells: own }) => ({ title: label, cells: own.map((cell) => [pointLabel(cell.point, [axis.path]), cell]) }));
  return inParts(labelled).map((own, part, all) => ({ title: `part ${part + 1} of ${all.length}`, cells: own }));
}

/** Of these axes. */
function pointLabel(point: Point, paths: readonly string[]): string {
  return labelOf(Object.fromEntries(paths.map((path) => [path, point[path] ?? null])));
}

function pathLabel(path: string): string {
  const dot = path.indexOf('.');
  return path.slice(dot + 1);
}

/** Ticks that fit beside one another on a drawing of this many pixels: the swept values, and the place without one. */
function axisTicks({ values, isLog, unset }: NumberAxis, pixels: number): number[] {
  const all = [...values, ...(unset === null ? [] : [unset.at])];
  const scale = (value: number): number => (isLog ? Math.log(value) : value);
  const [from, to] = [scale(all[0]), scale(all[all.length - 1])];
  const kept: number[] = [];
  // From the right: the place without a value keeps its name.
  for (const value of all.reverse()) {
    const isLast = kept.length === 1 && unset !== null;
    if (kept.length === 0 || ((scale(kept[kept.length - 1]) - scale(value)) / (to - from)) * pixels >= (isLast ? unset.pixels / 2 + 16 : 32)) kept.push(value);
  }
  return kept.reverse();
}

/** Plot leaves out labels of a log axis that a formatter makes: here they are texts of their own. */
export function axisMark(axis: NumberAxis, pixels: number): Plot.Markish {
  return Plot.axisX(axisTicks(axis, pixels), { text: tickLabel(axis), label: axis.isLog ? `${axis.label} (log scale)` : axis.label, labelAnchor: 'center', labelArrow: 'none' });
}

function tickLabel({ unset }: NumberAxis): (value: number) => string {
  return (value) => (value === unset?.at ? unset.label : value >= 1e6 ? `${value / 1e6} M` : value >= 1e4 ? `${value / 1e3} k` : String(value));
}
