/** How trainings went: quality and budget by round, how much was clipped and how much of a sum was signal, and what it took to send. */
import * as Plot from '@observablehq/plot';
import { bytesInWords, durationInWords, figure as digits, plural } from '../../../server/dashboard/page/words.ts';
import { average } from '../../../shared/evaluation/metrics.ts';
import { html, type Content, type Markup } from '../../markup.ts';
import type { RoundRecord } from '../../simulate/simulation.ts';
import type { Cell, ExperimentResult, Run } from '../result.ts';
import { largestEpsilon, type Summary, type SummaryRow } from '../summary.ts';
import { figure, grid, table } from './figure.ts';
import type { BaselineLine } from './marks.ts';
import { roundFigures } from './round-figure.ts';
import { epsilonWords, estimate } from './words.ts';

export function convergence(result: ExperimentResult, lines: readonly BaselineLine[]): Markup {
  const { cells, metrics: [metric] } = result;
  const isCourse = cells.some(({ runs }) => runs.some(({ rounds }) => rounds.length > 1));
  const quality = roundFigures({ result, id: 'quality-by-round', title: `${metric} by round`, label: metric, valueOf: (record) => record.metrics?.[metric] ?? null, lines, isSmall: false });
  const course = [
    ...roundFigures({ result, id: 'epsilon-by-round', title: 'Epsilon spent', label: 'epsilon spent', valueOf: ({ epsilon }) => epsilon, isSmall: true }),
    ...roundFigures({ result, id: 'clipped-by-round', title: 'Share of contributions that were clipped', label: 'share that was clipped', valueOf: ({ clipFraction }) => clipFraction, isSmall: true }),
    ...roundFigures({ result, id: 'signal-by-round', title: 'Signal to noise of the sum', label: 'norm of the sum over that of its noise', valueOf: ({ signalToNoise }) => signalToNoise, isSmall: true }),
  ];
  return html`<section aria-labelledby="convergence"><h2 id="convergence">Convergence</h2>
${isCourse ? null : html`<p>Every training is one round: there is no course to draw.</p>`}
${quality.some(({ isSmall }) => isSmall) ? grid(quality) : quality.map(figure)}
${grid(course)}
${table('What rounds were like', ['setting', 'rounds released', 'epsilon at the end', 'clipped, mean', 'signal to noise, mean', 'clip norm, last', 'noise of the sum, last (std)'], cells.map(courseRow))}
<p class="quiet">Signal to noise is the norm of the sum over that of the noise in it: near 1, nearly all of the norm is noise, and what signal there is lies in few coordinates. The noise is that of each coordinate, in the units of the clip norm. Means are over released rounds and seeds.</p>
</section>`;
}

function courseRow({ label, runs }: Cell): Content[] {
  const released = runs.flatMap(({ rounds }) => rounds.filter(({ outcome }) => outcome === 'released'));
  const last = runs.flatMap(({ rounds }) => rounds.filter(({ outcome }) => outcome === 'released').slice(-1));
  const mean = (records: readonly RoundRecord[], valueOf: (record: RoundRecord) => number | null): string => {
    const values = records.map(valueOf).filter((value) => value !== null);
    return values.length === 0 ? 'none' : digits(average(values));
  };
  return [
    label,
    digits(released.length / runs.length),
    epsilonWords(largestEpsilon(runs)),
    mean(released, ({ clipFraction }) => clipFraction),
    mean(released, ({ signalToNoise }) => signalToNoise),
    mean(last, ({ clipNorm }) => clipNorm),
    mean(last, ({ noiseStd }) => noiseStd),
  ];
}

/** Of one training, mean over its seeds. */
interface Traffic {
  readonly label: string;
  /** Of one participant in one round. */
  readonly upEach: number;
  readonly downEach: number;
  readonly upAll: number;
  readonly downAll: number;
  readonly cells: readonly Content[];
}

export function communication({ cells }: ExperimentResult, { rows }: Summary): Markup {
  const traffic = cells.map((cell) => trafficOf(cell, rows.find(({ kind, label }) => kind === 'cell' && label === cell.label)));
  const failed = failures(cells);
  return html`<section aria-labelledby="communication"><h2 id="communication">Communication</h2>
${trafficFigure(traffic)}
${table('Participants and bytes, mean of the seeds', ['setting', 'rounds', 'failed', 'invited a round', 'joined', 'reported', 'left', 'too late', 'up in all', 'down in all', 'virtual time'], traffic.map(({ label, cells: own }) => [label, ...own]))}
${failed.length === 0 ? null : html`<h3>Rounds that failed</h3>
<ul>${failed.map(([reason, count]) => html`<li>${reason}: ${plural(count, 'round')}</li>`)}</ul>`}
<p class="quiet">Bytes are payloads of the protocol without the framing of sockets. Left: gone between the start of training and the report. Too late: reported after the round was closed. Time is virtual.</p>
</section>`;
}

function trafficOf({ label, runs }: Cell, row: SummaryRow | undefined): Traffic {
  const records = runs.flatMap(({ rounds }) => rounds);
  const total = (valueOf: (record: RoundRecord) => number): number => records.reduce((sum, record) => sum + valueOf(record), 0);
  const [up, down] = [total(({ bytesUp }) => bytesUp), total(({ bytesDown }) => bytesDown)];
  const perRound = (valueOf: (record: RoundRecord) => number): string => digits(total(valueOf) / Math.max(1, records.length));
  return {
    label, upEach: row?.bytesUpPerParticipant ?? 0, downEach: row?.bytesDownPerParticipant ?? 0, upAll: up / runs.length, downAll: down / runs.length,
    cells: [
      digits(records.length / runs.length),
      digits(total(({ outcome }) => (outcome === 'failed' ? 1 : 0)) / runs.length),
      perRound(({ invited }) => invited), perRound((record) => record.joined), perRound(({ reported }) => reported), perRound(({ left }) => left), perRound(({ late }) => late),
      bytesInWords(Math.round(up / runs.length)), bytesInWords(Math.round(down / runs.length)), durationInWords(average(runs.map(virtualMs))),
    ],
  };
}

function virtualMs({ rounds }: Run): number {
  return (rounds.at(-1)?.virtualSeconds ?? 0) * 1000;
}

function failures(cells: readonly Cell[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { reason } of cells.flatMap(({ runs }) => runs.flatMap(({ rounds }) => rounds))) if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([a, most], [b, more]) => more - most || (a < b ? -1 : 1));
}

const rowPixels = 46;

/** One row where all are alike. */
function trafficFigure(all: readonly Traffic[]): Markup {
  const isOne = new Set(all.map(({ upEach, downEach }) => `${upEach} ${downEach}`)).size === 1;
  const traffic = isOne && all.length > 1 ? [{ ...all[0], label: 'every setting' }] : all;
  const most = Math.max(1, ...traffic.flatMap(({ upEach, downEach }) => [upEach, downEach]));
  const draw = (width: number): Plot.PlotOptions => ({
    width, height: 50 + rowPixels * traffic.length, marginLeft: 12, marginRight: 24, marginTop: 4, marginBottom: 42,
    x: { domain: [0, most], label: 'bytes of a participant in a round', ticks: Math.floor(width / 110), tickFormat: bytesInWords, grid: true, labelAnchor: 'center', labelArrow: 'none' },
    y: { type: 'band', domain: traffic.map(({ label }) => label), axis: null },
    marks: [
      Plot.barX(traffic, { y: 'label', x: 'upEach', className: 'series bar s1', insetTop: 17, insetBottom: 12 }),
      Plot.barX(traffic, { y: 'label', x: 'downEach', className: 'series bar s2', insetTop: 29, insetBottom: 2 }),
      Plot.text(traffic, { y: 'label', text: ({ label, upEach, downEach }: Traffic) => `${label}: ${bytesInWords(Math.round(upEach))} up, ${bytesInWords(Math.round(downEach))} down`, frameAnchor: 'left', textAnchor: 'start', dx: 4, dy: -14, className: 'note', textOverflow: 'ellipsis', lineWidth: (width - 40) / 13 }),
    ],
  });
  const each = traffic.map(({ upEach }) => upEach);
  return figure({
    id: 'bytes', title: 'Bytes of one participant in one round', draw,
    sentence: `A participant that joins a round sends ${range(each)} and receives ${range(traffic.map(({ downEach }) => downEach))}.`,
    legend: [{ text: 'up: from the participant', className: 'series s1', strokeWidth: 10 }, { text: 'down: to the participant', className: 'series s2', strokeWidth: 10 }],
    columns: ['setting', 'up, a participant and round', 'down, a participant and round', 'up in all', 'down in all'],
    rows: all.map(({ label, upEach, downEach, upAll, downAll }) => [label, ...[upEach, downEach, upAll, downAll].map((bytes) => estimate(Math.round(bytes)))]),
  });
}

function range(bytes: readonly number[]): string {
  const [least, most] = [Math.min(...bytes), Math.max(...bytes)].map((value) => bytesInWords(Math.round(value)));
  return least === most ? least : `${least} to ${most}`;
}
