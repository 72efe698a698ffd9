import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../scripts/cli/main.ts';
import { codeOf } from '../client/fakes.ts';
import { coordinatorFor, runRound } from '../server/support/coordinators.ts';
import { temporaryFolder } from '../server/support/folders.ts';

const run = (...args: string[]): Promise<unknown> => createProgram().parseAsync(['node', 'cesta', ...args, '--json']);

describe('the verbs backup and restore', () => {
  it('copy a running coordinator, check the copy, and make another of it', async () => {
    const [dataDir, to, restored] = [temporaryFolder(), join(temporaryFolder(), 'b'), join(temporaryFolder(), 'r')];
    const first = await coordinatorFor({ dataDir });
    await runRound(first.url, ['a', 'b']);
    await run('backup', '--data-dir', dataDir, '--to', to);
    await run('backup', '--verify', to);
    await first.close();
    await run('restore', '--from', to, '--data-dir', restored);
    const second = await coordinatorFor({ dataDir: restored });
    expect([second.publicKey, second.state().version]).toEqual([first.publicKey, 1]);
  });

  it('say what is missing', async () => {
    const folder = temporaryFolder();
    expect(await codeOf(() => run('backup', '--data-dir', folder))).toBe('usage.invalid');
    expect(await codeOf(() => run('backup', '--data-dir', folder, '--to', 'x', '--verify', 'y'))).toBe('usage.invalid');
    expect(await codeOf(() => run('backup', '--verify', folder))).toBe('data.not-found');
    expect(await codeOf(() => run('restore', '--from', folder, '--data-dir', join(folder, 'new')))).toBe('data.not-found');
    expect(existsSync(join(folder, 'new'))).toBe(false);
  });
});
