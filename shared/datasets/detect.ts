/** Which of the formats a file is in, from its name and its first line. */
import { CestaError } from '../protocol/errors.ts';
import { csvTable } from './csv-table.ts';
import { neededColumns, parseObject } from './events.ts';
import { firstLine } from './lines.ts';
import { ratingColumns } from './movielens.ts';

export const textFormats = ['csv', 'jsonl', 'movielens', 'sequences'] as const;
export type TextFormat = (typeof textFormats)[number];
/** `compact` is the binary form of the embedded data. */
export type DataFormat = TextFormat | 'compact';

const csvEndings = ['csv', 'tsv'];
const jsonlEndings = ['jsonl', 'ndjson'];
const sequenceEndings = ['', 'txt', 'seq', 'dat', 'inter', 'data'];

/**
 * Content decides where it is unmistakable, the name where it is not.
 * @param name A file name, with or without folders and `.gz`.
 * @throws CestaError `data.unreadable` when neither tells.
 * @example
 * detectFormat('orders.csv', 'item_id,shopper_id,timestamp\n'); // 'csv'
 */
export function detectFormat(name: string, text: string): TextFormat {
  const start = firstLine(text).trim();
  const ending = endingOf(name);
  if (/^\d+::\d+::/.test(start) || /^\d+\t\d+\t[\d.]+\t\d+$/.test(start)) return 'movielens';
  if (start.startsWith('{') || jsonlEndings.includes(ending)) return 'jsonl';
  if (/^[<[]/.test(start)) {
    throw new CestaError('data.unreadable', `format: expected CSV, one JSON object a line, MovieLens ratings or sequences, got a file that starts with ${start[0]}`);
  }
  const { columns } = csvTable(start);
  if (ratingColumns.every((column) => columns.includes(column))) return 'movielens';
  if (csvEndings.includes(ending) || neededColumns.some((column) => columns.includes(column))) return 'csv';
  if (sequenceEndings.includes(ending)) return 'sequences';
  throw new CestaError('data.unreadable', `format: expected a name that ends in csv, tsv, jsonl or txt, or a format option, got ${name}`);
}

/** The columns a file of this format has; empty where the format has none. */
export function columnsOf(format: DataFormat, text: string): readonly string[] {
  switch (format) {
    case 'csv':
      return csvTable(text).columns;
    case 'jsonl':
      return Object.keys(parseObject(firstLine(text)) ?? {});
    case 'movielens':
      return ratingColumns;
    case 'sequences':
    case 'compact':
      return [];
    default:
      return format satisfies never;
  }
}

/** In lower case, without `.gz`. */
function endingOf(name: string): string {
  const base = name.toLowerCase().replace(/^.*[/\\]/, '').replace(/\.gz$/, '');
  return base.includes('.') ? base.slice(base.lastIndexOf('.') + 1) : '';
}
