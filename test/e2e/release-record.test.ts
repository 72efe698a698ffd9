import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { verifyRecord } from '../../scripts/verify.ts';
import { systemClock } from '../../server/clock.ts';
import { createApp } from '../../server/http/app.ts';
import { releasesSchema } from '../../server/http/schemas.ts';
import { listen } from '../../server/listen.ts';
import { openBlobStore } from '../../server/storage/blobs.ts';
import type { ReleaseRecord } from '../../server/storage/storage.ts';
import { openRelease, sealRelease, type Manifest } from '../../shared/federation/release.ts';
import type { NamedTensors } from '../../shared/protocol/tensors.ts';
import { catalogue, silent, taskOf } from '../server/support/fixtures.ts';
import { recordKey } from '../server/support/records.ts';
import { releaseRig, type ReleaseRig } from '../server/support/release-rig.ts';

async function serve({ storage, record, releases }: ReleaseRig): Promise<URL> {
  const main = { spec: taskOf({ rounds: 99 }), state: 'active' as const, releases, schedule: { phase: 'waiting' as const, over: null } };
  const server = createServer(createApp({ tasks: { main, find: (name) => (name === main.spec.name ? main : null), all: () => [main] }, publicKey: recordKey.publicKey, storage, record, room: { fixed: catalogue }, clock: systemClock, logger: silent }));
  onTestFinished(() => void server.close());
  return new URL(await listen(server, '127.0.0.1', 0));
}

const bytesAt = async (url: URL, path: string): Promise<Uint8Array> => new Uint8Array(await (await fetch(new URL(path, url))).arrayBuffer());
const verify = (url: URL) => verifyRecord(url, { coordinatorKey: recordKey.publicKey, retryMs: 1 });

describe('releases that are held back, promoted and rolled back', () => {
  it('are served as the record says, to whoever verifies it, at every step', async () => {
    const rig = await releaseRig();
    const url = await serve(rig);
    await rig.round();
    await rig.round({ hold: true });
    expect(await verify(url)).toMatchObject({ findings: [], tasks: [{ released: 2, held: 1, release: { version: 1, restores: null } }] });
    await rig.releases.promote(2, 'operator');
    expect(await verify(url)).toMatchObject({ findings: [], tasks: [{ released: 2, held: 0, release: { version: 2 } }] });
    await rig.releases.rollback('operator');
    expect(await verify(url)).toMatchObject({ findings: [], tasks: [{ released: 2, release: { version: 3, restores: { version: 1 } } }] });
    const again = await serve(await rig.restart());
    expect(await verify(again)).toMatchObject({ findings: [] });
  });

  it('are listed in public, and fetched by number in whatever state', async () => {
    const rig = await releaseRig();
    const url = await serve(rig);
    await rig.round();
    const { sha256 } = await rig.round({ hold: true });
    await rig.releases.reject(2);
    await rig.round();
    await rig.releases.rollback('operator');
    const list = async (query = '') => releasesSchema.parse(await (await fetch(new URL(`v1/releases${query}`, url))).json());
    const { releases, next } = await list();
    expect(next).toBeNull();
    expect(releases).toMatchObject([
      { version: 4, state: 'serving', restores: 1, round: 'trial-1', epsilon: null, shoppers: 9 },
      { version: 3, state: 'served', restores: null, round: 'trial-3' },
      { version: 2, state: 'rejected', sha256 },
      { version: 1, state: 'served' },
    ]);
    expect((await list('?before=3')).releases.map(({ version }) => version)).toEqual([2, 1]);
    expect((await fetch(new URL('v1/releases?before=0', url))).status).toBe(400);
    expect((await openRelease(await bytesAt(url, 'v1/model/2'), recordKey.publicKey)).manifest.version).toBe(2);
    expect((await openRelease(await bytesAt(url, 'v1/model'), recordKey.publicKey)).manifest).toMatchObject({ version: 4, restores: 1 });
  });
});

describe('a coordinator that serves again what it says it does not', () => {
  /** Serves and records whatever it is told to, as one could who has the key. */
  async function lying(lie: (manifest: Manifest, tensors: NamedTensors, others: NamedTensors) => [Manifest, NamedTensors]): Promise<readonly string[]> {
    const rig = await releaseRig();
    const { sha256, bytes } = await rig.round();
    const others = await openRelease((await rig.round()).bytes, recordKey.publicKey);
    const { manifest, tensors } = await openRelease(bytes, recordKey.publicKey);
    const sealed = sealRelease(...lie({ ...manifest, version: 3, restores: 1 }, tensors, others.tensors), recordKey);
    await (await openBlobStore(rig.blobs)).write(sealed.bytes);
    const serving = { change: 'rollback', reason: 'operator' } as const;
    const record: ReleaseRecord = { task: 'trial', version: 3, sha256: sealed.sha256, round: manifest.round, manifest: sealed.manifest, state: 'served', serving, previous: null, canary: null };
    await rig.record.append({ type: 'release-served', task: 'trial', version: 3, release: sealed.sha256, restores: 1, ...serving });
    await rig.storage.restoreRelease(record);
    expect(sealed.sha256).not.toBe(sha256);
    return (await verify(await serve(await rig.restart()))).findings.map(({ reason }) => reason);
  }

  it('is found out by the parameters', async () => {
    expect(await lying((manifest, tensors) => [manifest, tensors])).toEqual([]);
    expect(await lying((manifest, _tensors, others) => [manifest, others])).toMatchObject([expect.stringContaining('to have the parameters of release 1')]);
  });

  it('is found out by what the release says of itself', async () => {
    expect(await lying((manifest, tensors) => [{ ...manifest, restores: 2 }, tensors])).toMatchObject([expect.stringContaining('restores 1, as the log has it, got version 3 that restores 2')]);
    expect(await lying((manifest, tensors) => [{ ...manifest, version: 1 }, tensors])).toMatchObject([expect.stringContaining('got version 1')]);
  });
});
