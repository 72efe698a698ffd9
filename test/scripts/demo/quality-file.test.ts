/** The file that the coordinator's dashboard draws is one it can read, at every moment. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openQualityFile } from '../../../server/dashboard/quality-file.ts';
import type { MeasuredRelease } from '../../../scripts/demo/findings.ts';
import { recordYear } from '../../../scripts/demo/year.ts';

const row = (name: 'popularity' | 'item-knn-central' | 'release', ndcg10: number) => ({ name, ndcg10, recall20: 0, coverage20: 0, ndcg10Interval: [ndcg10 - 0.01, ndcg10 + 0.01] as const });
const release = (version: number): MeasuredRelease => ({ version, round: `demo-${version}`, month: 'Dec 2010', shops: 5, epsilon: version / 2, exposure: 0, row: row('release', 0.05) });

describe('what was measured of the demo', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cesta-quality-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is a file that the coordinator reads, with a row a release and the baselines it knows', async () => {
    const path = join(folder, 'quality.json');
    const heard: number[] = [];
    const record = recordYear({ qualityPath: path, monthMs: 0, onRelease: ({ version }) => heard.push(version) });
    await record.written();
    expect(await openQualityFile(path).read()).toMatchObject({ baselines: [], releases: [] });
    record.hear({ kind: 'baseline', row: row('popularity', 0.03) });
    record.hear({ kind: 'baseline', row: row('item-knn-central', 0.08) });
    for (const version of [1, 2]) record.hear({ kind: 'release', release: release(version) });
    await record.written();
    const { baselines, releases } = await openQualityFile(path).read();
    expect(baselines.map(({ name }) => name)).toEqual(['popularity']);
    expect(releases).toMatchObject([{ task: 'demo', version: 1, ndcg10: 0.05, label: 'Dec 2010' }, { version: 2 }]);
    expect(heard).toEqual([1, 2]);
    expect(readdirSync(folder)).toEqual(['quality.json']);
  });

  it('ends the wait with the coded error of a process that failed', async () => {
    const record = recordYear({ qualityPath: join(folder, 'quality.json'), monthMs: 0, onRelease: () => undefined });
    const failed = { name: 'shops 1-5', ended: Promise.resolve(1), complaints: () => '{"error":{"code":"storage.failed","message":"state: expected a folder, got a file"}}', stop: () => Promise.resolve() };
    await expect(record.ended([failed])).rejects.toMatchObject({ code: 'storage.failed', message: 'state: expected a folder, got a file' });
    await record.written();
  });
});
