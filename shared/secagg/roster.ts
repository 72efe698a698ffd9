/**
 * The roster of a round and the session it opens. The session id hashes the terms and the Merkle root (RFC 6962) of
 * the roster; every later key, box and signature is bound to it, so members with different rosters share nothing.
 */
import { createMerkleTree, leafHash } from '../ledger/merkle-tree.ts';
import { hexToBytes } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import { concatenated, invalid, recordOf, requireLength, sameBytes } from './bytes.ts';
import { diffieHellman, type SecaggCrypto } from './crypto.ts';
import { graphParameters } from './graph.ts';
import { labelledHash, statement } from './labels.ts';
import type { MessageOf } from './messages.ts';
import { termsHash, type Terms } from './terms.ts';

/** Long-term Ed25519 keys (hex) of the shops that may take part, as this side knows them. */
export type Directory = ReadonlyMap<string, string>;

export interface RosterEntry {
  readonly id: string;
  /** X25519 key that shares are sealed to. */
  readonly cipherKey: Uint8Array;
  /** X25519 key that pairwise masks come from. */
  readonly maskKey: Uint8Array;
  readonly nonceHash: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Roster {
  readonly entries: readonly RosterEntry[];
  readonly root: Uint8Array;
  readonly sessionId: Uint8Array;
  /** The coordinator's signature, kept as evidence. */
  readonly signature: Uint8Array;
}

const recordBytes = 160;

/** Room for the signature and the names and lengths of fields. */
const frameOverheadBytes = 512;

/** Any scalar exposes a point of low order. */
const probe = new Uint8Array(32).fill(0x55);

export function advertiseStatement(terms: Terms, entry: Omit<RosterEntry, 'signature'>): Uint8Array {
  return statement('r0', termsHash(terms), entry.id, entry.cipherKey, entry.maskKey, entry.nonceHash);
}

export function rosterStatement(terms: Terms, root: Uint8Array): Uint8Array {
  return statement('roster', termsHash(terms), root);
}

/** @throws CestaError `secagg.invalid` for an unknown shop, a signature that does not verify or a key of low order. */
export async function verifyEntry(crypto: SecaggCrypto, terms: Terms, directory: Directory, entry: RosterEntry): Promise<void> {
  const publicKey = directory.get(entry.id);
  if (publicKey === undefined) throw invalid('id', 'a shop of the directory', entry.id);
  if (!(await crypto.verify(hexToBytes(publicKey), entry.signature, advertiseStatement(terms, entry)))) throw invalid(`signature of ${entry.id}`, 'one over these terms and keys by its long-term key', 'another');
}

/** @throws CestaError `secagg.invalid` where a key fixes every secret made with it. */
export async function requireFullOrder(crypto: SecaggCrypto, entry: RosterEntry): Promise<void> {
  for (const publicKey of [entry.cipherKey, entry.maskKey]) {
    if ((await diffieHellman(crypto, probe, publicKey)) === null) throw invalid(`key of ${entry.id}`, 'a point of full order', 'one of low order');
  }
}

/** A roster of verified entries in the order of their ids, which leaves the coordinator no choice. */
export function rosterOf(terms: Terms, entries: readonly RosterEntry[], sign: (statement: Uint8Array) => Uint8Array): Roster {
  const sorted = [...entries].sort((a, b) => (a.id < b.id ? -1 : 1));
  const root = rootOf(sorted);
  return { entries: sorted, root, sessionId: sessionIdOf(terms, root), signature: sign(rosterStatement(terms, root)) };
}

export function rosterMessage({ entries, signature }: Roster): MessageOf<'roster'> {
  const records = concatenated(entries.flatMap((entry) => [entry.cipherKey, entry.maskKey, entry.nonceHash, entry.signature]));
  return { kind: 'roster', ids: entries.map(({ id }) => id), records, signature };
}

/** Bytes of a frame with the roster of these members, at most. */
export function rosterFrameBytes(ids: readonly string[]): number {
  return frameOverheadBytes + new TextEncoder().encode(JSON.stringify(ids)).length + ids.length * recordBytes;
}

/**
 * The roster in a message, with every check a participant makes before it trusts it.
 * @throws CestaError `secagg.invalid`, or `secagg.too-few` for a roster below the minimum of the terms.
 */
export async function readRoster(crypto: SecaggCrypto, terms: Terms, directory: Directory, message: MessageOf<'roster'>): Promise<Roster> {
  const roster = await readSigned(crypto, terms, message);
  const { entries } = roster;
  requireDistinct(entries);
  for (const entry of entries) await verifyEntry(crypto, terms, directory, entry);
  requireEnough(terms, entries.length);
  return roster;
}

/** What the coordinator signed as the roster, nothing in it checked. @throws CestaError `secagg.invalid` */
export async function readSigned(crypto: SecaggCrypto, terms: Terms, message: MessageOf<'roster'>): Promise<Roster> {
  const entries = unpackEntries(message);
  const root = rootOf(entries);
  if (!(await crypto.verify(hexToBytes(terms.coordinatorKey), message.signature, rosterStatement(terms, root)))) throw invalid('roster', 'the signature of the coordinator', 'another');
  return { entries, root, sessionId: sessionIdOf(terms, root), signature: message.signature };
}

/** @throws CestaError `secagg.too-few` */
export function requireEnough(terms: Terms, participants: number): void {
  if (participants < terms.minParticipants) throw new CestaError('secagg.too-few', `roster: expected at least ${terms.minParticipants} participants, got ${participants}`);
  graphParameters(terms, participants);
}

/** A participant with another's keys would share its secrets; the same key twice gives two parties one mask. */
export function requireDistinct(entries: readonly RosterEntry[]): void {
  entries.forEach(({ id }, i) => {
    if (i > 0 && !(entries[i - 1].id < id)) throw invalid('roster', 'distinct ids in rising order', id);
  });
  const keys = entries.flatMap(({ cipherKey, maskKey }) => [cipherKey, maskKey]);
  if (keys.some(isUnreduced)) throw invalid('roster', 'keys of 255 bits', 'one of 256');
  if (new Set(keys.map((key) => key.join())).size !== keys.length) throw invalid('roster', 'distinct keys', 'one that is used twice');
}

/** The same of one entry beside others that passed. @throws CestaError `secagg.invalid` */
export function requireNewKeys(others: Iterable<RosterEntry>, { cipherKey, maskKey }: RosterEntry): void {
  if (isUnreduced(cipherKey) || isUnreduced(maskKey)) throw invalid('keys', 'keys of 255 bits', 'one of 256');
  if (sameBytes(cipherKey, maskKey)) throw invalid('keys', 'distinct keys', 'one that is used twice');
  for (const other of others) {
    if ([other.cipherKey, other.maskKey].some((known) => sameBytes(known, cipherKey) || sameBytes(known, maskKey))) throw invalid('keys', 'distinct keys', 'one that another uses');
  }
}

/** X25519 ignores the highest bit: with it set, another's key would pass for a different one. */
function isUnreduced(key: Uint8Array): boolean {
  return key[31] > 127;
}

function unpackEntries({ ids, records }: MessageOf<'roster'>): RosterEntry[] {
  requireLength('records', records, ids.length * recordBytes);
  return ids.map((id, i) => {
    const record = recordOf(records, i, recordBytes);
    return { id, cipherKey: record.slice(0, 32), maskKey: record.slice(32, 64), nonceHash: record.slice(64, 96), signature: record.slice(96) };
  });
}

function sessionIdOf(terms: Terms, root: Uint8Array): Uint8Array {
  return labelledHash('session', termsHash(terms), root);
}

/** Without the signature: its signer could make several for one set of keys. */
function leafOf({ id, cipherKey, maskKey, nonceHash }: RosterEntry): Uint8Array {
  return leafHash(statement('member', id, cipherKey, maskKey, nonceHash));
}

/** The root of the tree of all entries, in the order given. */
export function rootOf(entries: readonly RosterEntry[]): Uint8Array {
  const tree = createMerkleTree();
  for (const entry of entries) tree.append(leafOf(entry));
  return tree.root();
}
