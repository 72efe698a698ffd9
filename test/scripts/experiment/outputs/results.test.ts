import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExperimentResult } from '../../../../scripts/experiment/result.ts';
import { writeResultsCsv } from '../../../../scripts/experiment/outputs/results-csv.ts';
import { writeResultsParquet } from '../../../../scripts/experiment/outputs/results-parquet.ts';
import { exampleResult, exampleRun } from '../example-result.ts';

const folder = mkdtempSync(join(tmpdir(), 'cesta-results-'));
afterAll(() => rmSync(folder, { recursive: true }));

const csvOf = (result: ExperimentResult): string => {
  writeResultsCsv(result, join(folder, 'results.csv'));
  return readFileSync(join(folder, 'results.csv'), 'utf8');
};
const rowsOf = (text: string) => parse<Record<string, string>>(text, { columns: true, record_delimiter: '\r\n' });
const parquetOf = (result: ExperimentResult): Uint8Array<ArrayBuffer> => {
  writeResultsParquet(result, join(folder, 'results.parquet'));
  return new Uint8Array(readFileSync(join(folder, 'results.parquet')));
};

const columns = ['experiment', 'kind', 'label', 'id', 'seed', 'point.privacy.epsilon', 'point.aggregate', 'ndcg@10', 'gini@10', 'recall@10', 'epsilon', 'delta', 'noiseCohort', 'rounds', 'failedRounds', 'virtualSeconds', 'bytesUp', 'bytesDown', 'codeHash', 'dataHash'];

describe('results as CSV', () => {
  it('have a row a run: cells by seed, then baselines, with nothing where there is nothing to say', () => {
    const result = exampleResult();
    const rows = rowsOf(csvOf(result));
    expect(Object.keys(rows[0])).toEqual(columns);
    expect(rows.map(({ label, seed }) => [label, seed])).toEqual([...['1', '2', '3'].map((seed) => ['epsilon 1', seed]), ...['1', '2', '3'].map((seed) => ['epsilon 8', seed]), ['popularity', '1']]);
    const [run] = result.cells[0].runs;
    expect(rows[0]).toMatchObject({ kind: 'cell', id: run.id, 'point.privacy.epsilon': '1', 'point.aggregate': 'mean', epsilon: '1', delta: '0.00001', rounds: '2', failedRounds: '1', virtualSeconds: '7200.5', bytesUp: '6000', bytesDown: '30000' });
    expect(Number(rows[0]['ndcg@10'])).toBe(run.metrics['ndcg@10']);
    expect(rows[6]).toMatchObject({ kind: 'baseline', 'point.privacy.epsilon': '', epsilon: '', delta: '', rounds: '0', virtualSeconds: '0' });
  });

  it('quote what needs it, end every line with CRLF, and read back as they were', () => {
    const label = 'a "quoted", label\r\nof two lines';
    const text = csvOf(exampleResult({ cells: [{ point: {}, label, runs: [exampleRun({}, 0.1)] }], baselines: {} }));
    expect(text.endsWith('\r\n')).toBe(true);
    expect(text).toContain('"a ""quoted"", label\r\nof two lines"');
    expect(rowsOf(text)[0].label).toBe(label);
  });

  it('hold no text that a spreadsheet would run as a formula, and leave negative numbers alone', () => {
    for (const label of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1']) {
      const text = csvOf(exampleResult({ cells: [{ point: { shift: -1 }, label, runs: [exampleRun({}, 0.1, { metrics: { 'popularity@10': -0.5 } })] }], baselines: {} }));
      const [row] = rowsOf(text);
      expect(row.label).toBe(`'${label}`);
      expect([row['popularity@10'], row['point.shift']]).toEqual(['-0.5', '-1']);
    }
  });

  it('keep a column of mixed values as text, objects as JSON', () => {
    const cells = [0.5, 'mean', { robust: { trim: 0.1, kind: 'trimmed-mean' } }, null].map((aggregate) => ({ point: { aggregate }, label: 'any', runs: [exampleRun({}, 0.1)] }));
    const rows = rowsOf(csvOf(exampleResult({ cells, axes: ['aggregate'], baselines: {} })));
    expect(rows.map((row) => row['point.aggregate'])).toEqual(['0.5', 'mean', '{"robust":{"kind":"trimmed-mean","trim":0.1}}', '']);
  });
});

describe('results as Parquet', () => {
  it('hold the same rows, with types', async () => {
    const result = exampleResult();
    const file = parquetOf(result).buffer;
    const rows = await parquetReadObjects({ file });
    expect(rows).toHaveLength(7);
    expect(Object.keys(rows[0])).toEqual(columns);
    const [run] = result.cells[0].runs;
    expect(rows[0]).toEqual({
      experiment: 'example', kind: 'cell', label: 'epsilon 1', id: run.id, seed: 1n, 'point.privacy.epsilon': 1, 'point.aggregate': 'mean', 'ndcg@10': run.metrics['ndcg@10'], 'gini@10': 0.5,
      'recall@10': run.metrics['recall@10'], epsilon: 1, delta: 1e-5, noiseCohort: null, rounds: 2n, failedRounds: 1n, virtualSeconds: 7200.5, bytesUp: 6000n, bytesDown: 30_000n, codeHash: result.codeHash, dataHash: run.dataHash,
    });
    expect(rows[6]).toMatchObject({ kind: 'baseline', 'point.privacy.epsilon': null, 'point.aggregate': null, epsilon: null, delta: null });
  });

  it('keep text as it is, truth values, and columns without a value', async () => {
    const cells = [true, false].map((adaptive) => ({ point: { 'privacy.adaptiveClip': adaptive }, label: '=1+1', runs: [exampleRun({ privacy: { epsilon: Infinity } }, 0.1)] }));
    const rows = await parquetReadObjects({ file: parquetOf(exampleResult({ cells, axes: ['privacy.adaptiveClip'], baselines: {} })).buffer });
    expect(rows).toMatchObject([true, false].map((adaptive) => ({ label: '=1+1', 'point.privacy.adaptiveClip': adaptive, epsilon: null })));
  });

  it('say what made them', () => {
    const { key_value_metadata: entries = [] } = parquetMetadata(parquetOf(exampleResult({ attribution: 'CC BY 4.0' })).buffer);
    for (const [key, value] of Object.entries({ command: 'npx cesta experiment example', codeHash: 'c'.repeat(64), attribution: 'CC BY 4.0' })) expect(entries).toContainEqual({ key: `cesta.${key}`, value });
  });
});

describe('result files', () => {
  it('are the same bytes for the same result, and others for another', () => {
    expect(csvOf(exampleResult())).toBe(csvOf(exampleResult()));
    expect(parquetOf(exampleResult())).toEqual(parquetOf(exampleResult()));
    expect(parquetOf(exampleResult())).not.toEqual(parquetOf(exampleResult({ codeHash: 'e'.repeat(64) })));
  });

  it('are a header alone for an experiment without a run', async () => {
    const empty = exampleResult({ cells: [], baselines: {} });
    expect(csvOf(empty).split('\r\n')).toHaveLength(2);
    expect(await parquetReadObjects({ file: parquetOf(empty).buffer })).toEqual([]);
  });
});
