/**
 * Delimited text with a header (RFC 4180; comma, semicolon or tab). csv-parse reads the syntax; this module
 * feeds it so that damage stays where it is: a stray quote costs its own line and never the lines after it.
 */
import { parse } from 'csv-parse/sync';
import type { Tally } from './complaints.ts';
import { lineCursor } from './lines.ts';
import type { LineCursor } from './lines.ts';

export interface CsvTable {
  /** Trimmed and in lower case. */
  readonly columns: readonly string[];
  /**
   * Calls `visit` with the fields of every record that has as many as the header, and its first line's number.
   * Counts every record as read and complains about the others.
   */
  forEach(tally: Tally, visit: (fields: readonly string[], line: number) => void): void;
}

/** Lines a quoted field may span. */
const maxRecordLines = 100;
/** Records parsed at once: one call a record would cost ten times as much. */
const batchSize = 2000;

export function csvTable(text: string): CsvTable {
  const cursor = lineCursor(text);
  let header = cursor.next();
  while (header !== undefined && header.trim() === '') header = cursor.next();
  const delimiter = delimiterOf(header ?? '');
  const columns = (parseOne(header ?? '', delimiter) ?? []).map((column) => column.trim().toLowerCase());
  const toFirstRecord = cursor.mark();
  return {
    columns,
    forEach(tally, visit) {
      toFirstRecord();
      forEachRecord(cursor, delimiter, tally, (fields, line) => {
        if (fields.length === columns.length) visit(fields, line);
        else tally.complain('field-count', line);
      });
    },
  };
}

/** The one of comma, semicolon and tab that the header has most of. */
function delimiterOf(header: string): string {
  const count = (delimiter: string): number => header.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}

function forEachRecord(cursor: LineCursor, delimiter: string, tally: Tally, visit: (fields: string[], line: number) => void): void {
  let lines: string[] = [];
  let numbers: number[] = [];
  const flush = (): void => {
    const records = parseLines(lines, delimiter);
    records.forEach((fields, index) => {
      if (fields === undefined) tally.complain('bad-quotes', numbers[index]);
      else visit(fields, numbers[index]);
    });
    lines = [];
    numbers = [];
  };
  for (let line = cursor.next(); line !== undefined; line = cursor.next()) {
    if (line.trim() === '') continue;
    tally.read();
    const number = cursor.number;
    const opens = line.startsWith('"') || line.includes(`${delimiter}"`);
    const spanning = opens && hasOpenQuote(line) ? spanningRecord(line, cursor, delimiter) : undefined;
    if (spanning !== undefined) {
      flush();
      visit(spanning, number);
      continue;
    }
    lines.push(line);
    numbers.push(number);
    if (lines.length === batchSize) flush();
  }
  flush();
}

/** In a well-formed record quotes come in pairs, so a line that ends inside a quoted field has an odd number of them. */
function hasOpenQuote(line: string): boolean {
  let open = false;
  for (let at = line.indexOf('"'); at !== -1; at = line.indexOf('"', at + 1)) open = !open;
  return open;
}

/** The record that starts with `line` and goes on over the next lines; undefined, with the cursor where it was, when there is none. */
function spanningRecord(line: string, cursor: LineCursor, delimiter: string): string[] | undefined {
  const goBack = cursor.mark();
  let record = line;
  for (let span = 1; span < maxRecordLines; span += 1) {
    const next = cursor.next();
    if (next === undefined) break;
    record += `\n${next}`;
    if (!hasOpenQuote(next)) continue;
    const fields = parseOne(record, delimiter, false);
    if (fields !== undefined) return fields;
    break;
  }
  goBack();
  return undefined;
}

/** One entry a line; undefined where a line is malformed. */
function parseLines(lines: readonly string[], delimiter: string): (string[] | undefined)[] {
  try {
    const records = parse(lines.join('\n'), { delimiter, record_delimiter: '\n', relax_column_count: true, relax_quotes: true });
    // An unclosed quote joins its line to the next, so only as many records as lines mean that each stands alone.
    if (records.length === lines.length) return records;
  } catch {
    // Found again, line by line, below.
  }
  return lines.map((line) => parseOne(line, delimiter));
}

/** Exactly one record, or undefined. With `relaxed`, a quote inside an unquoted field (5" nails) is a character. */
function parseOne(text: string, delimiter: string, relaxed = true): string[] | undefined {
  try {
    const records = parse(text, { delimiter, record_delimiter: '\n', relax_column_count: true, relax_quotes: relaxed });
    return records.length === 1 ? records[0] : undefined;
  } catch {
    return undefined;
  }
}
