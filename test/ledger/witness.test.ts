import { describe, expect, it } from 'vitest';
import { logKey, logOrigin, openCheckpoint, signCheckpoint } from '../../shared/ledger/checkpoint.ts';
import { consistencyProof } from '../../shared/ledger/merkle-proofs.ts';
import { createMerkleTree, leafHash, type MerkleTree } from '../../shared/ledger/merkle-tree.ts';
import type { NoteKey } from '../../shared/ledger/signed-note.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { addCheckpoint, formatAddCheckpoint, openWitness, parseAddCheckpoint, type AddCheckpoint, type WitnessState } from '../../shared/ledger/witness.ts';
import { bytesToHex } from '../../shared/protocol/digest.ts';

const key = signingKey(new Uint8Array(32).fill(1));
const witnessSigner = signingKey(new Uint8Array(32).fill(2));
const origin = logOrigin(key.publicKey);
const identity = { name: 'witness.example/w1', key: witnessSigner, logKeys: [logKey(key.publicKey)] };
const witnessKey: NoteKey = { name: identity.name, publicKey: witnessSigner.publicKey, kind: 'witness' };
const time = 1_700_000_000;

function treeOf(size: number, label = 'entry'): MerkleTree {
  const tree = createMerkleTree();
  for (let i = 0; i < size; i += 1) tree.append(leafHash(new TextEncoder().encode(`${label} ${i}`)));
  return tree;
}

function request(tree: MerkleTree, oldSize: number, size: number, signer = key): AddCheckpoint {
  return { oldSize, proof: consistencyProof(tree.read, oldSize, size), checkpoint: signCheckpoint({ size, root: tree.root(size) }, signer) };
}

describe('a witness', () => {
  const tree = treeOf(20);
  const seen = async (size: number): Promise<WitnessState> => (await addCheckpoint(openWitness(origin), request(tree, 0, size), identity, time))[0];

  it('cosigns a log that grows, and remembers the newest head', async () => {
    let state = openWitness(origin);
    for (const size of [0, 1, 5, 5, 8, 20]) {
      const next = request(tree, state.size, size);
      const [after, line] = await addCheckpoint(state, next, identity, time);
      expect(after).toEqual({ origin, size, root: bytesToHex(tree.root(size)) });
      const opened = await openCheckpoint(next.checkpoint + line, [logKey(key.publicKey), witnessKey], origin);
      expect(opened.signatures[1]).toMatchObject({ time });
      state = after;
    }
  });

  it('refuses a log whose past has changed, whatever proof comes with it', async () => {
    const state = await seen(8);
    const rewritten = treeOf(20, 'other');
    for (const claim of [request(rewritten, 8, 20), { ...request(rewritten, 8, 20), proof: consistencyProof(tree.read, 8, 20) }, { ...request(tree, 8, 20), proof: [] }]) {
      await expect(addCheckpoint(state, claim, identity, time)).rejects.toMatchObject({ code: 'log.inconsistent' });
    }
    await expect(addCheckpoint(state, request(rewritten, 8, 8), identity, time)).rejects.toMatchObject({ code: 'log.inconsistent' });
  });

  it('refuses a log that shrank, and a proof from another head than its own', async () => {
    const state = await seen(8);
    await expect(addCheckpoint(state, request(tree, 5, 5), identity, time)).rejects.toMatchObject({ code: 'protocol.out-of-order', message: 'old: expected 8, the size seen last, got 5' });
    await expect(addCheckpoint(state, { ...request(tree, 5, 5), oldSize: 8 }, identity, time)).rejects.toMatchObject({ code: 'protocol.malformed' });
    await expect(addCheckpoint(state, request(tree, 9, 20), identity, time)).rejects.toMatchObject({ code: 'protocol.out-of-order' });
  });

  it('refuses what the log did not sign', async () => {
    const state = openWitness(origin);
    await expect(addCheckpoint(state, request(tree, 0, 5, witnessSigner), identity, time)).rejects.toMatchObject({ code: 'log.untrusted' });
    const forged = { ...request(tree, 0, 5), checkpoint: request(tree, 0, 5).checkpoint.replace('\n5\n', '\n6\n') };
    await expect(addCheckpoint(state, forged, identity, time)).rejects.toMatchObject({ code: 'log.untrusted' });
    await expect(addCheckpoint(state, { ...forged, checkpoint: 'hello' }, identity, time)).rejects.toMatchObject({ code: 'protocol.malformed' });
    await expect(addCheckpoint(state, request(tree, 0, 5), identity, 0)).rejects.toMatchObject({ code: 'config.invalid' });
  });
});

describe('an add-checkpoint request', () => {
  it('is read back as it was written', () => {
    const tree = treeOf(20);
    for (const [oldSize, size] of [[0, 20], [7, 20], [20, 20]]) {
      const claim = request(tree, oldSize, size);
      expect(parseAddCheckpoint(formatAddCheckpoint(claim))).toEqual(claim);
    }
    expect(formatAddCheckpoint(request(tree, 7, 20))).toMatch(/^old 7\n([A-Za-z0-9+/]{43}=\n){6}\ncesta\/ledger\//);
  });

  it('is refused in any other form', () => {
    const hash = 'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=';
    for (const body of ['', 'old 1\n', 'old 01\n\nx', 'new 1\n\nx', 'old 1\nAAAA\n\nx', 'old -1\n\nx', `old 1\n${`${hash}\n`.repeat(64)}\nx`]) {
      expect(() => parseAddCheckpoint(body)).toThrow(expect.objectContaining({ code: 'protocol.malformed' }));
    }
    expect(parseAddCheckpoint(`old 1\n${`${hash}\n`.repeat(63)}\nx`).proof).toHaveLength(63);
  });
});
