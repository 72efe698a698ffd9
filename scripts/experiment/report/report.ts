/**
 * An experiment as one page that needs nothing else: no script, no request, charts as static SVG with their data in tables. The
 * same result gives the same bytes. What comes from outside, names and labels, is escaped.
 */
import { html, type Markup } from '../../markup.ts';
import type { ExperimentResult } from '../result.ts';
import { orderedMetrics, summaryOf, type Summary } from '../summary.ts';
import { answer, infoOf } from './answer.ts';
import { epsilonPath, numberAxis } from './axis.ts';
import { fairness } from './fairness.ts';
import { figure, grid, type FigureProps } from './figure.ts';
import { baselineLines } from './marks.ts';
import { privacySection } from './privacy.ts';
import { limits, provenance } from './provenance.ts';
import { communication, convergence } from './rounds-section.ts';
import { rowsOf } from './rows.ts';
import { style } from './style.ts';
import { valueFigures } from './value-figure.ts';

/**
 * The page as text. Cells without a finished run are left out.
 * @param summary of this result, where there is one already: intervals and tests take their time
 * @throws CestaError `config.invalid` when `comparedWith` names neither a cell nor a baseline that has runs
 * @example writeFileSync('report.html', renderReport(result));
 */
export function renderReport(all: ExperimentResult, summary = summaryOf(all)): string {
  const result = { ...all, cells: all.cells.filter(({ runs }) => runs.length > 0) };
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${result.name}: report of an experiment</title>
<style>${{ markup: style }}</style>
</head>
<body>
${head(result, summary)}
<main>
${results(result, summary)}
${convergence(result, baselineLines(rowsOf(summary, result.metrics[0])))}
${communication(result, summary)}
${fairness(result)}
${variety(result, summary)}
${privacySection(result)}
${provenance(result, summary)}
${limits(result, summary)}
</main>
<footer><p class="quiet">Made by Cesta, federated recommendations for shops. This page holds no script and asks for nothing.</p></footer>
</body>
</html>
`.markup;
}

function head(result: ExperimentResult, summary: Summary): Markup {
  const contents = [['results', resultsTitle(result)], ['convergence', 'Convergence'], ['communication', 'Communication'], ['fairness', 'Shops'], ['variety', 'Variety'], ['privacy', 'What is promised'], ['again', 'How to make it again'], ['limits', 'Limits']] as const;
  return html`<header>
<p class="kind">Experiment: ${result.name}</p>
<h1>${result.question}</h1>
<div class="answer">${answer(result, summary).map((sentence) => html`<p>${sentence.replaceAll(' %', '\u00a0%')}</p>\n`)}</div>
<nav aria-label="Sections"><ul class="contents">${contents.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>`;
}

function resultsTitle({ axes, cells }: ExperimentResult): string {
  return numberAxis(axes, cells)?.path === epsilonPath ? 'Utility and privacy' : 'Results';
}

/** Measures of the ranking that the experiment asks for; those of variety and of shops have their own place. */
function results(result: ExperimentResult, summary: Summary): Markup {
  const [metric, ...others] = result.metrics;
  const small = others.filter((name) => !isOfVariety(name));
  return html`<section aria-labelledby="results"><h2 id="results">${resultsTitle(result)}</h2>
<p>${metric}: ${described(metric)}</p>
${measure(result, summary, metric, false).map(figure)}
${small.length === 0 ? null : html`<h3>Other measures of the ranking</h3>
${grid(small.flatMap((name) => measure(result, summary, name, true)))}`}
</section>`;
}

function variety(result: ExperimentResult, summary: Summary): Markup {
  const there = orderedMetrics([...result.cells.flatMap(({ runs }) => runs), ...Object.values(result.baselines).flat()], []);
  const names = there.filter((name) => isOfVariety(name) && (result.metrics.includes(name) || usual.includes(name)));
  const unknown = there.filter((name) => infoOf(name) === null && !result.metrics.includes(name));
  return html`<section aria-labelledby="variety"><h2 id="variety">Variety and popularity</h2>
${names.length === 0 ? html`<p>No run measured it.</p>` : grid(names.flatMap((name) => measure(result, summary, name, true)))}
${result.cells.some(({ runs }) => runs.some(({ epsilon }) => epsilon !== null)) ? html`<p class="quiet">Noise alone makes shelves more varied and less popular, and so do bad recommendations: read these beside ${result.metrics[0]}.</p>` : null}
${unknown.length === 0 ? null : html`<h3>What else runs measured</h3>
${grid(unknown.flatMap((name) => measure(result, summary, name, true)))}`}
</section>`;
}

const usual = ['coverage@10', 'gini@10', 'aplt@10', 'novelty@10', 'popularity@10'];

function isOfVariety(metric: string): boolean {
  return /^(coverage|gini|aplt|novelty|popularity)@/.test(metric);
}

function measure(result: ExperimentResult, summary: Summary, metric: string, isSmall: boolean): FigureProps[] {
  const rows = rowsOf(summary, metric);
  if (!rows.some(({ kind }) => kind === 'cell')) return [];
  const axis = numberAxis(result.axes, result.cells);
  const title = axis === null || isSmall ? metric : `${metric} against ${axis.label}`;
  return valueFigures({ result, rows, id: `metric-${metric.replace(/[^a-z0-9]+/gi, '-')}`, title, metric, meaning: isSmall ? described(metric) : '', isSmall });
}

function described(metric: string): string {
  const info = infoOf(metric);
  return info === null ? '' : `${info.description}${info.better === null ? '' : `; ${info.better} is better`}.`;
}
