import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openQualityFile } from '../../../server/dashboard/quality-file.ts';
import { qualitySchema, type Quality } from '../../../server/dashboard/schemas.ts';
import { errorSchema } from '../../../server/http/schemas.ts';
import { coordinatorFor } from '../support/coordinators.ts';
import { temporaryFolder } from '../support/folders.ts';

const quality: Quality = {
  baselines: [{ name: 'popularity', ndcg10: 0.05, ndcg10Interval: [0.04, 0.06] }],
  releases: [{ task: 'trial', version: 1, ndcg10: 0.08 }],
  note: 'the last basket of each shopper',
};

describe('what was measured of the releases', () => {
  it('is read from the file that the operator names, again whenever that changes', async () => {
    const path = join(temporaryFolder(), 'quality.json');
    const { url } = await coordinatorFor({ quality: path });
    const ask = () => fetch(`${url}/v1/quality`);
    expect(errorSchema.parse(await (await ask()).json()).error.code).toBe('data.not-found');
    writeFileSync(path, JSON.stringify(quality));
    expect(qualitySchema.parse(await (await ask()).json())).toEqual(quality);
    const next = { ...quality, releases: [...quality.releases, { task: 'trial', version: 2, ndcg10: 0.09, ndcg10Interval: [0.08, 0.1], label: 'second' }] };
    // As a writer does that wants nobody to read half of it.
    writeFileSync(`${path}.new`, JSON.stringify(next));
    renameSync(`${path}.new`, path);
    expect(qualitySchema.parse(await (await ask()).json())).toEqual(next);
  });

  it('is nobody\'s where no file is named', async () => {
    await expect(openQualityFile(undefined).read()).rejects.toMatchObject({ code: 'data.not-found' });
  });

  it('is refused, with what is wrong and without the path, when it is no such file', async () => {
    const path = join(temporaryFolder(), 'quality.json');
    const file = openQualityFile(path);
    for (const [text, complaint] of [
      ['{', 'expected JSON'],
      ['[]', 'expected object'],
      [JSON.stringify({ ...quality, releases: [{ task: 'trial', version: 1, ndcg10: 2 }] }), 'releases[0].ndcg10'],
      [JSON.stringify({ ...quality, baselines: [{ name: 'mine', ndcg10: 0.1 }] }), 'baselines[0].name'],
      [JSON.stringify({ ...quality, more: true }), '"more"'],
      ['x'.repeat(5_000_000), 'at most 4194304 bytes'],
    ]) {
      writeFileSync(path, text);
      const error = await file.read().then(() => null, (thrown: unknown) => thrown as { code: string; message: string });
      expect([error?.code, error?.message]).toEqual(['data.unreadable', expect.stringContaining(complaint)]);
      expect(error?.message).not.toContain(path);
    }
    writeFileSync(path, JSON.stringify(quality));
    expect(await file.read()).toEqual(quality);
  });
});
