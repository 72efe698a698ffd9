/**
 * The Merkle tree of RFC 6962, section 2.1 (unchanged in RFC 9162), over SHA-256: a leaf is hashed behind 0x00 and a
 * node behind 0x01, so that neither can pass for the other. Trees are as wide as a safe integer counts, hence no
 * bit operators here. It proves what was recorded and in which order, not that what was recorded is true.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { CestaError } from '../protocol/errors.ts';

/** 32 bytes. */
export type Hash = Uint8Array;

export const hashBytes = 32;

/** MTH({}): SHA-256 of nothing. */
export const emptyRoot: Hash = sha256(new Uint8Array(0));

/** MTH({d}) = SHA-256(0x00 || d). */
export function leafHash(entry: Uint8Array): Hash {
  return sha256.create().update(Uint8Array.of(0)).update(entry).digest();
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  return sha256.create().update(Uint8Array.of(1)).update(left).update(right).digest();
}

export function isSameHash(a: Hash, b: Hash): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The size of a tree, checked. @throws CestaError `protocol.malformed` */
export function requireTreeSize(field: string, size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw new CestaError('protocol.malformed', `${field}: expected an integer from 0, got ${size}`);
  return size;
}

/** A complete subtree: the hash over the entries [index 2^level, (index + 1) 2^level). */
export interface Subtree {
  readonly level: number;
  readonly index: number;
  readonly hash: Hash;
}

/**
 * What is needed to grow a tree: its complete subtrees from the left, largest first. One for every 1 in the binary
 * form of the size.
 */
export interface RightEdge {
  readonly size: number;
  readonly subtrees: readonly Subtree[];
}

export const emptyEdge: RightEdge = { size: 0, subtrees: [] };

/**
 * Appends one leaf in O(log n): equal neighbours merge, as a carry does.
 * @returns the new edge, and the subtrees that became complete, from the leaf upwards.
 */
export function extendEdge({ size, subtrees }: RightEdge, leaf: Hash): readonly [RightEdge, readonly Subtree[]] {
  const remaining = [...subtrees];
  let last: Subtree = { level: 0, index: size, hash: leaf };
  const completed = [last];
  for (let left = remaining.at(-1); left?.level === last.level; left = remaining.at(-1)) {
    remaining.pop();
    last = { level: last.level + 1, index: (last.index - 1) / 2, hash: nodeHash(left.hash, last.hash) };
    completed.push(last);
  }
  return [{ size: size + 1, subtrees: [...remaining, last] }, completed];
}

/** MTH of the tree with this edge. */
export function edgeRoot({ subtrees }: RightEdge): Hash {
  const last = subtrees.at(-1);
  if (last === undefined) return emptyRoot;
  return subtrees.slice(0, -1).reduceRight((right, { hash }) => nodeHash(hash, right), last.hash);
}

/** Where hashes come from: a tree in memory, or tiles. Asked for complete subtrees only. */
export type SubtreeReader = (level: number, index: number) => Hash;

/**
 * MTH(D[start:end]) where `start` is a multiple of the smallest power of two that is not less than `end - start`: the
 * ranges that roots and proofs are made of. Complete subtrees are read, the ragged right side is hashed from them.
 */
export function rangeHash(read: SubtreeReader, start: number, end: number): Hash {
  const width = end - start;
  if (width === 0) return emptyRoot;
  let level = 0;
  while (2 ** (level + 1) <= width) level += 1;
  const left = 2 ** level;
  if (left === width) return read(level, start / width);
  return nodeHash(read(level, start / left), rangeHash(read, start + left, end));
}

/** A tree that keeps the hash of every complete subtree: about 2 n hashes for n leaves, enough for any proof. */
export interface MerkleTree {
  readonly size: number;
  readonly edge: RightEdge;
  append(leaf: Hash): void;
  /** @throws CestaError `internal` for a subtree that is not complete. */
  readonly read: SubtreeReader;
  /** Root of the first `size` leaves; of all of them by default. */
  readonly root: (size?: number) => Hash;
}

/**
 * @example
 * const tree = createMerkleTree();
 * tree.append(leafHash(new TextEncoder().encode('first')));
 * tree.root();
 */
export function createMerkleTree(): MerkleTree {
  const levels: Hash[][] = [];
  let edge = emptyEdge;
  const read: SubtreeReader = (level, index) => {
    const hash = levels[level]?.[index];
    if (hash === undefined) throw new CestaError('internal', `tree: expected a complete subtree in ${edge.size} leaves, got level ${level}, index ${index}`);
    return hash;
  };
  return {
    get size() {
      return edge.size;
    },
    get edge() {
      return edge;
    },
    append(leaf) {
      const [next, completed] = extendEdge(edge, leaf);
      for (const { level, hash } of completed) (levels[level] ??= []).push(hash);
      edge = next;
    },
    read,
    root: (size = edge.size) => rangeHash(read, 0, size),
  };
}
