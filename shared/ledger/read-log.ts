/** Reads a log from its first entry to its signed head, and finds the first thing in it that cannot be. */
import { bytesToHex } from '../protocol/digest.ts';
import { CestaError, toCestaError } from '../protocol/errors.ts';
import type { VerifiedCheckpoint } from './checkpoint.ts';
import { decodeEntry, isProven, type LogEntry } from './log-entries.ts';
import { createMerkleTree, isSameHash, leafHash, type Hash, type MerkleTree } from './merkle-tree.ts';
import { planRules } from './plan-rules.ts';
import { createReplay, type Replay } from './replay.ts';
import { decodeBundle, tilePath, tileWidth, widthAt, type TileAddress } from './tiles.ts';

/** Fetches a tile from whoever serves the log. */
export type TileSource = (address: TileAddress) => Promise<Uint8Array>;

/** Something that is not as it should be. */
export interface Finding {
  /** Of the entry in the log; null for what is not about one. */
  readonly index: number | null;
  readonly reason: string;
}

export interface ReadLog {
  readonly replay: Replay;
  /** The first entry that contradicts what came before it, or the head. */
  readonly finding: Finding | null;
}

/**
 * @throws whatever the source does when entries cannot be had
 */
export async function readLog(tileAt: TileSource, head: VerifiedCheckpoint): Promise<ReadLog> {
  const tree = createMerkleTree();
  const replay = createReplay(planRules);
  let finding: Finding | null = null;
  // Bundle by bundle, and not a list of all: the size is what the log says of itself.
  for (let index = 0; tree.size < head.size; index += 1) {
    const address: TileAddress = { level: 'entries', index, width: widthAt({ level: 'entries', index }, head.size) };
    for (const leaf of decodeBundle(await tileAt(address), address.width)) {
      finding ??= await objectionTo(replay, leaf, tree.size);
      tree.append(leafHash(leaf));
    }
  }
  if (isSameHash(tree.root(), head.root)) return { replay, finding };
  // What was read is not what was signed, so what it says is nobody's word.
  return { replay, finding: await changedEntry(tileAt, head, tree) };
}

async function objectionTo(replay: Replay, leaf: Uint8Array, index: number): Promise<Finding | null> {
  try {
    const entry = decodeEntry(leaf);
    await requireProof(entry);
    replay.add(entry);
    return null;
  } catch (thrown) {
    return { index, reason: toCestaError(thrown).message };
  }
}

async function requireProof(entry: LogEntry): Promise<void> {
  if (entry.type !== 'equivocation' || (await isProven(entry))) return;
  throw new CestaError('log.inconsistent', `equivocation of ${entry.node}: expected two statements that it signed, got others`);
}

/** The first entry whose hash is not the one in the tiles: where the tiles are those of the head, it was changed. */
async function changedEntry(tileAt: TileSource, head: VerifiedCheckpoint, tree: MerkleTree): Promise<Finding> {
  const reason = `head: expected the root ${bytesToHex(tree.root())} of the ${head.size} entries that are served, got a signature over ${bytesToHex(head.root)}`;
  try {
    const tiled = createMerkleTree();
    for (let index = 0; tiled.size < head.size; index += 1) {
      const address: TileAddress = { level: 0, index, width: widthAt({ level: 0, index }, head.size) };
      for (const hash of hashesOf(await tileAt(address), address)) tiled.append(hash);
    }
    const index = Array.from({ length: head.size }, (_, i) => i).find((i) => !isSameHash(tree.read(0, i), tiled.read(0, i)));
    if (index !== undefined && isSameHash(tiled.root(), head.root)) return { index, reason: `entry: expected the hash ${bytesToHex(tiled.read(0, index))} that was signed, got another entry` };
  } catch {
    // The tiles do not help; the head tells enough.
  }
  return { index: null, reason };
}

function hashesOf(bytes: Uint8Array, address: TileAddress): Hash[] {
  if (bytes.length !== address.width * 32 || address.width > tileWidth) throw new CestaError('protocol.malformed', `${tilePath(address)}: expected ${address.width * 32} bytes, got ${bytes.length}`);
  return Array.from({ length: address.width }, (_, i) => bytes.slice(32 * i, 32 * (i + 1)));
}
