/** Named bars on one scale, some with an interval, as an image with a table of the same figures. */
import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import { Chart } from '../../../../server/dashboard/page/charts/chart.tsx';

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly interval?: readonly [low: number, high: number];
  /** Of an attack that works. */
  readonly isBad: boolean;
}

export interface BarsProps {
  readonly title: string;
  readonly sentence: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
  readonly domain: readonly [number, number];
  readonly legend: readonly { readonly mark: string; readonly text: string }[];
  /** What chance alone would give: a line. */
  readonly chance?: number;
  readonly format: (value: number) => string;
}

export function Bars({ title, sentence, unit, bars, domain, legend, chance, format }: BarsProps): JSX.Element {
  const withInterval = bars.flatMap(({ name, interval }) => (interval === undefined ? [] : [{ name, low: interval[0], high: interval[1] }]));
  const draw = (width: number): Element => Plot.plot({
    width, height: 44 * bars.length + 56, marginLeft: Math.min(190, width * 0.42), marginRight: 44, marginTop: 8, marginBottom: 40,
    x: { label: unit, domain: [...domain], ticks: width < 400 ? 2 : 4, tickFormat: format, grid: true },
    y: { label: null, domain: bars.map(({ name }) => name), tickSize: 0 },
    marks: [
      ...[false, true].map((isBad) => Plot.barX(bars.filter((bar) => bar.isBad === isBad), { x1: domain[0], x2: 'value', y: 'name', className: isBad ? 'bar-bad' : 'bar-mark', insetTop: 6, insetBottom: 6 })),
      ...(chance === undefined ? [] : [Plot.ruleX([chance], { className: 'coin', strokeWidth: 2, strokeDasharray: '6 4' })]),
      Plot.ruleY(withInterval, { y: 'name', x1: 'low', x2: 'high', className: 'bar-interval', strokeWidth: 3 }),
      Plot.text(bars, { x: (bar: Bar) => Math.max(bar.value, bar.interval?.[1] ?? 0), y: 'name', text: (bar: Bar) => format(bar.value), textAnchor: 'start', dx: 6 }),
    ],
  });
  return (
    <Chart
      title={title} sentence={sentence} legend={legend} columns={['what', unit, '95 % interval']} draw={draw}
      rows={bars.map(({ name, value, interval }) => [name, format(value), interval === undefined ? '' : `${format(interval[0])} to ${format(interval[1])}`])}
    />
  );
}
