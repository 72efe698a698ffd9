/**
 * A chart as static markup: an image with a title and a sentence made of its data, a legend, and a table of the same rows below.
 * Observable Plot draws into a document that is none (linkedom). Its own style sheet and class are taken out, since the page has
 * both; so is what it says of single marks, since nothing inside an image has a role of its own.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { html, withoutControls, type Content, type Markup } from '../../markup.ts';

export interface LegendEntry {
  readonly text: string;
  /** Such as `series s1`: what colours the mark. */
  readonly className: string;
  readonly dash?: string;
  readonly symbol?: Plot.SymbolName;
  /** Of a line, in pixels; 0: no line. */
  readonly strokeWidth?: number;
}

export interface FigureProps {
  /** Unique on the page; letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  /** What the data say. */
  readonly sentence: string;
  readonly legend: readonly LegendEntry[];
  readonly columns: readonly string[];
  /** The first of each row names it. */
  readonly rows: readonly (readonly Content[])[];
  /** Draws at this width, in pixels. */
  readonly draw: (width: number) => Plot.PlotOptions;
  /** One of several beside one another: drawn once. */
  readonly isSmall?: boolean;
  /** Whether the table is shown at once. */
  readonly isOpen?: boolean;
}

/** Of drawings, in pixels: across the page, across a phone, and for two beside one another. */
const widths = { wide: 860, narrow: 340, small: 410 } as const;

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** Beside one another, with one legend where all of them use marks alike. */
export function grid(figures: readonly FigureProps[]): Markup {
  const entries = new Map(figures.flatMap(({ legend: own }) => own.map((entry) => [entry.text, entry] as const)));
  const marks = new Set([...entries.values()].map(({ className, dash, symbol, strokeWidth }) => [className, dash, symbol, strokeWidth].join()));
  const isShared = marks.size === entries.size;
  return html`${isShared && figures.length > 0 ? legendOf([...entries.values()]) : null}<div class="small">${figures.map((own) => figure(isShared ? { ...own, legend: [] } : own))}</div>`;
}

export function figure({ id, title, sentence, legend, columns, rows, draw, isSmall = false, isOpen = false }: FigureProps): Markup {
  const at = (size: keyof typeof widths): Markup => drawing(draw(widths[size]), `${id}-${size}`, { title, sentence });
  return html`<figure id="${id}">
<figcaption>${title}</figcaption>
${isSmall ? html`<div class="chart">${at('small')}</div>` : html`<div class="chart wide">${at('wide')}</div><div class="chart narrow">${at('narrow')}</div>`}
${legendOf(legend)}
<p class="quiet">${sentence}</p>
<details${{ markup: isOpen ? ' class="whole" open' : '' }}><summary>Show the data<span class="hidden"> of ${title}</span></summary>${table(title, columns, rows)}</details>
</figure>`;
}

function legendOf(entries: readonly LegendEntry[]): Markup | null {
  return entries.length < 2 ? null : html`<ul class="legend">${entries.map((entry) => html`<li>${swatch(entry)} ${entry.text}</li>`)}</ul>`;
}

/** One can scroll it with the keyboard. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  return html`<div class="table" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map(([name, ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody></table></div>`;
}

function drawing(options: Plot.PlotOptions, id: string, { title, sentence }: { readonly title: string; readonly sentence: string }): Markup {
  const svg = plain(options);
  for (const [name, text] of [['desc', sentence], ['title', title]] as const) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    element.setAttribute('id', `${id}-${name}`);
    element.textContent = text;
    svg.prepend(element);
  }
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-labelledby', `${id}-title`);
  svg.setAttribute('aria-describedby', `${id}-desc`);
  return { markup: withoutControls(svg.outerHTML) };
}

/** The text beside it says what it stands for. */
function swatch({ className, dash, symbol, strokeWidth = 2.5 }: LegendEntry): Markup {
  const svg = plain({
    width: 36, height: 14, margin: 0, axis: null, x: { domain: [0, 36] }, y: { domain: [0, 14] },
    marks: [
      ...(strokeWidth === 0 ? [] : [Plot.line([[0, 7], [36, 7]], { className, strokeWidth, strokeLinecap: 'butt', ...(dash === undefined ? {} : { strokeDasharray: dash }) })]),
      ...(symbol === undefined ? [] : [Plot.dot([[18, 7]], { className: `${className} mark`, symbol, r: 4 })]),
    ],
  });
  svg.setAttribute('aria-hidden', 'true');
  return { markup: svg.outerHTML };
}

const silent = ['aria-label', 'aria-description', 'aria-hidden'] as const;

function plain(options: Plot.PlotOptions): Element {
  const svg = Plot.plot({ ...options, document });
  for (const style of svg.querySelectorAll('style')) style.remove();
  svg.removeAttribute('class');
  for (const inner of svg.querySelectorAll('*')) {
    for (const name of silent) inner.removeAttribute(name);
    for (const { name, value } of [...inner.attributes]) if (name !== 'class') inner.setAttribute(name, value.replace(/-?\d*\.?\d+(?:e[-+]?\d+)?/g, hundredths));
  }
  return svg;
}

/** Of a pixel: digits beyond are weight only. */
function hundredths(number: string): string {
  return String(Math.round(Number(number) * 100) / 100);
}
