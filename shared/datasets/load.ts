/** One way in for every text format: detect, check the options, load, and account for every line. */
import type { HistoryEvent } from '../commerce/events.ts';
import { CestaError } from '../protocol/errors.ts';
import type { CatalogueFile } from './catalogue-file.ts';
import type { Dataset } from './dataset.ts';
import { detectFormat } from './detect.ts';
import type { DataFormat, TextFormat } from './detect.ts';
import { loadEventsCsv, loadEventsJsonl } from './events.ts';
import { firstLine } from './lines.ts';
import { loadMovielens } from './movielens.ts';
import { loadSequences } from './sequences.ts';

export interface LoadOptions {
  /** Overrides what name and content say. */
  readonly format?: TextFormat | undefined;
  /** Event files: events that make a history; `['purchase']` unless told. */
  readonly events?: readonly HistoryEvent[] | undefined;
  /** Event files: the column whose values are visits; without it, a visit is a UTC day. */
  readonly basketColumn?: string | undefined;
  /** MovieLens: the lowest rating that counts as liked; 4 unless told. */
  readonly minRating?: number | undefined;
  /** MovieLens: the text of the titles file. */
  readonly titles?: string | undefined;
  /** The whole catalogue, from a file of products. */
  readonly catalogue?: CatalogueFile | undefined;
}

/** Options that mean something to one format only. */
const optionsOf: Readonly<Record<TextFormat, readonly (keyof LoadOptions)[]>> = {
  csv: ['events', 'basketColumn'],
  jsonl: ['events', 'basketColumn'],
  movielens: ['minRating', 'titles'],
  sequences: [],
};

/**
 * The data set may be empty: a diagnosis wants to see that too. Whoever trains calls `requireUsable`.
 * @throws CestaError `data.missing-column`, `data.unreadable`, `data.empty` for a file without lines; `config.invalid` for an option of another format.
 * @example
 * requireUsable(loadText('orders.csv', 'item_id,shopper_id,timestamp\nlamp,ana,2024-05-01\n'));
 */
export function loadText(name: string, text: string, options: LoadOptions = {}): Dataset {
  if (firstLine(text) === '') throw new CestaError('data.empty', `${name}: expected lines of text, got none`);
  const format = options.format ?? detectFormat(name, text);
  refuseForeignOptions(format, options);
  const dataset = loadAs(format, name, text, options);
  if (options.catalogue === undefined) return dataset;
  const { report } = dataset;
  return { ...dataset, report: { ...report, complaints: [...report.complaints, ...options.catalogue.complaints] } };
}

function loadAs(format: TextFormat, name: string, text: string, options: LoadOptions): Dataset {
  const catalogue = options.catalogue?.catalogue;
  const { events, basketColumn, minRating, titles } = options;
  switch (format) {
    case 'csv':
      return loadEventsCsv(name, text, { events, basketColumn, catalogue });
    case 'jsonl':
      return loadEventsJsonl(name, text, { events, basketColumn, catalogue });
    case 'movielens':
      return loadMovielens(name, text, { minRating, titles, catalogue });
    case 'sequences':
      return loadSequences(name, text, { catalogue });
    default:
      return format satisfies never;
  }
}

/** Nothing is accepted and then ignored: throws `config.invalid` for an option that has a value and no meaning here. */
export function refuseForeignOptions(format: DataFormat, options: object): void {
  const own: readonly string[] = format === 'compact' ? [] : [...optionsOf[format], 'format', 'catalogue'];
  for (const [option, value] of Object.entries(options)) {
    if (value !== undefined && !own.includes(option)) {
      throw new CestaError('config.invalid', `${option}: expected no such option for ${format} data, got one`);
    }
  }
}

/**
 * The data set itself, when at least one shopper has a history.
 * @throws CestaError `data.empty`, with what was dropped and how often.
 */
export function requireUsable(dataset: Dataset): Dataset {
  if (dataset.shoppers.length > 0) return dataset;
  const { lines, complaints } = dataset.report;
  const reasons = complaints.map(({ kind, count }) => `${kind} ${count}`).join(', ');
  throw new CestaError('data.empty', `${dataset.name}: expected at least one usable line, got 0 of ${lines}${reasons && ` (${reasons})`}`);
}

