/** A figure of every round, a line a cell: the mean over its seeds. */
import * as Plot from '@observablehq/plot';
import { ticksFor, wholeTicks } from '../../../server/dashboard/page/charts/ticks.ts';
import { average } from '../../../shared/evaluation/metrics.ts';
import { html, type Markup } from '../../markup.ts';
import type { RoundRecord } from '../../simulate/simulation.ts';
import type { Cell } from '../result.ts';
import { figure, type FigureProps } from './figure.ts';
import { baselineLegend, baselineMarks, domainOf, inParts, seriesStyle, type BaselineLine } from './marks.ts';
import { estimate } from './words.ts';

export interface RoundFigureProps {
  readonly cells: readonly Cell[];
  readonly id: string;
  readonly title: string;
  readonly label: string;
  /** Null where a round has none. */
  readonly valueOf: (record: RoundRecord) => number | null;
  readonly lines?: readonly BaselineLine[];
  readonly isSmall: boolean;
}

interface Course {
  readonly label: string;
  readonly points: readonly { readonly round: number; readonly value: number }[];
}

/** More points than this cannot be told apart on the drawing. */
const mostPoints = 150;

/** Nothing where no round has the figure, or only one round. */
export function roundFigures(props: RoundFigureProps): Markup {
  const courses = props.cells.map((cell) => courseOf(cell, props.valueOf)).filter(({ points }) => points.length > 0);
  if (!courses.some(({ points }) => points.length > 1)) return html``;
  const parts = inParts(courses);
  return html`${parts.map((part, index) => figure({
    id: parts.length === 1 ? props.id : `${props.id}-${index + 1}`,
    title: parts.length === 1 ? props.title : `${props.title}, part ${index + 1} of ${parts.length}`,
    isSmall: props.isSmall,
    ...drawingOf(props, part),
  }))}`;
}

function courseOf({ label, runs }: Cell, valueOf: RoundFigureProps['valueOf']): Course {
  const byRound = new Map<number, number[]>();
  for (const { rounds } of runs) {
    for (const record of rounds) {
      const value = valueOf(record);
      if (value !== null && Number.isFinite(value)) byRound.set(record.round, [...byRound.get(record.round) ?? [], value]);
    }
  }
  const points = [...byRound].sort(([a], [b]) => a - b).map(([round, values]) => ({ round, value: average(values) }));
  return { label, points: thinned(points, mostPoints) };
}

/** The first, the last, and as many between them as there is room for. */
function thinned<T>(points: readonly T[], most: number): readonly T[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, index) => points[Math.round((index * (points.length - 1)) / (most - 1))]);
}

function drawingOf({ label, lines = [], isSmall }: RoundFigureProps, courses: readonly Course[]): Pick<FigureProps, 'sentence' | 'legend' | 'columns' | 'rows' | 'draw'> {
  const rounds = [...new Set(courses.flatMap(({ points }) => points.map(({ round }) => round)))].sort((a, b) => a - b);
  const [first, last] = [rounds[0], rounds[rounds.length - 1]];
  const domain = domainOf([...courses.flatMap(({ points }) => points.map(({ value }) => value)), ...lines.map(({ value }) => value)]);
  const height = isSmall ? 220 : 340;
  const draw = (width: number): Plot.PlotOptions => {
    const hasMargin = width > 600 && lines.length > 0;
    return {
      width, height, marginLeft: 52, marginRight: hasMargin ? 118 : 16, marginTop: 22, marginBottom: 40,
      x: { label: 'round', domain: [first, last], ticks: wholeTicks(first, last, ticksFor(width)), tickFormat: String, labelAnchor: 'center', labelArrow: 'none' },
      y: { label, domain, grid: true, ticks: 5, labelArrow: 'none' },
      marks: [
        ...baselineMarks(lines, { domain, pixels: height - 62 }, hasMargin),
        ...courses.flatMap(({ points }, index) => {
          const { className, dash, symbol } = seriesStyle(index);
          return [
            Plot.line(points, { x: 'round', y: 'value', className, strokeDasharray: dash, strokeWidth: 2 }),
            Plot.dot(thinned(points, 12), { x: 'round', y: 'value', className: `${className} mark`, symbol, r: 3.5 }),
          ];
        }),
      ],
    };
  };
  const values = courses.map(({ points }) => new Map(points.map(({ round, value }) => [round, value])));
  return {
    draw,
    sentence: `${label}, mean over seeds. ${courses.map(({ label: name, points }) => `${courses.length === 1 ? 'F' : `${name}: f`}rom ${estimate(points[0].value)} in round ${points[0].round} to ${estimate(points[points.length - 1].value)} in round ${points[points.length - 1].round}`).join('; ')}.`,
    legend: [...courses.map(({ label: text }, index) => ({ ...seriesStyle(index), text })), ...baselineLegend(lines)],
    columns: ['round', ...courses.map(({ label: name }) => name)],
    rows: rounds.map((round) => [round, ...values.map((known) => (known.has(round) ? estimate(known.get(round) ?? 0) : ''))]),
  };
}
