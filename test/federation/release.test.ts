import { describe, expect, it } from 'vitest';
import { openRelease, originOf, sealRelease, type Manifest } from '../../shared/federation/release.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { decodeTensors, encodeTensors } from '../../shared/protocol/tensors.ts';

const key = signingKey(new Uint8Array(32).fill(1));
const tensors = { counts: { shape: [3], data: Float32Array.of(1, 2, 3) } };
const manifest: Omit<Manifest, 'protocol' | 'tensorsSha256'> = {
  task: 'main',
  version: 1,
  round: 'main-1',
  createdAt: '2026-01-01T00:00:00.000Z',
  model: { kind: 'popularity', hyperParameters: {} },
  catalogueHash: 'a'.repeat(64),
  planHash: 'b'.repeat(64),
  cohort: 3,
  shoppers: 300.5,
  privacy: { mode: 'local', unit: 'u', adjacency: 'a', epsilon: 3, delta: 1e-5, noiseStd: 2, clipNorm: 1, assumptions: [] },
  metrics: { items: 3 },
  parent: null,
  nextClipNorm: null,
};

describe('a release', () => {
  it('opens under the key that signed it, with its tensors and manifest', async () => {
    const sealed = sealRelease(manifest, tensors, key);
    const opened = await openRelease(sealed.bytes, key.publicKey);
    expect(opened.tensors).toEqual(tensors);
    expect(opened.manifest).toEqual(sealed.manifest);
    expect(sealed.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('says what it restores, and has the bytes it always had when it restores nothing', async () => {
    const plain = sealRelease(manifest, tensors, key);
    expect(plain.sha256).toBe('38214d6ec9843a825f3e99b582e2339cf0e7d23ef24ffba60424a23e007216e2');
    const again = sealRelease({ ...plain.manifest, version: 2, restores: 1 }, tensors, key);
    const opened = await openRelease(again.bytes, key.publicKey);
    expect(opened.manifest).toEqual({ ...plain.manifest, version: 2, restores: 1 });
    expect([originOf(plain.manifest), originOf(opened.manifest)]).toEqual([1, 1]);
  });

  it('is refused under any other key', async () => {
    const { bytes } = sealRelease(manifest, tensors, key);
    await expect(openRelease(bytes, signingKey(new Uint8Array(32).fill(2)).publicKey)).rejects.toMatchObject({ code: 'release.untrusted' });
  });

  it('is refused when its tensors, manifest or signature were replaced', async () => {
    const { bytes } = sealRelease(manifest, tensors, key);
    const { metadata } = decodeTensors(bytes);
    const other = { counts: { shape: [3], data: Float32Array.of(1, 2, 4) } };
    await expect(openRelease(encodeTensors(other, metadata), key.publicKey)).rejects.toThrow(/tensors: expected digest/);
    await expect(openRelease(encodeTensors(tensors, { ...metadata, manifest: metadata['manifest'].replace('"cohort":3', '"cohort":9') }), key.publicKey)).rejects.toThrow(/signature/);
    await expect(openRelease(encodeTensors(tensors, { manifest: metadata['manifest'] }), key.publicKey)).rejects.toThrow(/key: expected .* got none/);
  });

  it('is refused when any single byte of it is flipped', async () => {
    const { bytes } = sealRelease(manifest, tensors, key);
    // Padding is the one place no digest covers: spaces of the header, zeros between tensors.
    const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    for (let at = 0; at < bytes.length; at += 7) {
      const flipped = Uint8Array.from(bytes);
      flipped[at] ^= 1;
      if (at < headerEnd && bytes[at] === 0x20) continue;
      await expect(openRelease(flipped, key.publicKey), `byte ${at}`).rejects.toMatchObject({ code: 'release.untrusted' });
    }
  });

  it('is refused when cut short or not a release at all', async () => {
    const { bytes } = sealRelease(manifest, tensors, key);
    for (const length of [0, 7, 8, 100, bytes.length - 9]) {
      await expect(openRelease(bytes.subarray(0, length), key.publicKey)).rejects.toMatchObject({ code: 'release.untrusted' });
    }
  });
});
