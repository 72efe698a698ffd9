/**
 * Following a log from head to head: a larger one must begin with the one seen before, which is computed from tiles
 * that the log itself serves. Tiles need no trust: a false one makes no proof.
 */
import * as z from 'zod';
import { bytesToHex } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import type { Awaitable } from '../secagg/crypto.ts';
import type { VerifiedCheckpoint } from './checkpoint.ts';
import { consistencyProof } from './merkle-proofs.ts';
import { hashBytes, type Hash, type SubtreeReader } from './merkle-tree.ts';
import { formatNote } from './signed-note.ts';
import { subtreesFromTiles, tilePath, type TileAddress } from './tiles.ts';
import { requireConsistency, type WitnessState } from './witness.ts';

/** A head that was checked, with the note that proves who signed it. Plain JSON. */
export interface SeenHead extends WitnessState {
  readonly checkpoint: string;
}

/** A head as it was kept. */
export const seenHeadSchema = z.strictObject({
  origin: z.string(),
  size: z.number().int().nonnegative(),
  root: z.string().regex(/^[0-9a-f]{64}$/),
  checkpoint: z.string(),
});

/** Where heads are kept between runs. */
export interface HeadMemory {
  /** The largest head seen of a log, or null before the first. */
  read(origin: string): Awaitable<SeenHead | null>;
  /** The head is safe on disk when it returns, or resolves. */
  write(head: SeenHead): Awaitable<void>;
  /** Keeps two notes that contradict each other: together they prove what the log did. */
  keepConflict(known: SeenHead, offered: string): Awaitable<void>;
}

export type ReadTile = (address: TileAddress) => Promise<Uint8Array>;

/** Computes over subtrees of a tree with `size` entries, whose tiles are fetched first. `compute` may not look at hashes. */
async function overTiles<T>(size: number, readTile: ReadTile, compute: (read: SubtreeReader) => T): Promise<T> {
  const wanted = new Map<string, TileAddress>();
  // Which subtrees are needed depends on sizes alone: a first pass over blanks names their tiles.
  compute(subtreesFromTiles(size, (address) => {
    wanted.set(tilePath(address), address);
    return new Uint8Array(address.width * hashBytes);
  }));
  const tiles = new Map<string, Uint8Array>();
  for (const [path, address] of wanted) tiles.set(path, await readTile(address));
  return compute(subtreesFromTiles(size, (address) => tiles.get(tilePath(address)) ?? new Uint8Array(0)));
}

/** The proof that the first `oldSize` of `newSize` entries are what they were, computed from tiles. */
export async function consistencyFromTiles(oldSize: number, newSize: number, readTile: ReadTile): Promise<Hash[]> {
  if (oldSize === 0 || oldSize === newSize) return [];
  return overTiles(newSize, readTile, (read) => consistencyProof(read, oldSize, newSize));
}

export function seenHead({ origin, size, root, note }: VerifiedCheckpoint): SeenHead {
  return { origin, size, root: bytesToHex(root), checkpoint: formatNote(note) };
}

/**
 * Whether a head may follow the one that is remembered, and remembers it. The first one is trusted as it is.
 * @throws CestaError `log.inconsistent` for a smaller head or one that does not begin with the known one: both notes are
 * then kept; whatever `readTile` throws.
 */
export async function followHead(memory: HeadMemory, head: VerifiedCheckpoint, readTile: ReadTile): Promise<void> {
  const known = await memory.read(head.origin);
  if (known !== null) {
    await requireSuccessor(known, head, readTile).catch(async (error: unknown) => {
      if (error instanceof CestaError && error.code === 'log.inconsistent') await memory.keepConflict(known, formatNote(head.note));
      throw error;
    });
  }
  if (known === null || head.size > known.size) await memory.write(seenHead(head));
}

/** @returns the consistency proof. @throws CestaError `log.inconsistent` */
export async function requireSuccessor(known: WitnessState, head: VerifiedCheckpoint, readTile: ReadTile): Promise<readonly Hash[]> {
  if (head.size < known.size) {
    throw new CestaError('log.inconsistent', `log: expected at least the ${known.size} entries that were seen before, got a head of ${head.size}: the log was rolled back, or an old head is served`);
  }
  const proof = await consistencyFromTiles(known.size, head.size, readTile);
  requireConsistency(known, head, proof);
  return proof;
}
