/** The demo's pages end together: no server and no process of theirs outlives them. */
import { expect, it } from 'vitest';
import { tokenHeader } from '../../../scripts/demo/backstage/serve.ts';
import { servePages, type PagesOptions } from '../../../scripts/demo/pages.ts';
import { temporaryFolder } from '../../server/support/folders.ts';

const servers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
const options = (changes: Partial<PagesOptions> = {}): PagesOptions => ({
  coordinator: 'http://127.0.0.1:1', port: 0, folder: temporaryFolder(), shopFiles: Promise.resolve([]),
  year: () => ({ end: null, releases: [], baselines: [], target: null }),
  federation: { shops: 3, rounds: 3, epsilon: 3, delta: 1e-5, mode: 'local', seed: 1 },
  ...changes,
});

it('where the shop cannot start, no server of the backstage stays', async () => {
  const before = servers();
  const failing = Promise.reject(new Error('no files'));
  failing.catch(() => undefined);
  await expect(servePages(options({ shopFiles: failing }))).rejects.toThrow('no files');
  await expect.poll(servers).toBe(before);
}, 60_000);

it('a button that is pressed while a job is being ended starts nothing', async () => {
  const pages = await servePages(options());
  const token = /data-token="([0-9a-f]{64})"/.exec(await (await fetch(pages.backstage)).text())?.[1] ?? '';
  const press = (path: string): Promise<number> => fetch(new URL(path, pages.backstage), { method: 'POST', headers: { [tokenHeader]: token, origin: new URL(pages.backstage).origin } }).then(({ status }) => status, () => 0);
  expect(await press('/api/attackers-view')).toBe(200);
  const closing = pages.close();
  expect(await press('/api/malicious-shop')).not.toBe(200);
  await closing;
}, 60_000);
