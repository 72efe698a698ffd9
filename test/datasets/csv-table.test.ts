import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTally } from '../../shared/datasets/complaints.ts';
import { csvTable } from '../../shared/datasets/csv-table.ts';
import { forEachLine, firstLine } from '../../shared/datasets/lines.ts';

function read(text: string): { columns: readonly string[]; records: (readonly string[])[]; lines: number[]; complaints: [string, readonly number[]][]; read: number } {
  const tally = createTally();
  const table = csvTable(text);
  const records: (readonly string[])[] = [];
  const lines: number[] = [];
  table.forEach(tally, (fields, line) => {
    records.push([...fields]);
    lines.push(line);
  });
  const report = tally.report();
  return { columns: table.columns, records, lines, complaints: report.complaints.map((complaint) => [complaint.kind, complaint.lines]), read: report.lines };
}

describe('a CSV table', () => {
  it('has columns in lower case and records with the number of their first line', () => {
    expect(read('Item_ID, Title\n1,a\n2,b\n')).toMatchObject({ columns: ['item_id', 'title'], records: [['1', 'a'], ['2', 'b']], lines: [2, 3], complaints: [] });
  });

  it.each([[','], [';'], ['\t']])('takes %j between fields when the header does', (delimiter) => {
    expect(read(`a${delimiter}b\n1${delimiter}2\n`).records).toEqual([['1', '2']]);
  });

  it('passes over blank lines, line ends of every kind and a byte order mark, and keeps count', () => {
    expect(read('\uFEFFa,b\r\n\r\n1,2\r\n\n3,4')).toMatchObject({ columns: ['a', 'b'], records: [['1', '2'], ['3', '4']], lines: [3, 5] });
    expect(read('a,b\r1,2\r').records).toEqual([['1', '2']]);
  });

  it('reads quoted fields with delimiters, doubled quotes and line ends inside', () => {
    expect(read('a,b\n"1,1","say ""hi"""\n"two\nlines",x\n3,4\n')).toMatchObject({ records: [['1,1', 'say "hi"'], ['two\nlines', 'x'], ['3', '4']], lines: [2, 3, 5], complaints: [] });
  });

  it('takes a quote inside an unquoted field as a character', () => {
    expect(read('a,b\n1,5" nail\n2,3" x 4" board\n')).toMatchObject({ records: [['1', '5" nail'], ['2', '3" x 4" board']], complaints: [] });
  });

  it('loses one line to a quote that is never closed, and none after it', () => {
    const rest = Array.from({ length: 5000 }, (_, index) => `${index},x`);
    const found = read(['a,b', '1,"open', ...rest].join('\n'));
    expect(found.records.length).toBe(5000);
    expect(found.complaints).toEqual([['bad-quotes', [2]]]);
    expect(found.read).toBe(5001);
  });

  it('does not let two stray quotes swallow the lines between them', () => {
    expect(read('a,b\n1,"open\n2,x\n3,"open\n4,y\n')).toMatchObject({ records: [['2', 'x'], ['4', 'y']], lines: [3, 5], complaints: [['bad-quotes', [2, 4]]] });
  });

  it('complains of lines with more or fewer fields than the header', () => {
    expect(read('a,b\n1\n1,2\n1,2,3\n')).toMatchObject({ records: [['1', '2']], complaints: [['field-count', [2, 4]]] });
  });

  it('reads back whatever was written by the rules, across batches', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'ß') });
    fc.assert(fc.property(fc.array(fc.tuple(field, field), { minLength: 1 }), (rows) => {
      const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join('\n');
      expect(read(`a,b\n${text}\n`)).toMatchObject({ records: rows, complaints: [] });
    }), { numRuns: 300 });
  });

  it('accounts for every line of any text', () => {
    const line = fc.string({ unit: fc.constantFrom('a', '"', ',', ' x') }).filter((text) => text.trim() !== '');
    fc.assert(fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const tally = createTally();
      let records = 0;
      csvTable(['a,b', ...lines].join('\n')).forEach(tally, () => {
        records += 1;
      });
      expect(tally.report().used).toBe(records);
      // A record may span lines, so there are at most as many as lines.
      expect(tally.report().lines).toBeLessThanOrEqual(lines.length);
    }), { numRuns: 500 });
  });
});

describe('lines', () => {
  it('are numbered as an editor numbers them', () => {
    const found: [string, number][] = [];
    forEachLine('\n a \r\n\r\nb', (line, number) => found.push([line, number]));
    expect(found).toEqual([[' a ', 2], ['b', 4]]);
  });

  it('start with the first that is not blank', () => {
    expect(firstLine('\n  \nx\ny')).toBe('x');
    expect(firstLine(' \n')).toBe('');
  });
});
