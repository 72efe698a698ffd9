/**
 * `results.parquet`: the table of `results.csv` with types, and what made it as metadata of the file. Written by hyparquet-writer.
 * Every column may hold nulls, so that files of several experiments have one schema where they have the same columns.
 */
import { dirname } from 'node:path';
import { parquetWriteBuffer, type BasicType } from 'hyparquet-writer';
import { writeDurably } from '../../../client/shop/durable-file.ts';
import type { ExperimentResult } from '../result.ts';
import { runTable, type Column } from './run-table.ts';

const parquetTypes = { text: 'STRING', integer: 'INT64', number: 'DOUBLE', boolean: 'BOOLEAN' } as const satisfies Record<Column['kind'], BasicType>;

/** Replaces the file as a whole. The same result makes the same bytes. */
export function writeResultsParquet(result: ExperimentResult, path: string): void {
  const columnData = runTable(result).map((column) => ({ name: column.name, type: parquetTypes[column.kind], nullable: true, data: parquetValues(column) }));
  const { name, question, command, codeHash, dataHash, attribution } = result;
  const kvMetadata = Object.entries({ name, question, command, codeHash, dataHash, attribution: attribution ?? '' }).map(([key, value]) => ({ key: `cesta.${key}`, value }));
  writeDurably(path, dirname(path), new Uint8Array(parquetWriteBuffer({ columnData, kvMetadata })));
}

function parquetValues({ kind, values }: Column): readonly unknown[] & unknown[] {
  return kind === 'integer' ? values.map((value) => (value === null ? null : BigInt(value))) : [...values];
}
