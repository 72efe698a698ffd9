/**
 * `results.csv`: a header and a row a run, as RFC 4180 has it: commas, CRLF, quotes where they are needed. An empty field is null.
 * Spreadsheets run text that looks like a formula: text that starts with = + - @ tab or return gets an apostrophe in front, which
 * they take for "this is text" (OWASP, CSV injection). Numbers are never touched; `results.parquet` has all text as it is.
 */
import { dirname } from 'node:path';
import { writeDurably } from '../../../client/shop/durable-file.ts';
import type { ExperimentResult } from '../result.ts';
import { runTable } from './run-table.ts';

/** Replaces the file as a whole. The same result makes the same bytes. */
export function writeResultsCsv(result: ExperimentResult, path: string): void {
  const columns = runTable(result);
  const header = columns.map(({ name }) => csvField(name));
  const rows = columns[0].values.map((_, row) => columns.map(({ values }) => csvField(values[row])));
  writeDurably(path, dirname(path), [header, ...rows].map((fields) => `${fields.join(',')}\r\n`).join(''));
}

function csvField(value: string | number | boolean | null): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
