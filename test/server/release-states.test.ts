import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRelease, type Manifest } from '../../shared/federation/release.ts';
import { releaseRig, type Fault, type ReleaseRig } from './support/release-rig.ts';
import { recordKey } from './support/records.ts';

async function rigWith(...rounds: readonly ('served' | 'held')[]): Promise<ReleaseRig> {
  const rig = await releaseRig();
  for (const round of rounds) await rig.round({ hold: round === 'held' });
  return rig;
}

const versionOf = ({ releases }: ReleaseRig): number | null => releases.current?.manifest.version ?? null;

/** What is served is what the record says to whoever replays it. */
async function agrees(rig: ReleaseRig): Promise<void> {
  const { release } = await rig.replayed();
  expect([release?.version ?? null, release?.sha256]).toEqual([versionOf(rig), rig.releases.current?.sha256]);
}

describe('a release that is held back', () => {
  it('is durable, recorded and found, but not served', async () => {
    const rig = await rigWith('served', 'held');
    expect(await rig.states()).toEqual(['2 candidate', '1 serving']);
    expect((await rig.releases.find({ version: 2 }))?.manifest.parent).toBe(rig.releases.current?.sha256);
    expect((await rig.entries()).at(-1)).toMatchObject({ type: 'round-result', version: 2, held: true });
    expect(await rig.replayed()).toMatchObject({ rounds: { released: 2, held: 1 }, release: { version: 1 } });
    expect(versionOf(await rig.restart())).toBe(1);
  });

  it('is served under its own version when it is promoted', async () => {
    const rig = await rigWith('served', 'held');
    const promoted = await rig.releases.promote(2, 'gate');
    expect(promoted.sha256).toBe((await rig.releases.find({ version: 2 }))?.sha256);
    expect(await rig.states()).toEqual(['2 serving', '1 served']);
    expect((await rig.entries()).at(-1)).toEqual({ type: 'release-served', task: 'trial', version: 2, release: promoted.sha256, change: 'promotion', reason: 'gate' });
    await agrees(rig);
    await agrees(await rig.restart());
  });

  it('may be the first, and is nothing to roll back from', async () => {
    const rig = await rigWith('held');
    expect(versionOf(rig)).toBeNull();
    await expect(rig.releases.rollback('operator')).rejects.toMatchObject({ code: 'release.not-found' });
    await rig.releases.promote(1, 'operator');
    await agrees(rig);
    await expect(rig.releases.rollback('operator')).rejects.toMatchObject({ code: 'release.state' });
  });

  it('can be rejected, once, and promoted all the same', async () => {
    const rig = await rigWith('served', 'held');
    await rig.releases.reject(2);
    expect(await rig.states()).toEqual(['2 rejected', '1 serving']);
    await expect(rig.releases.reject(2)).rejects.toMatchObject({ code: 'release.state' });
    await expect(rig.releases.reject(1)).rejects.toMatchObject({ code: 'release.state' });
    await expect(rig.releases.reject(3)).rejects.toMatchObject({ code: 'release.not-found' });
    await rig.releases.promote(2, 'operator');
    expect(await rig.states()).toEqual(['2 serving', '1 served']);
    await agrees(rig);
  });

  it('is sealed anew when a later one is served already: storefronts do not go back', async () => {
    const rig = await rigWith('served', 'held', 'served');
    const held = await rig.releases.find({ version: 2 });
    const promoted = await rig.releases.promote(2, 'operator');
    const opened = await openRelease(promoted.bytes, recordKey.publicKey);
    const { manifest } = await openRelease(held?.bytes ?? new Uint8Array(0), recordKey.publicKey);
    expect(opened.manifest).toEqual({ ...manifest, version: 4, createdAt: opened.manifest.createdAt, restores: 2 });
    expect(await rig.states()).toEqual(['4 serving as 2', '3 served', '2 candidate', '1 served']);
    await agrees(rig);
    await rig.releases.rollback('operator');
    expect(await rig.states()).toEqual(['5 serving as 3', '4 served as 2', '3 served', '2 candidate', '1 served']);
  });
});

describe('a promotion', () => {
  it('of what is served makes no sense, nor of what does not exist', async () => {
    const rig = await rigWith('served', 'served');
    await expect(rig.releases.promote(2, 'operator')).rejects.toMatchObject({ code: 'release.state' });
    await expect(rig.releases.promote(3, 'operator')).rejects.toMatchObject({ code: 'release.not-found' });
    await rig.releases.promote(1, 'operator');
    for (const version of [1, 3]) await expect(rig.releases.promote(version, 'operator')).rejects.toMatchObject({ code: 'release.state' });
    expect(await rig.states()).toEqual(['3 serving as 1', '2 served', '1 served']);
  });

  it('of a damaged file changes nothing', async () => {
    const rig = await rigWith('served', 'held');
    const { sha256 = '' } = (await rig.releases.list({ before: 3, limit: 1 }))[0];
    writeFileSync(join(rig.blobs, sha256), 'rotten');
    await expect(rig.releases.promote(2, 'operator')).rejects.toMatchObject({ code: 'storage.failed' });
    expect(await rig.states()).toEqual(['2 candidate', '1 serving']);
    await agrees(rig);
  });
});

describe('a rollback', () => {
  it('serves what was served before, under a new version with the same parameters', async () => {
    const rig = await rigWith('served', 'served');
    const rolledBack = await rig.releases.rollback('operator');
    const [now, then] = await Promise.all([rolledBack, await rig.releases.find({ version: 1 })].map(async (release) => openRelease(release?.bytes ?? new Uint8Array(0), recordKey.publicKey)));
    expect(now.manifest).toMatchObject({ version: 3, restores: 1, round: 'trial-1', tensorsSha256: then.manifest.tensorsSha256 });
    expect(now.tensors).toEqual(then.tensors);
    expect((await rig.entries()).at(-1)).toEqual({ type: 'release-served', task: 'trial', version: 3, release: rolledBack.sha256, restores: 1, change: 'rollback', reason: 'operator' });
    await agrees(rig);
    await agrees(await rig.restart());
  });

  it('after a rollback goes further back, past candidates, and ends at the first', async () => {
    const rig = await rigWith('served', 'served', 'held', 'served');
    await rig.releases.rollback('operator');
    expect((await rig.states())[0]).toBe('5 serving as 2');
    await (await rig.restart()).releases.rollback('gate');
    const again = await rig.restart();
    expect((await again.states())[0]).toBe('6 serving as 1');
    await expect(again.releases.rollback('operator')).rejects.toMatchObject({ code: 'release.state' });
    await agrees(again);
  });

  it('undoes first what came after an earlier one, and never returns to what was left', async () => {
    const rig = await rigWith('served', 'served');
    await rig.releases.rollback('operator');
    await rig.round();
    await rig.round({ hold: true });
    await rig.releases.promote(5, 'operator');
    for (const expected of ['6 serving as 4', '7 serving as 1']) {
      await rig.releases.rollback('operator');
      expect((await rig.states())[0]).toBe(expected);
    }
    await expect(rig.releases.rollback('operator')).rejects.toMatchObject({ code: 'release.state' });
    await agrees(rig);
  });

  it('goes back from what is really served when the newest is damaged, above its version', async () => {
    const rig = await rigWith('served', 'served', 'served');
    rmSync(join(rig.blobs, rig.releases.current?.sha256 ?? ''));
    const again = await rig.restart();
    expect(versionOf(again)).toBe(2);
    await again.releases.rollback('operator');
    expect((await again.states())[0]).toBe('4 serving as 1');
    await agrees(again);
  });
});

describe('rounds that are open while something else is served', () => {
  it('finish from the release that their plan names', async () => {
    const rig = await rigWith('served', 'served', 'held');
    const base = rig.releases.current?.sha256 ?? '';
    await rig.releases.rollback('operator');
    const release = await rig.round({ base });
    expect(release.manifest).toMatchObject({ version: 5, parent: base } satisfies Partial<Manifest>);
    expect((await rig.round()).manifest.parent).toBe(release.sha256);
    await agrees(rig);
  });

  it('keep versions and record in order with changes at the same time', async () => {
    const rig = await rigWith('served', 'served', 'held');
    await Promise.all([rig.round({ hold: true }), rig.releases.rollback('operator'), rig.releases.promote(3, 'gate'), rig.releases.list({ before: 9, limit: 9 })]);
    expect((await rig.releases.list({ before: 99, limit: 99 })).map(({ version }) => version)).toEqual([6, 5, 4, 3, 2, 1]);
    await agrees(rig);
    await agrees(await rig.restart());
  });
});

describe('a crash', () => {
  const changes: readonly [name: string, run: (rig: ReleaseRig) => Promise<unknown>, statement: Fault[1]][] = [
    ['a promotion', ({ releases }) => releases.promote(3, 'operator'), 'serveRelease'],
    ['a promotion below what is served', ({ releases }) => releases.promote(1, 'operator'), 'restoreRelease'],
    ['a rollback', ({ releases }) => releases.rollback('operator'), 'restoreRelease'],
    ['a release that is served', (rig) => rig.round(), 'publish'],
  ];
  const points = changes.flatMap(([name, run, statement]) => [
    [name, 'before the row', run, ['before', statement], false] as const,
    [name, 'after the row', run, ['after', statement], true] as const,
  ]);
  const recorded = changes.slice(0, 3).flatMap(([name, run]) => [
    [name, 'before the entry', run, ['before', 'appendLog'], true] as const,
    [name, 'after the entry', run, ['after', 'appendLog'], true] as const,
  ]);

  it.each([...points, ...recorded])('during %s, %s, leaves what is served, the journal and the record agreed', async (_name, _when, run, fault, isDone) => {
    const rig = await rigWith('served', 'served', 'held');
    rig.fail(fault);
    await expect(run(rig)).rejects.toMatchObject({ code: 'storage.failed' });
    expect(versionOf(rig)).toBe(2);
    const again = await rig.restart();
    expect(versionOf(again) === 2).toBe(!isDone);
    await agrees(again);
    const release = await again.round();
    expect(release.manifest.version).toBeGreaterThan(3);
    await again.releases.rollback('operator');
    await agrees(again);
  });

  const gone = [...points, ...recorded].filter(([, , , , isDone]) => isDone);
  it.each(gone)('that leaves the process alive during %s, %s, is mended by what comes next', async (_name, _when, run, fault) => {
    const rig = await rigWith('served', 'served', 'held');
    rig.fail(fault);
    await expect(run(rig)).rejects.toMatchObject({ code: 'storage.failed' });
    await rig.releases.settle();
    expect(versionOf(rig)).not.toBe(2);
    await agrees(rig);
    await rig.round({ hold: true });
    await agrees(await rig.restart());
  });
});
