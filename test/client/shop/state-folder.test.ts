import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openStateFolder } from '../../../client/shop/state-folder.ts';
import { codeOf } from '../fakes.ts';

const root = mkdtempSync(join(tmpdir(), 'cesta-state-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('the state of a shop', () => {
  it('has a key of its own, made once and readable by its owner only', () => {
    const first = openStateFolder(root, 'corner-shop');
    const second = openStateFolder(root, 'corner-shop');
    const other = openStateFolder(root, 'other-shop');
    expect(second.key.publicKey).toBe(first.key.publicKey);
    expect(other.key.publicKey).not.toBe(first.key.publicKey);
    expect(statSync(join(root, 'corner-shop', 'shop.key')).mode & 0o777).toBe(0o600);
    expect(statSync(join(root, 'corner-shop')).mode & 0o777).toBe(0o700);
  });

  it('says so, and mends it, when the key could be read by others', () => {
    openStateFolder(root, 'loose');
    chmodSync(join(root, 'loose', 'shop.key'), 0o644);
    expect(openStateFolder(root, 'loose').keyWasExposed).toBe(true);
    expect(openStateFolder(root, 'loose').keyWasExposed).toBe(false);
    expect(statSync(join(root, 'loose', 'shop.key')).mode & 0o777).toBe(0o600);
  });

  it('keeps the pinned key of the coordinator', () => {
    const state = openStateFolder(root, 'pinning');
    expect(state.coordinatorKey).toBeNull();
    state.pinCoordinator('ab'.repeat(32));
    expect(state.coordinatorKey).toBe('ab'.repeat(32));
    expect(openStateFolder(root, 'pinning').coordinatorKey).toBe('ab'.repeat(32));
  });

  it('refuses a damaged key rather than taking a new identity', async () => {
    openStateFolder(root, 'damaged');
    const path = join(root, 'damaged', 'shop.key');
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 20));
    expect(await codeOf(() => openStateFolder(root, 'damaged'))).toBe('storage.failed');
  });

  it('refuses names that would leave its folder', async () => {
    for (const name of ['../escape', 'a/b', '', '.hidden', 'x'.repeat(64)]) expect(await codeOf(() => openStateFolder(root, name))).toBe('config.invalid');
  });

  it('fails with a code where no folder can be made', async () => {
    writeFileSync(join(root, 'file'), '');
    expect(await codeOf(() => openStateFolder(join(root, 'file'), 'shop'))).toBe('storage.failed');
  });
});
