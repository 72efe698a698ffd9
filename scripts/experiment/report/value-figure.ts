/** A metric of every cell and baseline, with its intervals: along the swept numbers, or a row each where names were swept. */
import * as Plot from '@observablehq/plot';
import { baselineDashes, baselineNames } from '../../../server/dashboard/page/words.ts';
import type { Cell, ExperimentResult } from '../result.ts';
import { axisMark, numberAxis, placeOf, seriesAlong, type NumberAxis, type Series } from './axis.ts';
import type { FigureProps, LegendEntry } from './figure.ts';
import { baselineLegend, baselineLines, baselineMarks, domainOf, inParts, seriesStyle, type BaselineLine } from './marks.ts';
import { rowOf, type Row } from './rows.ts';
import { estimate, rowTable } from './words.ts';

export interface ValueFigureProps {
  readonly result: ExperimentResult;
  /** Of one metric. */
  readonly rows: readonly Row[];
  readonly id: string;
  readonly title: string;
  readonly metric: string;
  /** What the sentence says of the metric besides its values. */
  readonly meaning: string;
  readonly isSmall: boolean;
}

export function valueFigures(props: ValueFigureProps): FigureProps[] {
  const { result, rows } = props;
  const axis = numberAxis(result.axes, result.cells);
  const known = result.cells.filter(({ label }) => rowOf(rows, label) !== null);
  const parts: readonly (readonly Series[])[] = axis === null ? [[]] : inParts(seriesAlong(axis, result.axes, known));
  return parts.map((series, part) => ({
    isSmall: props.isSmall,
    isOpen: !props.isSmall,
    id: parts.length === 1 ? props.id : `${props.id}-${part + 1}`,
    title: parts.length === 1 ? props.title : `${props.title}, part ${part + 1} of ${parts.length}`,
    ...withMeaning(axis === null ? namesFigure(props, known) : numbersFigure(props, axis, series), props.meaning),
  }));
}

type Drawing = Pick<FigureProps, 'sentence' | 'legend' | 'columns' | 'rows' | 'draw'>;

/** What a row's marks need, at its place. */
interface Spot {
  readonly at: number | string;
  readonly mean: number;
  readonly seedLow: number;
  readonly seedHigh: number;
  readonly shopperLow: number;
  readonly shopperHigh: number;
}

function spotOf({ statistics: { mean, interval }, shoppers }: Row, at: number | string): Spot {
  return { at, mean, seedLow: interval?.low ?? mean, seedHigh: interval?.high ?? mean, shopperLow: shoppers?.low ?? mean, shopperHigh: shoppers?.high ?? mean };
}

function withMeaning(drawing: Drawing, meaning: string): Drawing {
  return { ...drawing, sentence: meaning === '' ? drawing.sentence : `${drawing.sentence} That is: ${meaning}` };
}

function extentOf(spots: readonly Spot[], lines: readonly BaselineLine[]): readonly [number, number] {
  return domainOf([...spots.flatMap(({ mean, seedLow, seedHigh, shopperLow, shopperHigh }) => [mean, seedLow, seedHigh, shopperLow, shopperHigh]), ...lines.map(({ value }) => value)]);
}

function intervalLegend(rows: readonly Row[]): LegendEntry[] {
  return [
    ...(rows.some(({ statistics }) => statistics.interval !== null) ? [{ text: '95 % interval over seeds', className: 'series s0', strokeWidth: 5 }] : []),
    ...(rows.some(({ shoppers }) => shoppers !== null) ? [{ text: '95 % interval over test shoppers', className: 'series s0', strokeWidth: 1.25 }] : []),
  ];
}

function numbersFigure(props: ValueFigureProps, axis: NumberAxis, series: readonly Series[]): Drawing {
  const lines = baselineLines(props.rows);
  const drawn = series.map(({ label, cells }, index) => ({ label, style: seriesStyle(index), spots: cells.flatMap((cell) => spotsOf(props.rows, cell, placeOf(axis, cell))) }));
  const domain = extentOf(drawn.flatMap(({ spots }) => spots), lines);
  const height = props.isSmall ? 230 : 400;
  const draw = (width: number): Plot.PlotOptions => {
    const hasMargin = width > 600 && lines.length > 0;
    const margins = { marginLeft: 48, marginRight: hasMargin ? 128 : Math.max(22, (axis.unset?.pixels ?? 0) / 2), marginTop: props.isSmall ? 14 : 22, marginBottom: 42 };
    const pixels = width - margins.marginLeft - margins.marginRight;
    return {
      width, height, ...margins,
      x: { type: axis.isLog ? 'log' : 'linear', domain: edges(axis) },
      y: { domain, label: props.isSmall ? null : props.metric, grid: true, ticks: 6, labelArrow: 'none' },
      marks: [
        axisMark(axis, pixels),
        ...(axis.unset === null ? [] : [Plot.ruleX([beforeUnset(axis)], { className: 'divider', strokeDasharray: '3 3' })]),
        ...baselineMarks(lines, { domain, pixels: height - margins.marginTop - margins.marginBottom }, props.isSmall ? 'none' : hasMargin ? 'right' : 'left'),
        ...drawn.flatMap(({ style, spots }, index) => seriesMarks(spots, axis, { ...style, dx: (index - (drawn.length - 1) / 2) * Math.min(7, 28 / drawn.length) })),
      ],
    };
  };
  const shown = series.flatMap(({ cells }) => cells.map(({ label }) => label));
  const rows = props.rows.filter(({ kind, label }) => kind === 'baseline' || shown.includes(label));
  return {
    draw,
    sentence: courseSentence(props, axis, series),
    legend: [...drawn.map(({ label, style }) => ({ ...style, text: label })), ...baselineLegend(lines), ...intervalLegend(rows)],
    ...rowTable(rows, props.metric, props.result.comparedWith),
  };
}

function spotsOf(rows: readonly Row[], { label }: Cell, at: number | string): Spot[] {
  const row = rowOf(rows, label);
  return row === null ? [] : [spotOf(row, at)];
}

function seriesMarks(spots: readonly Spot[], { unset }: NumberAxis, { className, dash, symbol, dx }: ReturnType<typeof seriesStyle> & { readonly dx: number }): Plot.Markish[] {
  return [
    Plot.ruleX(spots, { x: 'at', y1: 'shopperLow', y2: 'shopperHigh', className, strokeWidth: 1.25, dx }),
    Plot.ruleX(spots, { x: 'at', y1: 'seedLow', y2: 'seedHigh', className, strokeWidth: 5, dx }),
    Plot.line(spots.filter(({ at }) => at !== unset?.at), { x: 'at', y: 'mean', className, strokeWidth: 2, strokeDasharray: dash, dx }),
    Plot.dot(spots, { x: 'at', y: 'mean', className: `${className} mark`, symbol, r: 4.5, dx }),
  ];
}

function edges({ values, isLog, unset }: NumberAxis): [number, number] {
  const [least, most] = [values[0], unset?.at ?? values[values.length - 1]];
  if (isLog) return [least / (most / least) ** 0.05, most * (most / least) ** 0.05];
  return [least - (most - least) * 0.05, most + (most - least) * 0.05];
}

function beforeUnset({ values, isLog, unset }: NumberAxis): number {
  const [most, at] = [values[values.length - 1], unset?.at ?? 0];
  return isLog ? Math.sqrt(most * at) : (most + at) / 2;
}

function courseSentence({ metric, rows }: ValueFigureProps, { label, path, unset }: NumberAxis, series: readonly Series[]): string {
  const courses = series.flatMap(({ label: name, cells }) => {
    const numbered = cells.filter(({ point }) => typeof point[path] === 'number');
    const ends = [numbered[0], numbered[numbered.length - 1]].flatMap((cell) => spotsOf(rows, cell, Number(cell.point[path])));
    if (ends.length < 2) return [];
    const rest = cells.find((cell) => !numbered.includes(cell));
    const aside = unset === null || rest === undefined ? [] : spotsOf(rows, rest, unset.label).map(({ mean }) => `, and ${estimate(mean)} with ${unset.label}`);
    return [`${series.length === 1 ? metric : name}: ${estimate(ends[0].mean)} at ${label} ${ends[0].at}, ${estimate(ends[1].mean)} at ${ends[1].at}${aside.join('')}`];
  });
  return `${series.length === 1 ? '' : `${metric}. `}${courses.join('; ')}.`;
}

const rowPixels = 34;

function namesFigure(props: ValueFigureProps, cells: readonly Cell[]): Drawing {
  const lines = baselineLines(props.rows);
  const federated = cells.flatMap((cell) => spotsOf(props.rows, cell, cell.label));
  const compared = lines.flatMap(({ name }) => props.rows.filter(({ kind, label }) => kind === 'baseline' && label === name).map((row) => spotOf(row, baselineNames[name])));
  const spots = [...federated, ...compared];
  const domain = extentOf(spots, []);
  const draw = (width: number): Plot.PlotOptions => ({
    width, height: 46 + rowPixels * spots.length, marginLeft: 12, marginRight: 16, marginTop: 4, marginBottom: 42,
    x: { domain, label: props.metric, ticks: Math.floor(width / 90), grid: true, labelAnchor: 'center', labelArrow: 'none' },
    y: { type: 'band', domain: spots.map(({ at }) => at), axis: null },
    marks: [
      ...lines.map(({ name, value }) => Plot.ruleX([value], { className: 'series s0', strokeDasharray: baselineDashes[name], strokeWidth: 1.25 })),
      ...[{ spots: federated, style: seriesStyle(0) }, { spots: compared, style: { className: 'series s0', symbol: 'square' as const } }].flatMap(({ spots: own, style: { className, symbol } }) => [
        Plot.ruleY(own, { y: 'at', x1: 'shopperLow', x2: 'shopperHigh', className, strokeWidth: 1.25, dy: 7 }),
        Plot.ruleY(own, { y: 'at', x1: 'seedLow', x2: 'seedHigh', className, strokeWidth: 5, dy: 7 }),
        Plot.dot(own, { y: 'at', x: 'mean', className: `${className} mark`, symbol, r: 4.5, dy: 7 }),
      ]),
      // Names have a line of their own, above the marks: they may be long, and the drawing narrow.
      Plot.text(spots, { y: 'at', text: ({ at, mean }: Spot) => `${at}: ${estimate(mean)}`, frameAnchor: 'left', textAnchor: 'start', dx: 4, dy: -8, className: 'note', textOverflow: 'ellipsis', lineWidth: (width - 40) / 13 }),
    ],
  });
  const best = spots.reduce((one, other) => (other.mean > one.mean ? other : one));
  const least = spots.reduce((one, other) => (other.mean < one.mean ? other : one));
  return {
    draw,
    sentence: spots.length === 1 ? `${props.metric} of ${best.at} is ${estimate(best.mean)}.` : `${props.metric} is between ${estimate(least.mean)} (${least.at}) and ${estimate(best.mean)} (${best.at}).`,
    legend: [{ ...seriesStyle(0), text: 'federation', strokeWidth: 0 }, ...(compared.length === 0 ? [] : [{ text: 'without a federation', className: 'series s0', symbol: 'square' as const, strokeWidth: 0 }]), ...intervalLegend(props.rows)],
    ...rowTable(props.rows, props.metric, props.result.comparedWith),
  };
}

