/** The answer of an experiment in sentences made of its numbers, no stronger than its intervals and tests. */
import { baselineNames, plural } from '../../../server/dashboard/page/words.ts';
import { metricInfo, type MetricInfo } from '../../../shared/evaluation/scenario-metrics.ts';
import type { ExperimentResult } from '../result.ts';
import type { Summary } from '../summary.ts';
import { epsilonPath } from './axis.ts';
import { pushed } from './pushed.ts';
import { rowsOf, type Row } from './rows.ts';
import { between, estimate, list, nameOf, pValue, signed } from './words.ts';

/** At which a difference counts as more than the luck of the shoppers. */
const level = 0.05;

export function answer(result: ExperimentResult, summary: Summary): string[] {
  const [metric] = result.metrics;
  const rows = rowsOf(summary, metric);
  const cells = rows.filter(({ kind }) => kind === 'cell');
  if (cells.length === 0) return [`No finished run has ${metric}.`];
  if (metric === 'exposure@20') return [...pushed(result, summary), ...failedSentence(summary)];
  const sign = infoOf(metric)?.better === 'lower' ? -1 : 1;
  const best = cells.reduce((one, other) => (sign * other.statistics.mean > sign * one.statistics.mean ? other : one));
  return [
    bestSentence(best, cells.length, metric),
    ...comparedSentence(best, summary),
    ...restSentence(cells, summary, sign),
    ...leastEpsilonSentence(result, cells, summary, sign),
    ...priceSentence(result, cells, metric),
    ...baselineSentence(rows, metric, sign),
    ...failedSentence(summary),
  ];
}

export function infoOf(metric: string): MetricInfo | null {
  return Object.hasOwn(metricInfo, metric) ? metricInfo[metric as keyof typeof metricInfo] : null;
}

function bestSentence({ label, statistics: { mean, seeds, interval }, shoppers }: Row, cells: number, metric: string): string {
  const luck = [
    ...(interval === null ? [] : [`${between(interval)} over ${plural(seeds, 'seed')}`]),
    ...(shoppers === null ? [] : [`${between(shoppers)} over test shoppers`]),
  ];
  const what = cells === 1 ? `With ${quoted(label)}, ${metric}` : `The best ${metric} of the ${cells} settings, with ${quoted(label)},`;
  return `${what} is ${estimate(mean)}${luck.length === 0 ? '' : ` (95 % intervals: ${luck.join('; ')})`}.${interval === null ? ' There is one seed, so how much it owes to the luck of its seed is not known.' : ''}`;
}

function comparedSentence({ label, comparison }: Row, { comparedWith, comparedBy }: Summary): string[] {
  if (comparison === null) return [];
  const { difference, adjustedP } = comparison;
  const verdict = adjustedP < level ? 'more than the luck of the test shoppers explains' : 'not more than the luck of the test shoppers may explain';
  return [`Against ${quoted(comparedWith)}, shopper by shopper, ${quoted(label)} has ${signed(difference)} ${comparedBy} (95 % interval ${between(comparison)}; p ${inWords(adjustedP)}, adjusted for all comparisons): ${verdict}.`];
}

function inWords(p: number): string {
  return p < 0.001 ? pValue(p) : `= ${pValue(p)}`;
}

/** What cannot be told apart from the reference, and what is worse. */
function restSentence(cells: readonly Row[], { comparedWith }: Summary, sign: number): string[] {
  const compared = cells.flatMap(({ label, comparison }) => (comparison === null ? [] : [{ label, ...comparison }]));
  if (compared.length < 2) return [];
  const alike = compared.filter(({ adjustedP }) => adjustedP >= level);
  const better = compared.filter(({ adjustedP, difference }) => adjustedP < level && sign * difference > 0);
  const worse = compared.filter(({ adjustedP, difference }) => adjustedP < level && sign * difference < 0);
  const parts = [[better, 'better than'], [worse, 'worse than'], [alike, 'not told apart from']] as const;
  return [`Of ${compared.length === cells.length ? '' : 'the '}${compared.length}${compared.length === cells.length ? '' : ' other'} settings, ${list(parts.filter(([own]) => own.length > 0).map(([own, how]) => `${own.length === compared.length ? 'all' : own.length} ${own.length === 1 && compared.length !== 1 ? 'is' : 'are'} ${how} ${quoted(comparedWith)}${own.length === compared.length || own.length > 4 ? '' : ` (${own.map(({ label }) => quoted(label)).join(', ')})`}`))}, at a level of ${level}.`];
}

/** From which epsilon on anything is better than the reference. */
function leastEpsilonSentence({ cells, axes }: ExperimentResult, rows: readonly Row[], { comparedWith }: Summary, sign: number): string[] {
  if (!axes.includes(epsilonPath)) return [];
  const better = cells.flatMap(({ label, point }) => {
    const [epsilon, comparison] = [point[epsilonPath], rows.find((row) => row.label === label)?.comparison ?? null];
    return typeof epsilon === 'number' && comparison !== null && comparison.adjustedP < level && sign * comparison.difference > 0 ? [{ label, epsilon, comparison }] : [];
  });
  if (rows.every(({ comparison }) => comparison === null)) return [];
  if (better.length === 0) return [`With noise, nothing is better than ${quoted(comparedWith)}.`];
  const least = better.reduce((one, other) => (other.epsilon < one.epsilon || (other.epsilon === one.epsilon && sign * other.comparison.difference > sign * one.comparison.difference) ? other : one));
  return [`The smallest epsilon that is better than ${quoted(comparedWith)} is ${least.epsilon}: ${quoted(least.label)} has ${signed(least.comparison.difference)} (${between(least.comparison)}).`];
}

/** What epsilon costs, where the same was run without noise and nothing else was swept. */
function priceSentence({ axes, cells }: ExperimentResult, rows: readonly Row[], metric: string): string[] {
  if (axes.length !== 1 || axes[0] !== epsilonPath) return [];
  const meanOf = (label: string): number | null => rows.find((row) => row.label === label)?.statistics.mean ?? null;
  const plain = cells.find(({ point }) => point[epsilonPath] === null);
  const whole = plain === undefined ? null : meanOf(plain.label);
  if (whole === null || whole <= 0) return [];
  const shares = cells.flatMap(({ point, label }) => {
    const [epsilon, mean] = [point[epsilonPath], meanOf(label)];
    return typeof epsilon !== 'number' || mean === null ? [] : [`${Math.round((100 * mean) / whole)} % at epsilon ${epsilon}`];
  });
  return shares.length === 0 ? [] : [`Of the ${estimate(whole)} that the same federation reaches without noise, privacy leaves ${list(shares)} of ${metric} (ratios of means).`];
}

/** By means alone: a federation that is below what a shop has without it should say so. */
function baselineSentence(rows: readonly Row[], metric: string, sign: number): string[] {
  const [cells, others] = [rows.filter(({ kind }) => kind === 'cell'), rows.filter(({ kind }) => kind === 'baseline')];
  const said = others.map(({ label, statistics: { mean } }) => {
    const below = cells.filter(({ statistics }) => sign * statistics.mean < sign * mean);
    const which = below.length === cells.length ? 'every setting' : below.length > 4 ? `${below.length} of ${cells.length} settings` : list(below.map((cell) => quoted(cell.label)));
    return `${nameOf(label)} ${estimate(mean)}${below.length === 0 ? '' : ` (a better mean than ${which})`}`;
  });
  return said.length === 0 ? [] : [`To compare with, ${metric}: ${said.join('; ')}.`];
}

function failedSentence({ rows }: Summary): string[] {
  const cells = rows.filter(({ kind }) => kind === 'cell');
  const [all, failed] = [cells.reduce((sum, { rounds, seeds }) => sum + rounds * seeds.length, 0), cells.reduce((sum, { failedRounds, seeds }) => sum + failedRounds * seeds.length, 0)];
  if (failed === 0) return [];
  const where = cells.filter(({ failedRounds }) => failedRounds > 0).map(({ label, rounds, failedRounds, seeds }) => `${Math.round(failedRounds * seeds.length)} of ${Math.round(rounds * seeds.length)} with ${quoted(label)}`);
  return [`${Math.round(failed)} of ${plural(Math.round(all), 'round')} failed${cells.length === 1 || where.length > 6 ? '' : `: ${list(where)}`}.`];
}

function quoted(label: string): string {
  return Object.hasOwn(baselineNames, label) ? nameOf(label) : `“${label}”`;
}
