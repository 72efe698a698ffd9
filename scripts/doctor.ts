/** What is wrong with a data file, what would be dropped, and what the rest is good for. Never trains anything. */
import { visitCount } from '../shared/commerce/history.ts';
import type { Product } from '../shared/commerce/catalogue.ts';
import type { Complaint, Dataset } from '../shared/datasets/dataset.ts';
import type { DataFormat } from '../shared/datasets/detect.ts';
import { requireUsable } from '../shared/datasets/load.ts';
import { errorBody } from '../shared/protocol/error-table.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { ErrorBody } from '../shared/protocol/error-table.ts';
import { openData } from '../client/shop/read-data.ts';
import type { ReadOptions } from '../client/shop/read-data.ts';

export interface DiagnoseOptions extends Omit<ReadOptions, 'cataloguePath'> {
  /** A file of products: the whole catalogue. */
  readonly catalogue?: string | undefined;
}

/** Plain data: what a file holds once it is loaded. */
export interface Contents {
  /** Data lines, without a header. */
  readonly lines: number;
  readonly used: number;
  readonly complaints: readonly Complaint[];
  readonly exactDuplicates: number;
  readonly shoppers: number;
  readonly items: number;
  readonly visits: number;
  /** Unix seconds of the first and the last visit; absent without visits, and where times are only positions. */
  readonly timeRange?: { readonly first: number; readonly last: number };
  /** Share of the shoppers with at least two visits: only they can be tested on their last one. */
  readonly testableShare: number;
  readonly itemsWithoutTitle: number;
  /** Shoppers by their degree of personalisation, 0 to 3; only those of degree 3 train. */
  readonly shoppersByDegree: readonly [number, number, number, number];
  /** Whether the catalogue's texts can say which items belong together, which `neighbours` needs for its pairs. */
  readonly candidatePairs: 'text' | 'none';
}

export interface Diagnosis {
  /** File name without folders, or the name of the data set. */
  readonly source: string;
  /** Absent when the file could not be told, and for a data set already in memory. */
  readonly format?: DataFormat;
  readonly columns: readonly string[];
  /** Absent when the file could not be loaded at all. */
  readonly contents?: Contents;
  /** What would stop every other verb; absent when the data can be used. */
  readonly problem?: ErrorBody;
}

/**
 * @param source A name or path as `readDataset` takes it, or a data set in memory.
 * @throws CestaError `data.not-found`; everything else that is wrong is in the diagnosis.
 * @example
 * console.log(formatDiagnosis(await diagnose('orders.csv')));
 */
export async function diagnose(source: string | Dataset, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  if (typeof source !== 'string') return { source: source.name, columns: [], ...examine(source, false) };
  const found: { source: string; format?: DataFormat; columns: readonly string[] } = { source: source.replace(/^.*[/\\]/, ''), columns: [] };
  try {
    const { format, events, basketColumn, minRating, catalogue } = options;
    const opened = await openData(source, { format, events, basketColumn, minRating, cataloguePath: catalogue });
    Object.assign(found, { source: opened.name, format: opened.format, columns: opened.columns });
    return { ...found, ...examine(await opened.load(), opened.format === 'sequences') };
  } catch (thrown) {
    const stops = thrown instanceof CestaError && thrown.code.startsWith('data.') && thrown.code !== 'data.not-found';
    if (!stops) throw thrown;
    return { ...found, problem: errorBody(thrown) };
  }
}

function examine(dataset: Dataset, timesArePositions: boolean): { contents: Contents; problem?: ErrorBody } {
  const { shoppers, report } = dataset;
  const { products } = dataset.catalogue;
  const visits = shoppers.reduce((sum, shopper) => sum + visitCount(shopper.history), 0);
  const testable = shoppers.filter((shopper) => visitCount(shopper.history) >= 2).length;
  const timeRange = timesArePositions ? undefined : timeRangeOf(dataset);
  const contents: Contents = {
    lines: report.lines,
    used: report.used,
    complaints: report.complaints,
    exactDuplicates: report.complaints.find((complaint) => complaint.kind === 'exact-duplicate')?.count ?? 0,
    shoppers: shoppers.length,
    items: products.length,
    visits,
    ...(timeRange !== undefined && { timeRange }),
    testableShare: shoppers.length === 0 ? 0 : testable / shoppers.length,
    itemsWithoutTitle: products.filter((product) => product.title.trim() === '').length,
    shoppersByDegree: [0, 1, 2, 3].map((degree) => shoppers.filter((shopper) => shopper.degree === degree).length) as [number, number, number, number],
    candidatePairs: sharesWords(products) ? 'text' : 'none',
  };
  const problem = problemOf(dataset);
  return { contents, ...(problem !== undefined && { problem }) };
}

function timeRangeOf(dataset: Dataset): Contents['timeRange'] {
  let [first, last] = [Infinity, -Infinity];
  for (const { history } of dataset.shoppers) {
    for (const time of history.visitTimes) [first, last] = [Math.min(first, time), Math.max(last, time)];
  }
  return first > last ? undefined : { first, last };
}

function problemOf(dataset: Dataset): ErrorBody | undefined {
  try {
    requireUsable(dataset);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof CestaError) return errorBody(thrown);
    throw thrown;
  }
}

/** Whether any two products have a word of title, category or brand in common. */
function sharesWords(products: readonly Product[]): boolean {
  const seen = new Set<string>();
  for (const { title, category, brand } of products) {
    const words = new Set(`${title} ${category ?? ''} ${brand ?? ''}`.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu));
    for (const word of words) {
      if (seen.has(word)) return true;
      seen.add(word);
    }
  }
  return false;
}

/** For a terminal, without colours; no line ends in a newline. */
export function formatDiagnosis(diagnosis: Diagnosis): string {
  const { source, format, columns, contents, problem } = diagnosis;
  const rows: [string, string][] = [['source', source]];
  if (format !== undefined) rows.push(['format', format]);
  if (columns.length > 0) rows.push(['columns', columns.join(', ')]);
  if (contents !== undefined) rows.push(...contentRows(contents));
  const sections = [rows.map(([label, value]) => `${label.padEnd(17)} ${value}`).join('\n')];
  if (contents !== undefined && contents.complaints.length > 0) sections.push(contents.complaints.map(formatComplaint).join('\n'));
  sections.push(problem === undefined ? 'Nothing stands in the way of using it.' : `${problem.code}: ${problem.message}\n  ${problem.hint}`);
  return sections.join('\n\n');
}

function contentRows(contents: Contents): [string, string][] {
  const { lines, used, shoppers, items, visits, timeRange, shoppersByDegree } = contents;
  const training = shoppersByDegree[3];
  return [
    ['lines', `${lines}, of which ${used} used and ${lines - used} dropped`],
    ['shoppers', `${shoppers}${training < shoppers ? `, of which ${training} take part in training` : ''}`],
    ['items', `${items}, ${contents.itemsWithoutTitle} without a title`],
    ['visits', String(visits)],
    ...(timeRange === undefined ? [] : [['time', `${formatTime(timeRange.first)} to ${formatTime(timeRange.last)}`] as [string, string]]),
    ['testable', `${(100 * contents.testableShare).toFixed(1)} % of the shoppers have at least two visits`],
    ['exact duplicates', String(contents.exactDuplicates)],
    ['candidate pairs', contents.candidatePairs === 'text' ? 'from titles, categories and brands' : 'none: no two items share a word; give a catalogue with titles, or use another model than neighbours'],
  ];
}

function formatComplaint({ kind, effect, text, count, lines }: Complaint): string {
  const where = lines.length === 0 ? '' : `\n  line${lines.length > 1 ? 's' : ''} ${lines.join(', ')}${count > lines.length ? ', ...' : ''}`;
  return `${kind} (${count} ${effect}): ${text}${where}`;
}

function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
