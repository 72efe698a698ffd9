import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from '../../shared/ledger/merkle-proofs.ts';
import { createMerkleTree, leafHash, rangeHash, type MerkleTree } from '../../shared/ledger/merkle-tree.ts';
import { bundlesOf, decodeBundle, encodeBundle, parseTilePath, subtreesFromTiles, tileContents, tilePath, tileWidth, widthAt, type TileAddress } from '../../shared/ledger/tiles.ts';

const entryOf = (i: number): Uint8Array => new TextEncoder().encode(`entry ${i}`);

function treeOf(size: number): MerkleTree {
  const tree = createMerkleTree();
  for (let i = 0; i < size; i += 1) tree.append(leafHash(entryOf(i)));
  return tree;
}

describe('paths of tiles', () => {
  it('are those of the specification', () => {
    expect(tilePath({ level: 0, index: 1234067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 1, index: 0, width: 17 })).toBe('tile/1/000.p/17');
    expect(tilePath({ level: 'entries', index: 1000, width: 255 })).toBe('tile/entries/x001/000.p/255');
  });

  it('are read back as they were written, and nothing else is', () => {
    fc.assert(fc.property(fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const)), fc.nat({ max: 2 ** 40 }), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
      expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ level, index, width });
    }));
    for (const path of ['', 'tile/0', 'tile/0/0', 'tile/00/000', 'tile/64/000', 'tile/-1/000', 'tile/0/x000/001', 'tile/0/001/002', 'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/07', 'tile/0/000/', '/tile/0/000', 'tile/0/000\n', 'tile/entries/../000', `tile/0/${'x999/'.repeat(6)}999`]) {
      expect([path, parseTilePath(path)]).toEqual([path, null]);
    }
  });
});

describe('widths of tiles', () => {
  it('are those of the example with 70,000 entries', () => {
    const at = (level: number, index: number): number => widthAt({ level, index }, 70_000);
    expect([at(0, 272), at(0, 273), at(0, 274)]).toEqual([256, 112, 0]);
    expect([at(1, 0), at(1, 1), at(1, 2)]).toEqual([256, 17, 0]);
    expect([at(2, 0), at(3, 0)]).toEqual([1, 0]);
    expect([widthAt({ level: 0, index: 0 }, 256), widthAt({ level: 1, index: 0 }, 256)]).toEqual([256, 1]);
  });

  it('list the bundles of a log', () => {
    expect(bundlesOf(0)).toEqual([]);
    expect(bundlesOf(256).map(tilePath)).toEqual(['tile/entries/000']);
    expect(bundlesOf(300).map(tilePath)).toEqual(['tile/entries/000', 'tile/entries/001.p/44']);
  });
});

describe('tiles', () => {
  const size = 66_000;
  const tree = treeOf(size);
  const fetched: string[] = [];
  const tileAt = (address: TileAddress): Uint8Array => {
    fetched.push(tilePath(address));
    if (address.level === 'entries') throw new Error('no bundle is asked for');
    return tileContents(tree.read, { ...address, level: address.level });
  };

  it('are 32 bytes for each hash', () => {
    expect(tileContents(tree.read, { level: 0, index: 1, width: tileWidth })).toHaveLength(8_192);
    expect(tileContents(tree.read, { level: 2, index: 0, width: 1 })).toEqual(tree.read(16, 0));
  });

  it('yield the root and every proof of the tree', () => {
    for (const small of [1, 2, 255, 256, 257, 511, 513, 1000, 65_535, 65_536, 65_537, size]) {
      const read = subtreesFromTiles(small, tileAt);
      const root = rangeHash(read, 0, small);
      expect(root).toEqual(tree.root(small));
      for (const index of [0, Math.floor(small / 2), small - 1]) {
        expect(verifyInclusion({ leaf: leafHash(entryOf(index)), index, size: small, root, proof: inclusionProof(read, index, small) })).toBe(true);
      }
      const all = subtreesFromTiles(size, tileAt);
      expect(verifyConsistency({ oldSize: small, oldRoot: root, newSize: size, newRoot: tree.root(), proof: consistencyProof(all, small, size) })).toBe(true);
    }
  });

  it('need few files for a root', () => {
    fetched.length = 0;
    rangeHash(subtreesFromTiles(size, tileAt), 0, size);
    expect(new Set(fetched)).toEqual(new Set(['tile/2/000.p/1', 'tile/1/001.p/1', 'tile/0/257.p/208']));
  });

  it('of another length are refused', () => {
    expect(() => subtreesFromTiles(10, () => new Uint8Array(31))(0, 0)).toThrow('tile/0/000.p/10: expected 320 bytes, got 31');
  });
});

describe('entry bundles', () => {
  it('give back the entries they were made of', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 256 }), (entries) => {
      const bytes = encodeBundle(entries);
      expect(decodeBundle(bytes, entries.length)).toEqual(entries);
      expect(() => decodeBundle(bytes, entries.length + 1)).toThrow('expected');
      if (entries.length > 0) {
        expect(() => decodeBundle(bytes, entries.length - 1)).toThrow('expected');
        expect(() => decodeBundle(bytes.slice(0, -1), entries.length)).toThrow('expected');
      }
    }));
  });

  it('put a big-endian length before each entry', () => {
    expect([...encodeBundle([new Uint8Array(258).fill(7), Uint8Array.of(9)])].slice(0, 3)).toEqual([1, 2, 7]);
    expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow('at most 65535');
  });
});
