import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from '../../shared/ledger/merkle-proofs.ts';
import { createMerkleTree, edgeRoot, emptyEdge, emptyRoot, extendEdge, leafHash, nodeHash, type Hash, type MerkleTree } from '../../shared/ledger/merkle-tree.ts';
import { bytesToHex, hexToBytes } from '../../shared/protocol/digest.ts';

// The reference entries, roots and proofs of certificate-transparency (merkle_tree_test.cc).
const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(hexToBytes);
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const inclusions: readonly [index: number, size: number, proof: readonly string[]][] = [
  [0, 1, []],
  [0, 8, [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4']],
  [5, 8, [
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7']],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
];
const consistencies: readonly [oldSize: number, newSize: number, proof: readonly string[]][] = [
  [1, 1, []],
  [1, 8, [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4']],
  [6, 8, [
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7']],
  [2, 5, [
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b']],
];

function treeOf(leaves: readonly Uint8Array[]): MerkleTree {
  const tree = createMerkleTree();
  for (const leaf of leaves) tree.append(leafHash(leaf));
  return tree;
}

const hexes = (hashes: readonly Hash[]): string[] => hashes.map(bytesToHex);

/** The definition of RFC 6962, section 2.1, word for word. */
function mth(leaves: readonly Uint8Array[]): Hash {
  if (leaves.length === 0) return emptyRoot;
  if (leaves.length === 1) return leafHash(leaves[0]);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}

const numbered = (size: number): Uint8Array[] => Array.from({ length: size }, (_, i) => Uint8Array.of(i));

describe('a Merkle tree', () => {
  it('has the published roots at sizes 0 to 8', () => {
    const tree = treeOf(entries);
    expect(roots.map((_, size) => bytesToHex(tree.root(size)))).toEqual(roots);
    expect(bytesToHex(emptyRoot)).toBe(roots[0]);
  });

  it('has the same root from its right edge alone', () => {
    let edge = emptyEdge;
    const seen = [bytesToHex(edgeRoot(edge))];
    for (const entry of entries) {
      [edge] = extendEdge(edge, leafHash(entry));
      seen.push(bytesToHex(edgeRoot(edge)));
    }
    expect(seen).toEqual(roots);
  });

  it('keeps one subtree in its edge for every 1 in the binary form of its size', () => {
    let edge = emptyEdge;
    for (let size = 1; size <= 300; size += 1) {
      [edge] = extendEdge(edge, leafHash(Uint8Array.of(0)));
      expect(edge.subtrees.length).toBe(size.toString(2).replaceAll('0', '').length);
    }
  });

  it('agrees with the definition at every size up to 130, also for its own past', () => {
    const leaves = numbered(130);
    const tree = treeOf(leaves);
    for (let size = 0; size <= leaves.length; size += 1) {
      const root = bytesToHex(mth(leaves.slice(0, size)));
      expect([size, bytesToHex(tree.root(size))]).toEqual([size, root]);
      expect(bytesToHex(edgeRoot(treeOf(leaves.slice(0, size)).edge))).toBe(root);
    }
  });

  it('names a subtree it does not have', () => {
    expect(() => treeOf(entries).read(2, 2)).toThrow('level 2, index 2');
  });
});

describe('proofs', () => {
  it('are the published ones', () => {
    const { read } = treeOf(entries);
    for (const [index, size, proof] of inclusions) expect(hexes(inclusionProof(read, index, size))).toEqual(proof);
    for (const [oldSize, newSize, proof] of consistencies) expect(hexes(consistencyProof(read, oldSize, newSize))).toEqual(proof);
  });

  it('of inclusion verify for every entry of every tree up to 70 entries, and for no other index', () => {
    const leaves = numbered(70);
    const tree = treeOf(leaves);
    for (let size = 1; size <= 70; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const claim = { leaf: leafHash(leaves[index]), index, size, root: tree.root(size), proof: inclusionProof(tree.read, index, size) };
        if (!verifyInclusion(claim)) expect.fail(`entry ${index} of ${size}`);
        if (verifyInclusion({ ...claim, index: (index + 1) % size }) && size > 1) expect.fail(`entry ${index} of ${size} passes for the next`);
      }
    }
  });

  it('of consistency verify between all sizes up to 70', () => {
    const tree = treeOf(numbered(70));
    for (let newSize = 0; newSize <= 70; newSize += 1) {
      for (let oldSize = 0; oldSize <= newSize; oldSize += 1) {
        const claim = { oldSize, oldRoot: tree.root(oldSize), newSize, newRoot: tree.root(newSize), proof: consistencyProof(tree.read, oldSize, newSize) };
        if (!verifyConsistency(claim)) expect.fail(`${oldSize} to ${newSize}`);
      }
    }
  });

  it('fail when any bit of a hash is flipped, a hash is missing, or one is added', () => {
    const tree = treeOf(numbered(70));
    fc.assert(fc.property(fc.integer({ min: 2, max: 70 }), fc.nat(), fc.nat(), fc.nat({ max: 255 }), (size, pick, where, bit) => {
      const index = pick % size;
      const oldSize = 1 + (pick % (size - 1));
      const inclusion = { leaf: leafHash(Uint8Array.of(index)), index, size, root: tree.root(size), proof: inclusionProof(tree.read, index, size) };
      const consistency = { oldSize, oldRoot: tree.root(oldSize), newSize: size, newRoot: tree.root(size), proof: consistencyProof(tree.read, oldSize, size) };
      const flip = (hash: Hash): Hash => hash.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      const flipOne = (proof: readonly Hash[]): Hash[] => proof.map((hash, i) => (i === where % proof.length ? flip(hash) : hash));
      const drop = (proof: readonly Hash[]): Hash[] => proof.filter((_, i) => i !== where % proof.length);
      const add = (proof: readonly Hash[]): Hash[] => proof.toSpliced(where % (proof.length + 1), 0, flip(emptyRoot));
      for (const change of [flipOne, drop, add]) {
        expect(verifyInclusion({ ...inclusion, proof: change(inclusion.proof) })).toBe(false);
        expect(verifyConsistency({ ...consistency, proof: change(consistency.proof) })).toBe(false);
      }
      expect(verifyInclusion({ ...inclusion, leaf: flip(inclusion.leaf) })).toBe(false);
      expect(verifyInclusion({ ...inclusion, root: flip(inclusion.root) })).toBe(false);
      expect(verifyConsistency({ ...consistency, oldRoot: flip(consistency.oldRoot) })).toBe(false);
      expect(verifyConsistency({ ...consistency, newRoot: flip(consistency.newRoot) })).toBe(false);
    }), { numRuns: 500 });
  });

  it('of nonsense are false or refused', () => {
    const { read, root } = treeOf(entries);
    const leaf = leafHash(entries[0]);
    for (const [index, size] of [[-1, 8], [8, 8], [0, 0], [0.5, 8], [0, NaN]]) expect(verifyInclusion({ leaf, index, size, root: root(), proof: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 8, oldRoot: root(8), newSize: 7, newRoot: root(7), proof: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 0, oldRoot: root(1), newSize: 8, newRoot: root(), proof: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 0, oldRoot: root(0), newSize: 0, newRoot: root(1), proof: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 4, oldRoot: root(4), newSize: 8, newRoot: root(), proof: [] })).toBe(false);
    expect(() => inclusionProof(read, 8, 8)).toThrow('expected one below 8');
    expect(() => consistencyProof(read, 9, 8)).toThrow('expected at most 8');
  });
});
