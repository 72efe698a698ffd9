/** How long each round took, and which ones failed. */
import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import type { Round } from '../store.ts';
import { durationInWords, plural } from '../words.ts';
import { Chart } from './chart.tsx';
import { ticksFor, wholeTicks } from './ticks.ts';

interface Ended {
  readonly number: number;
  readonly seconds: number;
  readonly hasFailed: boolean;
}

export function endedRounds(rounds: readonly Round[]): Ended[] {
  return rounds.flatMap(({ number, state, openedAt, endedAt }) => (endedAt === null ? [] : [{ number, seconds: (Date.parse(endedAt) - Date.parse(openedAt)) / 1000, hasFailed: state === 'failed' }]));
}

export function RoundsChart({ ended }: { readonly ended: readonly Ended[] }): JSX.Element {
  const failed = ended.filter(({ hasFailed }) => hasFailed).length;
  const [first, end] = [ended[0].number, Math.max(ended[0].number + 1, ended[ended.length - 1].number)];
  const longest = Math.max(...ended.map(({ seconds }) => seconds));
  const draw = (width: number): Element => Plot.plot({
    width, height: 200, marginLeft: 46, marginRight: 14, marginBottom: 38,
    x: { label: 'round', domain: [first, end], ticks: wholeTicks(first, end, ticksFor(width)), tickFormat: String },
    y: { label: 'seconds', zero: true, nice: true, grid: true },
    marks: [
      Plot.dot(ended.filter(({ hasFailed }) => !hasFailed), { x: 'number', y: 'seconds', r: 4, className: 'series-dot' }),
      Plot.dot(ended.filter(({ hasFailed }) => hasFailed), { x: 'number', y: 'seconds', r: 5, symbol: 'times', className: 'failed-dot' }),
    ],
  });
  return (
    <Chart
      title="How long rounds took"
      sentence={`${plural(ended.length, 'round')} ended, ${failed} of them without a release; the longest took ${durationInWords(longest * 1000)}.`}
      legend={[{ mark: 'dot', text: 'done' }, { mark: 'times', text: 'failed' }]}
      columns={['round', 'duration', 'how it ended']}
      rows={ended.map(({ number, seconds, hasFailed }) => [String(number), durationInWords(seconds * 1000), hasFailed ? 'failed' : 'done'])}
      draw={draw}
    />
  );
}
