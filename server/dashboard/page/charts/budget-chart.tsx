/** How much of a task's epsilon is spent, and how it went from release to release. */
import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import { figure } from '../words.ts';
import { Chart } from './chart.tsx';
import { ticksFor, wholeTicks } from './ticks.ts';

export function BudgetGauge({ spent, limit }: { readonly spent: number; readonly limit: number }): JSX.Element {
  const draw = (width: number): Element => Plot.plot({
    width, height: 84, marginLeft: 14, marginRight: 14, marginTop: 18, marginBottom: 34,
    x: { label: 'epsilon', domain: [0, Math.max(limit, spent)], ticks: 5 },
    y: { axis: null },
    marks: [
      Plot.barX([limit], { x1: 0, x2: (value: number) => value, className: 'gauge' }),
      Plot.barX([spent], { x1: 0, x2: (value: number) => value, insetTop: 8, insetBottom: 8, className: 'gauge-spent' }),
      Plot.ruleX([limit], { className: 'limit', strokeWidth: 3 }),
    ],
  });
  return (
    <Chart
      title="Privacy budget spent"
      sentence={`Epsilon ${figure(spent)} of ${figure(limit)} is spent: ${figure((100 * spent) / limit)} %.`}
      legend={[{ mark: 'gauge-spent', text: 'spent' }, { mark: 'gauge', text: 'promised: the task stops there' }]}
      columns={['epsilon', 'value']}
      rows={[['spent', figure(spent, 6)], ['left', figure(Math.max(0, limit - spent), 6)], ['limit', figure(limit, 6)]]}
      draw={draw}
    />
  );
}

export interface Step {
  readonly version: number;
  /** Spent up to and including its round. */
  readonly epsilon: number;
}

export function BudgetCourse({ steps, limit }: { readonly steps: readonly Step[]; readonly limit: number }): JSX.Element {
  const last = steps[steps.length - 1];
  const [first, end] = [steps[0].version, Math.max(steps[0].version + 1, last.version)];
  const draw = (width: number): Element => Plot.plot({
    width, height: 220, marginLeft: 46, marginRight: 14, marginBottom: 38,
    x: { label: 'release', domain: [first, end], ticks: wholeTicks(first, end, ticksFor(width)), tickFormat: String },
    y: { label: 'epsilon spent', domain: [0, limit * 1.05], grid: true },
    marks: [
      Plot.ruleY([limit], { className: 'limit', strokeWidth: 2, strokeDasharray: '8 4' }),
      Plot.line(steps, { x: 'version', y: 'epsilon', curve: 'step-after', className: 'series', strokeWidth: 2.5 }),
      ...(steps.length > 60 ? [] : [Plot.dot(steps, { x: 'version', y: 'epsilon', r: 3.5, className: 'series-dot' })]),
    ],
  });
  return (
    <Chart
      title="Epsilon after each release"
      sentence={`After release ${last.version}, epsilon ${figure(last.epsilon)} of ${figure(limit)} is spent.`}
      legend={[{ mark: 'series', text: 'spent up to the release' }, { mark: 'limit', text: 'limit' }]}
      columns={['release', 'epsilon spent', 'more than before']}
      rows={steps.map(({ version, epsilon }, index) => [`release ${version}`, figure(epsilon, 5), figure(epsilon - (index === 0 ? 0 : steps[index - 1].epsilon), 4)])}
      draw={draw}
    />
  );
}
