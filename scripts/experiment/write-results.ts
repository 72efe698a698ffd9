/** The files of a whole experiment, beside the folders of its runs: a table twice, and a page to read. */
import { join } from 'node:path';
import { writeDurably } from '../../client/shop/durable-file.ts';
import { writeResultsCsv } from './outputs/results-csv.ts';
import { writeResultsParquet } from './outputs/results-parquet.ts';
import { renderReport } from './report/report.ts';
import type { ExperimentResult } from './result.ts';
import { storageError } from './storage-error.ts';
import type { Summary } from './summary.ts';

export interface ResultFiles {
  readonly csv: string;
  readonly parquet: string;
  readonly report: string;
}

/**
 * Replaces each file as a whole; the same result makes the same bytes.
 * @throws CestaError `storage.failed`
 */
export function writeResults(result: ExperimentResult, folder: string, summary?: Summary): ResultFiles {
  const files = { csv: join(folder, 'results.csv'), parquet: join(folder, 'results.parquet'), report: join(folder, 'report.html') };
  const report = renderReport(result, summary);
  try {
    writeResultsCsv(result, files.csv);
    writeResultsParquet(result, files.parquet);
    writeDurably(files.report, folder, report);
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
  return files;
}
