/** What was measured so far, as the file that the coordinator shows on its dashboard: whole at every moment. */
import { rename, writeFile } from 'node:fs/promises';
import type { ComparisonRow } from './comparison.ts';
import { demoTask } from './federation.ts';
import type { MeasuredRelease } from './findings.ts';

/** Names as the dashboard knows them. */
const baselineNames: Partial<Record<ComparisonRow['name'], string>> = { popularity: 'popularity', 'local-only': 'local-only', 'release-without-noise': 'central' };

export const qualityNote = 'ndcg@10 on each shopper\'s last basket, which no shop trained on, with its 95 % bootstrap interval over shoppers. The three lines were trained without noise on the orders of the whole year: popular items; each shop alone; all orders in one place.';

export async function writeQuality(path: string, { baselines, releases }: { readonly baselines: readonly ComparisonRow[]; readonly releases: readonly MeasuredRelease[] }): Promise<void> {
  const document = {
    baselines: baselines.flatMap(({ name, ndcg10, ndcg10Interval }) => {
      const known = baselineNames[name];
      return known === undefined ? [] : [{ name: known, ndcg10, ndcg10Interval }];
    }),
    releases: releases.map(({ version, month, row: { ndcg10, ndcg10Interval } }) => ({ task: demoTask, version, ndcg10, ndcg10Interval, label: month })),
    note: qualityNote,
  };
  // Renamed into place: whoever reads it never meets half of one.
  await writeFile(`${path}.new`, JSON.stringify(document));
  await rename(`${path}.new`, path);
}
