/**
 * The tree as static files, after C2SP tlog-tiles (https://c2sp.org/tlog-tiles): tiles of 256 hashes that cover eight
 * levels of the tree each, and bundles of 256 entries. A client fetches the few it needs and computes any proof. Files
 * are no more trustworthy than who serves them: check what is computed against the root of a signed checkpoint.
 */
import { CestaError } from '../protocol/errors.ts';
import { hashBytes, nodeHash, type Hash, type SubtreeReader } from './merkle-tree.ts';

/** Hashes in a full tile, entries in a full bundle. */
export const tileWidth = 256;
/** Levels of the tree in a tile: 2^8 hashes. */
const tileHeight = 8;
const maxLevel = 63;
/** An entry's length is a 16-bit number. */
export const maxEntryBytes = 65_535;

/** `level` is that of a tile of hashes, or `entries` for a bundle. `width` is 256 for a full one. */
export interface TileAddress {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/**
 * The path below the log's prefix.
 * @example
 * tilePath({ level: 0, index: 1234067, width: 256 }); // 'tile/0/x001/x234/067'
 * tilePath({ level: 'entries', index: 0, width: 12 }); // 'tile/entries/000.p/12'
 */
export function tilePath({ level, index, width }: TileAddress): string {
  const groups: string[] = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) groups.unshift(String(rest % 1000).padStart(3, '0'));
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** Reads a path; null for anything that {@link tilePath} would not write. */
export function parseTilePath(path: string): TileAddress | null {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (match === null) return null;
  const level = match[1] === 'entries' ? 'entries' : Number(match[1]);
  const index = Number(match[2].replaceAll(/[x/]/g, ''));
  const width = (match[3] as string | undefined) === undefined ? tileWidth : Number(match[3]);
  if ((level !== 'entries' && level > maxLevel) || !Number.isSafeInteger(index) || width > tileWidth) return null;
  const address: TileAddress = { level, index, width };
  return tilePath(address) === path ? address : null;
}

/** How many hashes, or entries, the tile has in a tree of `size` entries: 0 to 256. */
export function widthAt({ level, index }: Pick<TileAddress, 'level' | 'index'>, size: number): number {
  const hashes = Math.floor(size / tileWidth ** (level === 'entries' ? 0 : level));
  return Math.max(0, Math.min(tileWidth, hashes - index * tileWidth));
}

/** The bundles that hold the first `size` entries, in order; the last may be partial. */
export function bundlesOf(size: number): TileAddress[] {
  return Array.from({ length: Math.ceil(size / tileWidth) }, (_, index) => ({ level: 'entries', index, width: widthAt({ level: 'entries', index }, size) }));
}

/** Contents of a tile of hashes: `width` times 32 bytes. */
export function tileContents(read: SubtreeReader, { level, index, width }: TileAddress & { readonly level: number }): Uint8Array {
  const bytes = new Uint8Array(width * hashBytes);
  for (let i = 0; i < width; i += 1) bytes.set(read(level * tileHeight, index * tileWidth + i), i * hashBytes);
  return bytes;
}

/**
 * Reads subtrees out of the tiles of a tree with `size` entries, for roots and proofs of that tree and smaller ones.
 * @param tileAt bytes of a tile, which is full unless a tree of that size has it partial
 * @throws CestaError `protocol.malformed` for a tile of another length.
 */
export function subtreesFromTiles(size: number, tileAt: (address: TileAddress) => Uint8Array): SubtreeReader {
  return (level, index) => {
    const tileLevel = Math.floor(level / tileHeight);
    // Inside a tile the subtree is `count` neighbouring hashes.
    const count = 2 ** (level % tileHeight);
    const first = index * count;
    const position = { level: tileLevel, index: Math.floor(first / tileWidth) };
    const address: TileAddress = { ...position, width: widthAt(position, size) };
    const bytes = tileAt(address);
    if (bytes.length !== address.width * hashBytes) {
      throw new CestaError('protocol.malformed', `${tilePath(address)}: expected ${address.width * hashBytes} bytes, got ${bytes.length}`);
    }
    const hashAt = (i: number): Hash => bytes.slice(i * hashBytes, (i + 1) * hashBytes);
    const merge = (start: number, width: number): Hash => (width === 1 ? hashAt(start) : nodeHash(merge(start, width / 2), merge(start + width / 2, width / 2)));
    return merge(first % tileWidth, count);
  };
}

/**
 * Entries behind their lengths as big-endian 16-bit numbers.
 * @throws CestaError `protocol.too-large` for an entry beyond 65,535 bytes.
 */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const entry of entries) {
    if (entry.length > maxEntryBytes) throw new CestaError('protocol.too-large', `entry: expected at most ${maxEntryBytes} bytes, got ${entry.length}`);
    view.setUint16(offset, entry.length);
    bytes.set(entry, offset + 2);
    offset += 2 + entry.length;
  }
  return bytes;
}

/** The entries of a bundle of `width`. @throws CestaError `protocol.malformed` unless the bytes are exactly that. */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset + 2 <= bytes.length && entries.length < width) {
    const end = offset + 2 + view.getUint16(offset);
    if (end > bytes.length) break;
    entries.push(bytes.slice(offset + 2, end));
    offset = end;
  }
  if (entries.length !== width || offset !== bytes.length) {
    throw new CestaError('protocol.malformed', `bundle: expected ${width} entries in ${bytes.length} bytes, got ${entries.length} in ${offset}`);
  }
  return entries;
}
