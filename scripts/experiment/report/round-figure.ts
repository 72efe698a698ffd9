/** A figure of every round, a line a cell: the mean over its seeds. */
import * as Plot from '@observablehq/plot';
import { ticksFor, wholeTicks } from '../../../server/dashboard/page/charts/ticks.ts';
import { figure as digits } from '../../../server/dashboard/page/words.ts';
import { average } from '../../../shared/evaluation/metrics.ts';
import type { RoundRecord } from '../../simulate/simulation.ts';
import type { Cell, ExperimentResult } from '../result.ts';
import { cellParts } from './axis.ts';
import type { FigureProps } from './figure.ts';
import { baselineLegend, baselineMarks, domainOf, seriesStyle, type BaselineLine, type SeriesStyle } from './marks.ts';

export interface RoundFigureProps {
  readonly result: ExperimentResult;
  readonly id: string;
  readonly title: string;
  readonly label: string;
  /** Null where a round has none. */
  readonly valueOf: (record: RoundRecord) => number | null;
  readonly lines?: readonly BaselineLine[];
  /** Where one chart holds all cells. */
  readonly isSmall: boolean;
}

interface Course {
  readonly label: string;
  readonly style: SeriesStyle;
  readonly points: readonly { readonly round: number; readonly value: number }[];
}

/** More points than this cannot be told apart on the drawing. */
const mostPoints = 150;

/** None where no round has the figure, or only one round. */
export function roundFigures(props: RoundFigureProps): FigureProps[] {
  const { result: { axes, cells }, id, title, isSmall, lines = [], valueOf } = props;
  const parts = cellParts(axes, cells).flatMap(({ title: part, cells: own }) => {
    const courses = own.map(([label, { runs }], index) => courseOf({ label, runs }, seriesStyle(index), valueOf)).filter(({ points }) => points.length > 0);
    return courses.some(({ points }) => points.length > 1) ? [{ part, courses }] : [];
  });
  // Charts beside one another are compared: they have one scale.
  const domain = domainOf([...parts.flatMap(({ courses }) => courses.flatMap(({ points }) => points.map(({ value }) => value))), ...lines.map(({ value }) => value)]);
  return parts.map(({ part, courses }, index) => {
    const isOneOfMany = isSmall || parts.length > 1;
    return { id: parts.length === 1 ? id : `${id}-${index + 1}`, title: part === null ? title : `${title}: ${part}`, isSmall: isOneOfMany, ...drawingOf({ ...props, lines, isSmall: isOneOfMany }, courses, domain) };
  });
}

function courseOf({ label, runs }: Pick<Cell, 'label' | 'runs'>, style: SeriesStyle, valueOf: RoundFigureProps['valueOf']): Course {
  const byRound = new Map<number, number[]>();
  for (const { rounds } of runs) {
    for (const record of rounds) {
      const value = valueOf(record);
      if (value !== null && Number.isFinite(value)) byRound.set(record.round, [...byRound.get(record.round) ?? [], value]);
    }
  }
  const points = [...byRound].sort(([a], [b]) => a - b).map(([round, values]) => ({ round, value: average(values) }));
  return { label, style, points: thinned(points, mostPoints) };
}

/** The first, the last, and as many between them as there is room for. */
function thinned<T>(points: readonly T[], most: number): readonly T[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, index) => points[Math.round((index * (points.length - 1)) / (most - 1))]);
}

function drawingOf({ label, lines, isSmall }: Required<RoundFigureProps>, courses: readonly Course[], domain: readonly [number, number]): Pick<FigureProps, 'sentence' | 'legend' | 'columns' | 'rows' | 'draw'> {
  const rounds = [...new Set(courses.flatMap(({ points }) => points.map(({ round }) => round)))].sort((a, b) => a - b);
  const [first, last] = [rounds[0], rounds[rounds.length - 1]];
  const [height, marginTop] = isSmall ? [220, 14] : [340, 22];
  const draw = (width: number): Plot.PlotOptions => {
    const hasMargin = width > 600 && lines.length > 0;
    return {
      width, height, marginLeft: 52, marginRight: hasMargin ? 128 : 16, marginTop, marginBottom: 40,
      x: { label: 'round', domain: [first, last], ticks: wholeTicks(first, last, ticksFor(width)), tickFormat: String, labelAnchor: 'center', labelArrow: 'none' },
      y: { label: isSmall ? null : label, domain, grid: true, ticks: 5, labelArrow: 'none' },
      marks: [
        ...baselineMarks(lines, { domain, pixels: height - marginTop - 40 }, hasMargin ? 'right' : 'none'),
        ...courses.flatMap(({ points, style: { className, dash, symbol } }) => [
          Plot.line(points, { x: 'round', y: 'value', className, strokeDasharray: dash, strokeWidth: 2 }),
          Plot.dot(thinned(points, 12), { x: 'round', y: 'value', className: `${className} mark`, symbol, r: 3.5 }),
        ]),
      ],
    };
  };
  const values = courses.map(({ points }) => new Map(points.map(({ round, value }) => [round, digits(value, 4)])));
  return {
    draw,
    sentence: sentenceOf(label, courses),
    legend: [...courses.map(({ label: text, style }) => ({ ...style, text })), ...baselineLegend(lines)],
    columns: ['round', ...courses.map(({ label: name }) => name)],
    rows: rounds.map((round) => [round, ...values.map((known) => known.get(round) ?? '')]),
  };
}

function sentenceOf(label: string, courses: readonly Course[]): string {
  const values = new Set(courses.flatMap(({ points }) => points.map(({ value }) => value)));
  if (values.size === 1) return `${label}: ${digits([...values][0])} in every round.`;
  const ends = courses.map(({ label: name, points }) => ({ name, first: points[0], last: points[points.length - 1] }));
  const said = ({ name, first, last }: (typeof ends)[number]): string => `${name}, from ${digits(first.value)} in round ${first.round} to ${digits(last.value)} in round ${last.round}`;
  const [least, most] = [ends.reduce((one, other) => (other.last.value < one.last.value ? other : one)), ends.reduce((one, other) => (other.last.value > one.last.value ? other : one))];
  return `${label}, mean over seeds: ${ends.length > 2 ? `lowest at the end with ${said(least)}; highest with ${said(most)}` : ends.map(said).join('; ')}.`;
}
