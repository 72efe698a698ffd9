/**
 * Proofs about a Merkle tree: that an entry is in it, and that a larger tree begins with a smaller one. Made after
 * RFC 6962, section 2.1, and checked by the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2.
 */
import { CestaError } from '../protocol/errors.ts';
import { emptyRoot, isSameHash, nodeHash, rangeHash, requireTreeSize, type Hash, type SubtreeReader } from './merkle-tree.ts';

/** The largest power of two below `size`, for a size above 1. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/**
 * PATH(index, D[0:size]): the hashes that lead from an entry to the root, lowest first.
 * @throws CestaError `protocol.malformed` unless 0 <= index < size.
 */
export function inclusionProof(read: SubtreeReader, index: number, size: number): Hash[] {
  requireTreeSize('size', size);
  if (requireTreeSize('index', index) >= size) throw new CestaError('protocol.malformed', `index: expected one below ${size}, got ${index}`);
  const path = (start: number, end: number): Hash[] => {
    if (end - start === 1) return [];
    const middle = start + splitOf(end - start);
    return index < middle
      ? [...path(start, middle), rangeHash(read, middle, end)]
      : [...path(middle, end), rangeHash(read, start, middle)];
  };
  return path(0, size);
}

/**
 * PROOF(oldSize, D[0:newSize]): that the first `oldSize` entries are what they were. Empty for equal sizes and for an
 * empty old tree.
 * @throws CestaError `protocol.malformed` unless 0 <= oldSize <= newSize.
 */
export function consistencyProof(read: SubtreeReader, oldSize: number, newSize: number): Hash[] {
  requireTreeSize('newSize', newSize);
  if (requireTreeSize('oldSize', oldSize) > newSize) throw new CestaError('protocol.malformed', `oldSize: expected at most ${newSize}, got ${oldSize}`);
  const subproof = (start: number, end: number, isWhole: boolean): Hash[] => {
    // A subtree that is the whole old tree is known to whoever asks.
    if (oldSize === end) return isWhole ? [] : [rangeHash(read, start, end)];
    const middle = start + splitOf(end - start);
    return oldSize <= middle
      ? [...subproof(start, middle, isWhole), rangeHash(read, middle, end)]
      : [...subproof(middle, end, false), rangeHash(read, start, middle)];
  };
  return oldSize === 0 ? [] : subproof(0, newSize, true);
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

export interface InclusionClaim {
  /** Hash of the entry: see `leafHash`. */
  readonly leaf: Hash;
  readonly index: number;
  readonly size: number;
  readonly root: Hash;
  readonly proof: readonly Hash[];
}

/** Whether the proof shows the entry at `index` in the tree of `size` entries with `root`. Nonsense is false. */
export function verifyInclusion({ leaf, index, size, root, proof }: InclusionClaim): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && isSameHash(hash, root);
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Hash;
  readonly newSize: number;
  readonly newRoot: Hash;
  readonly proof: readonly Hash[];
}

/** Whether the proof shows that the new tree begins with the old one. Nonsense is false. */
export function verifyConsistency({ oldSize, oldRoot, newSize, newRoot, proof }: ConsistencyClaim): boolean {
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(newSize) || oldSize < 0 || oldSize > newSize) return false;
  // Nothing can be proved of an empty tree, but that it is empty.
  if (oldSize === 0) return proof.length === 0 && isSameHash(oldRoot, emptyRoot) && (newSize > 0 || isSameHash(newRoot, emptyRoot));
  if (oldSize === newSize) return proof.length === 0 && isSameHash(oldRoot, newRoot);
  // A power of two is one complete subtree: its hash is the old root, and the proof leaves it out.
  const path = oldSize === 1 || splitOf(oldSize) * 2 === oldSize ? [oldRoot, ...proof] : proof;
  if (proof.length === 0) return false;
  let node = oldSize - 1;
  let last = newSize - 1;
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  let oldHash = path[0];
  let newHash = path[0];
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && isSameHash(oldHash, oldRoot) && isSameHash(newHash, newRoot);
}
