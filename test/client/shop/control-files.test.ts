import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openControlFiles } from '../../../client/shop/control-files.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cesta-controls-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const [zero, one, two] = [0, 1, 2].map((value) => new Float32Array(3).fill(value));

describe('the control variate of a shop', () => {
  it('starts from zero, and stays what it was while a round is open or has failed', () => {
    const files = openControlFiles(folder);
    expect(files.read('main', 3, null)).toEqual(zero);
    files.propose('main', 'main-1', { own: zero, next: one });
    expect(files.read('main', 3, null)).toEqual(zero);
  });

  it('moves when the round is done, also for a process that starts later, and once', () => {
    openControlFiles(folder).propose('main', 'main-1', { own: zero, next: one });
    openControlFiles(folder).commit('main', 'main-1');
    expect(openControlFiles(folder).read('main', 3, null)).toEqual(one);
    openControlFiles(folder).commit('main', 'main-1');
    expect(openControlFiles(folder).read('main', 3, 'main-1')).toEqual(one);
  });

  it('moves when a later plan starts from the release of that round, though nobody was told', () => {
    const files = openControlFiles(folder);
    files.propose('main', 'main-1', { own: one, next: two });
    expect([files.read('main', 3, 'main-0'), files.read('main', 3, 'main-1')]).toEqual([one, two]);
  });

  it('does not move for another round, and is of one task alone', () => {
    const files = openControlFiles(folder);
    files.propose('main', 'main-2', { own: one, next: two });
    files.commit('main', 'main-1');
    files.commit('other', 'main-2');
    expect([files.read('main', 3, null), files.read('other', 3, null)]).toEqual([one, zero]);
  });

  it('starts from zero again when the file is damaged or of another length', () => {
    const files = openControlFiles(folder);
    files.propose('main', 'main-1', { own: one, next: two });
    expect(files.read('main', 4, null)).toEqual(new Float32Array(4));
    writeFileSync(join(folder, readdirSync(folder)[0]), 'no tensors');
    expect(files.read('main', 3, null)).toEqual(zero);
  });
});
