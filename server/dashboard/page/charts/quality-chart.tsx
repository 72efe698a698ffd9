/** NDCG@10 of each release against what one has without the federation, and what one would have without privacy. */
import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import type { Quality } from '../../schemas.ts';
import { baselineDashes, baselineNames, figure } from '../words.ts';
import { Chart } from './chart.tsx';
import { ticksFor, wholeTicks } from './ticks.ts';

type Baseline = Quality['baselines'][number];
type Measure = Quality['releases'][number];

const intervalText = (interval: readonly [number, number] | undefined): string => (interval === undefined ? '' : `${figure(interval[0])} to ${figure(interval[1])}`);

export function qualitySentence(baselines: readonly Baseline[], releases: readonly Measure[]): string {
  const against = baselines.map(({ name, ndcg10 }) => `${baselineNames[name]} ${figure(ndcg10)}`).join(', ');
  const [first, last] = [releases[0] as Measure | undefined, releases.at(-1)];
  if (first === undefined || last === undefined) return `No release was measured yet. ${against === '' ? '' : `To compare with: ${against}.`}`;
  const course = releases.length === 1 ? `NDCG@10 of release ${last.version} is ${figure(last.ndcg10)}` : `NDCG@10 went from ${figure(first.ndcg10)} at release ${first.version} to ${figure(last.ndcg10)} at release ${last.version}`;
  return `${course}${against === '' ? '' : `; to compare with: ${against}`}.`;
}

export function QualityChart({ baselines, releases }: { readonly baselines: readonly Baseline[]; readonly releases: readonly Measure[] }): JSX.Element {
  const withInterval = releases.flatMap(({ version, ndcg10Interval }) => (ndcg10Interval === undefined ? [] : [{ version, low: ndcg10Interval[0], high: ndcg10Interval[1] }]));
  const versions = releases.map(({ version }) => version);
  const [from, to] = [Math.min(1, ...versions), Math.max(2, ...versions)];
  const draw = (width: number): Element => Plot.plot({
    width, height: 280, marginLeft: 46, marginRight: 14, marginBottom: 38,
    x: { label: 'release', domain: [from, to], ticks: wholeTicks(from, to, ticksFor(width)), tickFormat: String },
    y: { label: 'NDCG@10', zero: true, nice: true, grid: true },
    marks: [
      ...baselines.map(({ name, ndcg10 }) => Plot.ruleY([ndcg10], { className: 'baseline', strokeDasharray: baselineDashes[name], strokeWidth: 2 })),
      ...baselines.map(({ name, ndcg10 }) => Plot.text([ndcg10], { y: (value: number) => value, frameAnchor: 'right', dy: -7, text: () => baselineNames[name], className: 'baseline-name' })),
      Plot.ruleX(withInterval, { x: 'version', y1: 'low', y2: 'high', className: 'interval' }),
      Plot.line(releases, { x: 'version', y: 'ndcg10', className: 'series', strokeWidth: 2.5 }),
      ...(releases.length > 60 ? [] : [Plot.dot(releases, { x: 'version', y: 'ndcg10', r: 3.5, className: 'series-dot' })]),
    ],
  });
  return (
    <Chart
      title="Quality of the releases (NDCG@10)"
      sentence={qualitySentence(baselines, releases)}
      legend={[
        { mark: 'series', text: 'releases of the federation, with the interval of each' },
        ...baselines.map(({ name }) => ({ mark: name, text: baselineNames[name] })),
      ]}
      columns={['what', 'NDCG@10', 'interval', 'label']}
      rows={[
        ...baselines.map(({ name, ndcg10, ndcg10Interval }) => [baselineNames[name], figure(ndcg10), intervalText(ndcg10Interval), '']),
        ...releases.map(({ version, ndcg10, ndcg10Interval, label = '' }) => [`release ${version}`, figure(ndcg10), intervalText(ndcg10Interval), label]),
      ]}
      draw={draw}
    />
  );
}
