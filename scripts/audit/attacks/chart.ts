/**
 * Bars with intervals as an SVG file, a panel an attack and a row a protection, without any library: text, rectangles
 * and lines. It has a title and a description, no colour carries meaning alone, and every bar says its value.
 */
import { escapeMarkup } from '../../markup.ts';

export interface Bar {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Panel {
  readonly title: string;
  /** Where the axis starts: what a guess is worth. */
  readonly from: number;
  readonly to: number;
  /** One a row. */
  readonly bars: readonly Bar[];
}

export interface Chart {
  readonly title: string;
  readonly description: string;
  readonly rows: readonly string[];
  readonly panels: readonly Panel[];
}

const labelWidth = 190;
const panelWidth = 170;
const rowHeight = 22;
const headHeight = 64;
const gap = 50;

/** @example writeFileSync('attacks.svg', renderChart({ title, description, rows, panels })); */
export function renderChart({ title, description, rows, panels }: Chart): string {
  const width = labelWidth + panels.length * (panelWidth + gap);
  const height = headHeight + rows.length * rowHeight + 16;
  const labels = rows.map((row, index) => text(labelWidth - 10, middleOf(index), row, 'end'));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description" font-family="sans-serif" font-size="12" fill="#222">`,
    `<title id="title">${escapeMarkup(title)}</title>`,
    `<desc id="description">${escapeMarkup(description)}</desc>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(10, 20, title, 'start', ' font-size="15" font-weight="bold"'),
    ...labels,
    ...panels.flatMap((panel, index) => renderPanel(panel, labelWidth + index * (panelWidth + gap), rows.length)),
    '</svg>',
    '',
  ].join('\n');
}

function renderPanel({ title, from, to, bars }: Panel, left: number, rows: number): string[] {
  const at = (value: number): number => left + (panelWidth * (Math.min(to, Math.max(from, value)) - from)) / (to - from);
  const bottom = headHeight + rows * rowHeight;
  const axis = [from, (from + to) / 2, to].flatMap((value) => [line(at(value), headHeight - 4, at(value), bottom, '#ccc'), text(at(value), headHeight - 8, shortest(value), 'middle', ' font-size="10"')]);
  return [text(left, 42, title, 'start', ' font-weight="bold"'), ...axis, ...bars.flatMap((bar, index) => renderBar(bar, index, at, left))];
}

function renderBar({ value, low, high }: Bar, row: number, at: (value: number) => number, left: number): string[] {
  if (!Number.isFinite(value)) return [text(left, middleOf(row), 'none')];
  const y = middleOf(row);
  return [
    `<rect x="${left}" y="${y - 6}" width="${round(at(value) - left)}" height="12" fill="#3b6ea5"/>`,
    line(at(low), y, at(high), y, '#d08a00'),
    text(at(Math.max(value, high)) + 4, y, value.toFixed(2)),
  ];
}

function middleOf(row: number): number {
  return headHeight + row * rowHeight + rowHeight / 2;
}

function text(x: number, y: number, words: string, anchor = 'start', attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" dominant-baseline="middle"${attributes}>${escapeMarkup(words)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" stroke-width="2"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function shortest(value: number): string {
  return value.toFixed(2).replace(/\.?0+$/, '');
}
