import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseHTML } from 'linkedom';
import { describe, expect, it, onTestFinished } from 'vitest';
import { renderReport } from '../../../scripts/experiment/report/report.ts';
import type { Cell, ExperimentResult } from '../../../scripts/experiment/result.ts';
import { summaryOf } from '../../../scripts/experiment/summary.ts';
import type { Json } from '../../../shared/protocol/canonical-json.ts';
import type { ScenarioInput } from '../../../shared/simulation/scenario.ts';
import { objections } from '../../e2e/axe.ts';
import { launchChromium, withoutBrowser } from '../../e2e/chromium.ts';
import { exampleRecord, exampleResult, exampleRun } from './example-result.ts';

const rounds = [1, 2, 3].map((round) => exampleRecord(round));

function cellOf(point: Record<string, Json>, label: string, level: number, scenario: ScenarioInput = {}): Cell {
  return { point, label, runs: [1, 2].map((seed) => exampleRun({ ...scenario, seed }, level, { rounds })) };
}

/** Epsilons and no noise, for each aggregate. */
function frontier(aggregates: readonly string[]): ExperimentResult {
  const cells = aggregates.flatMap((aggregate, worse) => [0.5, 2, 8, null].map((epsilon, at) => cellOf({ 'privacy.epsilon': epsilon, aggregate }, `${epsilon === null ? 'no noise' : `epsilon ${epsilon}`}, ${aggregate}`, 0.2 + 0.1 * at - 0.01 * worse, { privacy: { epsilon } })));
  return exampleResult({ axes: ['privacy.epsilon', 'aggregate'], cells });
}

function parsed(result: ExperimentResult): Document {
  return parseHTML(renderReport(result)).document;
}

function textsOf(root: ParentNode, selector: string): string[] {
  return [...root.querySelectorAll(selector)].map(({ textContent }) => textContent);
}

function figureOf(document: Document, id: string): Element {
  const found = document.querySelector(`figure#${id}`);
  if (found === null) throw new Error(`expected a figure ${id}`);
  return found;
}

describe('a report', () => {
  it('is the same bytes for the same result, whatever was drawn before', () => {
    const first = renderReport(exampleResult());
    renderReport(frontier(['mean', 'median']));
    expect(renderReport(exampleResult())).toBe(first);
  });

  it('has no script and nothing that a browser would fetch', () => {
    const text = renderReport(exampleResult({ attribution: 'Online Retail, UCI, https://doi.org/10.24432/C5BW33, CC BY 4.0.' }));
    const { document } = parseHTML(text);
    expect(document.querySelectorAll('script, link, img, iframe, object, embed, image, use, [src], [onclick], [onload]')).toHaveLength(0);
    expect(text).not.toMatch(/url\(|@import|javascript:/);
    expect([...document.querySelectorAll('[href]')].map((element) => [element.tagName, element.getAttribute('href')]).filter(([, href]) => href?.startsWith('#') === false)).toEqual([['A', 'https://doi.org/10.24432/C5BW33']]);
    expect(document.querySelector('meta[http-equiv]')?.getAttribute('content')).toContain("default-src 'none'");
  });

  it('names and describes every image, and has a table of numbers for each', () => {
    const document = parsed(frontier(['mean', 'median']));
    const drawings = [...document.querySelectorAll('svg:not([aria-hidden])')];
    expect(drawings.length).toBeGreaterThan(6);
    for (const svg of drawings) {
      const [title, description] = ['aria-labelledby', 'aria-describedby'].map((name) => document.getElementById(svg.getAttribute(name) ?? ''));
      expect(svg.getAttribute('role')).toBe('img');
      expect(title?.textContent).toBe(svg.closest('figure')?.querySelector('figcaption')?.textContent);
      expect(description?.textContent).toMatch(/\d/);
      expect(svg.closest('figure')?.querySelectorAll('tbody td').length).toBeGreaterThan(0);
    }
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(textsOf(document, 'svg').join()).not.toMatch(/NaN|undefined|⚠/);
    expect(renderReport(frontier(['mean'])).match(/="[^"]*NaN/)).toBeNull();
  });

  it('goes down its headings one level at a time', () => {
    const levels = [...parsed(frontier(['mean'])).querySelectorAll('h1, h2, h3, h4')].map(({ tagName }) => Number(tagName[1]));
    expect(levels[0]).toBe(1);
    expect(levels.every((level, at) => at === 0 || (level > 1 && level <= levels[at - 1] + 1))).toBe(true);
  });

  it('has in its table what the summary says: mean, interval, paired difference, adjusted p', () => {
    const result = exampleResult();
    const [row] = summaryOf(result).rows;
    const cells = textsOf(figureOf(parsed(result), 'metric-ndcg-10'), 'tbody tr:first-child > *');
    const { mean, interval } = row.metrics['ndcg@10'];
    expect(cells).toEqual([
      'epsilon 1', `${mean.toFixed(4)} ± ${((interval?.high ?? 0) - mean).toFixed(4)}`, '3', `${row.shopperIntervals['ndcg@10'].low.toFixed(4)} to ${row.shopperIntervals['ndcg@10'].high.toFixed(4)}`,
      `${(row.comparison?.difference ?? 0) < 0 ? '−' : '+'}${Math.abs(row.comparison?.difference ?? 0).toFixed(4)}`, `${signed(row.comparison?.low)} to ${signed(row.comparison?.high)}`, `${signed(row.comparison?.overSeeds?.low)} to ${signed(row.comparison?.overSeeds?.high)}`,
      p(row.comparison?.p), p(row.comparison?.adjustedP),
    ]);
  });

  it('escapes what comes from outside, in text, in attributes and in drawings', () => {
    const evil = '<script>alert("1")</script>\'&amp;\u0000<img src=x onerror=alert(1)>';
    const result = exampleResult({ name: evil, question: evil, axes: [evil], cells: [cellOf({ [evil]: evil }, evil, 0.2), cellOf({ [evil]: 'b' }, 'b', 0.3)], comparedWith: evil, command: evil, codeHash: evil, attribution: `${evil} https://example.org/"onmouseover="x` });
    const text = renderReport(result);
    const { document } = parseHTML(text);
    expect(document.querySelectorAll('script, img, [onerror], [onmouseover]')).toHaveLength(0);
    expect(text.includes('\u0000')).toBe(false);
    expect(document.querySelector('h1')?.textContent).toBe(evil.replace('\u0000', ''));
    expect(textsOf(document, 'figure tbody th')).toContain(evil.replace('\u0000', ''));
  });
});

/** As tables have it. */
function signed(value = NaN): string {
  return value.toFixed(4).replace('-', '−');
}

function p(value = NaN): string {
  return value < 0.001 ? '<\u00a00.001' : value.toFixed(3);
}

describe('charts of a report', () => {
  it('have epsilon along a logarithm, its swept values as ticks and no noise at the right', () => {
    const figure = figureOf(parsed(frontier(['mean', 'median'])), 'metric-ndcg-10');
    const texts = [...figure.querySelectorAll('.wide text')].map(({ textContent, attributes }) => ({ text: textContent, x: Number(/translate\(([\d.]+)/.exec(attributes.getNamedItem('transform')?.value ?? '')?.[1]) }));
    const [half, two, eight, none] = ['0.5', '2', '8', 'no noise'].map((label) => texts.filter(({ text }) => text === label).at(-1)?.x ?? NaN);
    expect(two - half).toBeCloseTo(eight - two, 1);
    expect(none).toBeGreaterThan(eight);
    expect(textsOf(figure, '.legend li').map((text) => text.trim())).toEqual(['mean', 'median', 'popularity', '95 % interval over seeds', '95 % interval over test shoppers']);
    expect(figure.querySelectorAll('.wide .s2.mark path')).toHaveLength(4);
  });

  it('tell series apart by dash and by mark as well as by colour', () => {
    const swatches = [...figureOf(parsed(frontier(['mean', 'median', 'adam'])), 'metric-ndcg-10').querySelectorAll('.legend li svg')].slice(0, 3);
    expect(new Set(swatches.map((svg) => svg.querySelector('[stroke-dasharray]')?.getAttribute('stroke-dasharray'))).size).toBe(3);
    expect(new Set(swatches.map((svg) => svg.querySelector('.mark path, .mark circle')?.outerHTML)).size).toBe(3);
  });

  it('name baselines on their lines, and do without where there are none', () => {
    const withThem = figureOf(parsed(exampleResult()), 'metric-ndcg-10');
    expect(textsOf(withThem, '.wide .note text')).toContain('popularity');
    const without = parsed(exampleResult({ baselines: {}, comparedWith: 'epsilon 1' }));
    expect(textsOf(figureOf(without, 'metric-ndcg-10'), '.wide .note text')).toEqual([]);
    expect(without.querySelector('.answer')?.textContent).toContain('is better than “epsilon 1”');
  });

  it('keep names of baselines apart that are equally good, also where one takes two lines', () => {
    const alike = exampleResult({ baselines: { popularity: [exampleRun({ seed: 1 }, 0.2)], central: [exampleRun({ seed: 1 }, 0.2)] } });
    const at = (name: string): number => Number(/translate\(-?[\d.]+,(-?[\d.]+)/.exec([...figureOf(parsed(alike), 'metric-ndcg-10').querySelectorAll('.wide .note text')].find(({ textContent }) => textContent.startsWith(name))?.parentElement?.getAttribute('transform') ?? '')?.[1]);
    expect(Math.abs(at('all data') - at('popularity'))).toBeGreaterThanOrEqual(21);
  });

  it('have a row for each setting where names or nothing was swept', () => {
    const names = figureOf(parsed(exampleResult({ axes: ['aggregate'], cells: ['mean', 'median'].map((aggregate, at) => cellOf({ aggregate }, aggregate, 0.2 + at / 10)) })), 'metric-ndcg-10');
    expect(textsOf(names, '.wide .note text').map((text) => text.split(':')[0])).toEqual(['mean', 'median', 'popularity']);
    const one = parsed(exampleResult({ axes: [], cells: [cellOf({}, 'federation', 0.2)] }));
    expect(textsOf(figureOf(one, 'metric-ndcg-10'), '.wide .note text')).toHaveLength(2);
    expect(one.querySelector('.answer p')?.textContent).toContain('With “federation”, ndcg@10 is');
  });

  it('are in parts where there are more lines than can be told apart', () => {
    const document = parsed(frontier(['mean', 'median', 'adam']));
    expect(textsOf(document, 'figure[id^="quality-by-round"] figcaption')).toEqual(['ndcg@10 by round: mean', 'ndcg@10 by round: median', 'ndcg@10 by round: adam']);
    expect(textsOf(figureOf(document, 'quality-by-round-1'), 'thead th')).toEqual(['round', 'epsilon 0.5', 'epsilon 2', 'epsilon 8', 'no noise']);
  });

  it('say of a figure that never changes that it does not', () => {
    expect(figureOf(parsed(frontier(['mean'])), 'clipped-by-round').querySelector('desc')?.textContent).toBe('share that was clipped: 0.25 in every round.');
  });

  it('show whatever else runs measured', () => {
    const cells = ['mean', 'median'].map((aggregate, at): Cell => ({ point: { aggregate }, label: aggregate, runs: [exampleRun({}, 0.2, { rounds, metrics: { 'ndcg@10': 0.2, 'exposure@10': 0.1 + at } })] }));
    expect(textsOf(figureOf(parsed(exampleResult({ axes: ['aggregate'], cells, metrics: ['ndcg@10'] })), 'metric-exposure-10'), 'tbody td')).toEqual(['0.1000', '1', '1.10', '1']);
  });
});

describe('the answer of a report', () => {
  it('names the smallest epsilon that is better than the reference, and what privacy leaves', () => {
    const cells = [1, 8, null].map((epsilon, at) => cellOf({ 'privacy.epsilon': epsilon }, epsilon === null ? 'no noise' : `epsilon ${epsilon}`, 0.05 + 0.15 * at, { privacy: { epsilon } }));
    const result = exampleResult({ axes: ['privacy.epsilon'], cells });
    const said = parsed(result).querySelector('.answer')?.textContent ?? '';
    const [one, eight, plain] = summaryOf(result).rows.map(({ metrics }) => metrics['ndcg@10'].mean);
    expect(said).toContain('The smallest epsilon of those swept that is better than popularity is 8');
    expect(said).toContain(`${Math.round((100 * one) / plain)}\u00a0% at epsilon 1 and ${Math.round((100 * eight) / plain)}\u00a0% at epsilon 8`);
    expect(said).toMatch(/1 is worse than popularity \(“epsilon 1”\)/);
  });

  it('claims nothing where shoppers cannot tell', () => {
    const values = Float64Array.from({ length: 60 }, (_, shopper) => 0.1 + shopper / 1000);
    const cells = [1, -1].map((sign): Cell => {
      const own = values.map((value, shopper) => value + (sign * (shopper % 2 === 0 ? 1 : -1)) / 100);
      return { point: { aggregate: String(sign) }, label: `sign ${sign}`, runs: [exampleRun({}, 0.2, { rounds, metrics: { 'ndcg@10': 0.13 }, tests: { ndcg10: own, recall10: own, shops: new Int32Array(60) } })] };
    });
    const said = parsed(exampleResult({ axes: ['aggregate'], cells, comparedWith: 'sign -1' })).querySelector('.answer')?.textContent ?? '';
    expect(said).toContain('not more than the luck of the test shoppers may explain');
    expect(said).toContain('There is one seed');
    expect(said).not.toContain('better than');
  });

  it('says which baselines are a better mean than which settings', () => {
    const central = [exampleRun({ baseline: 'central' }, 0.25, { rounds: [] })];
    const said = parsed(exampleResult({ baselines: { ...exampleResult().baselines, central } })).querySelector('.answer')?.textContent ?? '';
    expect(said).toMatch(/popularity 0\.\d+ \(a better mean than “epsilon 1”\); all data in one place, no privacy 0\.\d+ \(a better mean than “epsilon 1”\)\./);
  });

  it('says nothing of epsilons where the metric has no comparison, or where none is shown to be better', () => {
    const said = (metrics: ExperimentResult['metrics']): string => parsed(exampleResult({ metrics, comparedWith: 'epsilon 8' })).querySelector('.answer')?.textContent ?? '';
    expect(said(['gini@10', 'ndcg@10'])).not.toMatch(/better than|leaves/);
    expect(said(['ndcg@10'])).toContain('no setting is shown to be better than “epsilon 8”');
  });

  it('claims nothing where seeds disagree, whatever shoppers say', () => {
    const popularity = exampleRun({ baseline: 'popularity' }, 0.2, { rounds: [] });
    const cells = [1, 8].map((epsilon): Cell => ({
      point: { 'privacy.epsilon': epsilon }, label: `epsilon ${epsilon}`,
      runs: [0.05, -0.03].map((shift, at) => exampleRun({ seed: at + 1, privacy: { epsilon } }, 0.2, { tests: { ...popularity.tests, ndcg10: popularity.tests.ndcg10.map((value) => value + shift) } })),
    }));
    const result = exampleResult({ axes: ['privacy.epsilon'], cells, baselines: { popularity: [popularity] } });
    expect(summaryOf(result).rows[0].comparison?.adjustedP).toBeLessThan(0.05);
    const said = parsed(result).querySelector('.answer')?.textContent ?? '';
    expect(said).toContain('but not more than that of the seeds may');
    expect(said).toContain('all are not told apart from popularity');
    expect(said).toContain('no setting is shown to be better than popularity');
  });

  it('gives no interval over seeds that change nothing', () => {
    const cells = [{ point: {}, label: 'plain', runs: [1, 2, 3].map((seed) => exampleRun({ seed }, 0.2, { rounds, metrics: { 'ndcg@10': 0.2345 } })) }];
    const said = parsed(exampleResult({ axes: [], cells })).querySelector('.answer p')?.textContent ?? '';
    expect(said).toContain('It is the same with each of 3 seeds');
    expect(said).not.toContain('over 3 seeds');
  });

  it('calls nothing the best where neither direction is better', () => {
    const cells = ['mean', 'median'].map((aggregate, at): Cell => ({ point: { aggregate }, label: aggregate, runs: [exampleRun({}, 0.2, { rounds, metrics: { 'novelty@10': 4 + at } })] }));
    const said = parsed(exampleResult({ axes: ['aggregate'], cells, metrics: ['novelty@10'] })).querySelector('.answer')?.textContent ?? '';
    expect(said).toContain('The highest novelty@10 of the 2 settings, with “median”,');
    expect(said).not.toMatch(/best|better/);
  });

  it('says of noise that was scaled down whose epsilon it is', () => {
    const cells = [{ ...exampleResult().cells[0], runs: [exampleRun({ privacy: { epsilon: 1, noiseCohort: 5000 } }, 0.2, { noiseCohort: 5000 })] }];
    expect(parsed(exampleResult({ cells })).querySelector('.answer')?.textContent).toContain('scaled down from a cohort of 5000 participants');
  });

  it('says which model a baseline has where several were swept', () => {
    const limitsOf = (models: readonly ('als' | 'neighbours')[]): string => {
      const cells = models.map((model) => cellOf({ model }, model, 0.2, { model }));
      return parsed(exampleResult({ axes: ['model'], cells, baselines: { central: [exampleRun({ baseline: 'central', model: 'als' }, 0.25)] }, comparedWith: 'central' })).querySelector('[aria-labelledby="limits"]')?.textContent ?? '';
    };
    expect(limitsOf(['als', 'neighbours'])).toContain('there is one, with the model als and 1 round');
    expect(limitsOf(['als'])).not.toContain('there is one');
  });

  it('counts failed rounds, and their reasons are beside the traffic', () => {
    const document = parsed(exampleResult());
    expect(document.querySelector('.answer')?.textContent).toContain('6 of 12 rounds failed: 3 of 6 with “epsilon 1” and 3 of 6 with “epsilon 8”.');
    expect(textsOf(document, '[aria-labelledby="communication"] li')).toContain('round.failed: 6 rounds');
    expect(textsOf(figureOf(document, 'bytes'), 'tbody tr:first-child td')).toEqual(['400', '2000', '6000', '30000']);
  });
});

describe('the promise of a report', () => {
  const promised = (scenario: ScenarioInput): string => parsed(exampleResult({ axes: [], cells: [cellOf({}, 'one', 0.2, scenario)] })).querySelector('[aria-labelledby="privacy"]')?.textContent ?? '';

  it('has unit, adjacency, epsilon, delta and mode, in the words of a release', () => {
    const words = promised({ privacy: { epsilon: 2, delta: 1e-6 } });
    for (const said of ['one shopper in one shop', 'add or remove all records of one shopper', 'masked sum', 'if the other shops are honest', 'e^2 = 7.39']) expect(words).toContain(said);
    expect(promised({ unit: 'shop' })).toContain('one whole shop');
  });

  it('says what a mode of experiments, a scaled noise and no noise are worth', () => {
    expect(promised({ privacy: { mode: 'central' } })).toContain('exists in experiments only');
    expect(promised({ privacy: { noiseCohort: 5000 } })).toContain('cohort of 5000 participants');
    expect(promised({ privacy: { epsilon: null } })).toContain('No protection');
  });
});

describe.skipIf(withoutBrowser)('a report in a browser', () => {
  it('asks for nothing, has no fault that axe-core finds, and does not scroll sideways: light, dark, and on a phone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cesta-report-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const address = pathToFileURL(join(folder, 'report.html')).href;
    writeFileSync(join(folder, 'report.html'), renderReport(frontier(['mean', 'median'])));
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    for (const [colorScheme, width] of [['light', 1000], ['dark', 360]] as const) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
      const requests: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(address);
      expect(await objections(page)).toEqual([]);
      expect(requests).toEqual([address]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    }
  }, 60_000);
});
