/**
 * The public record of a coordinator: what it did, in an order that it cannot change afterwards. An entry counts once
 * it is durable and below a signed head. The tree is kept in memory, about 64 bytes an entry; entries are read from
 * the storage. It shows what was said, and when in the order of things; it cannot show what was never said.
 */
import { logKey, logOrigin, openCheckpoint, signCheckpoint } from '../../shared/ledger/checkpoint.ts';
import { makeEvidence, type Evidence } from '../../shared/ledger/evidence.ts';
import { decodeEntry, encodeEntry, isProven, type LogEntry, type LogEntryOf } from '../../shared/ledger/log-entries.ts';
import { inclusionProof } from '../../shared/ledger/merkle-proofs.ts';
import { createMerkleTree, isSameHash, leafHash, type MerkleTree } from '../../shared/ledger/merkle-tree.ts';
import { createReplay, type Replay } from '../../shared/ledger/replay.ts';
import { formatNote, type NoteKey } from '../../shared/ledger/signed-note.ts';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import { encodeBundle, tileContents, tileWidth, widthAt, type TileAddress } from '../../shared/ledger/tiles.ts';
import { bytesToHex } from '../../shared/protocol/digest.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { LogAppend, Storage } from '../storage/storage.ts';
import { createHeads, noteOf, type Head, type Heads } from './heads.ts';

/** Bytes that a node's key signed, and the signature in hex. */
export interface Statement {
  readonly statement: Uint8Array;
  readonly signature: string;
}

/** What an entry may depend on: everything before it. */
export type RecordBefore = Pick<Replay, 'rdpOf' | 'roundOf' | 'versionsOf' | 'nodeState' | 'totals'>;

/** Makes entries of the public record durable, with what belongs to them. */
export type Commit = (log: LogAppend) => Promise<void>;

export interface PublicRecord {
  /** Entries below the current head. */
  readonly size: number;
  /**
   * Appends an entry, or the one that follows from what the record says so far.
   * @returns its position, when it is durable and below a signed head.
   * @throws CestaError `log.inconsistent` for an entry that contradicts the record, `storage.failed`
   */
  append(entry: LogEntry | ((before: RecordBefore) => LogEntry)): Promise<number>;
  /**
   * Appends entries below one head, in one commit with what they are about: all of it, or none.
   * @param commit has to make them durable; it must not append anything itself
   * @returns the position of the first.
   * @throws CestaError as `append`, and whatever `commit` throws
   */
  appendWith(entries: (before: RecordBefore) => readonly LogEntry[], commit: Commit): Promise<number>;
  /**
   * Records that a node signed two different statements where it may sign one. Once for a node and round.
   * @returns the position of the entry.
   * @throws CestaError `secagg.invalid` unless both are different and signed by the node.
   */
  equivocation(node: string, round: string, first: Statement, second: Statement): Promise<number>;
  /** The current head as a signed note, with the cosignatures there are. */
  checkpoint(): string;
  /** That an entry is in the record: below the newest head with `quorum` cosignatures, else below the current one. */
  evidence(position: number, quorum?: number): Evidence;
  /** A tile, or a bundle of entries; null for one that the record does not have. */
  read(address: TileAddress): Promise<Uint8Array | null>;
  /** See {@link Heads.cosign}. Resolves when the cosignature is durable. */
  cosign(note: string): Promise<Head>;
  /** Hears every cosignature that is new. Returns what stops it. */
  onCosigned(listener: () => void): () => void;
  /** Whether an entry is below a head with `quorum` cosignatures. */
  isCosigned(position: number, quorum: number): boolean;
  readonly before: RecordBefore;
  /** After an append that failed, what `before` says may be more than is durable: reads it again, if so. */
  refresh(): Promise<void>;
}

export interface PublicRecordOptions {
  readonly storage: Pick<Storage, 'logSize' | 'appendLog' | 'logEntries' | 'setting' | 'putSetting'>;
  readonly key: SigningKey;
  /** Those whose cosignatures are taken. */
  readonly witnesses?: readonly NoteKey[];
}

/** What follows from the entries. */
interface Books {
  readonly tree: MerkleTree;
  readonly replay: Replay;
  /** Positions of equivocations by node and round. */
  readonly equivocations: Map<string, number>;
}

interface State {
  readonly options: PublicRecordOptions;
  readonly heads: Heads;
  books: Books;
  /** An append failed half-way: what the storage has is read again before the next. */
  isStale: boolean;
}

const headSetting = 'log-head';
const cosignedSetting = 'log-cosigned';
const pageSize = 1_024;

/**
 * Reads the record of a storage, and signs its head.
 * @throws CestaError `storage.failed` for entries that are damaged, contradict one another, or are not those whose head
 * was published.
 */
export async function openPublicRecord(options: PublicRecordOptions): Promise<PublicRecord> {
  const { storage, key, witnesses = [] } = options;
  const books = await readBooks(options);
  const { tree } = books;
  const state: State = { options, heads: createHeads(key, witnesses, { size: tree.size, root: tree.root() }), books, isStale: false };
  await storage.putSetting(headSetting, formatNote(state.heads.current.note));
  await restoreCosignatures(state);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    get size() {
      return state.heads.current.size;
    },
    get before() {
      return state.books.replay;
    },
    refresh: () => inTurn(() => refresh(state)),
    append: (entry) => inTurn(() => append(state, (before) => [typeof entry === 'function' ? entry(before) : entry])),
    appendWith: (entries, commit) => inTurn(() => append(state, entries, commit)),
    async equivocation(node, round, first, second) {
      const entry = await provenEquivocation(node, round, first, second);
      return inTurn(async () => state.books.equivocations.get(accusation(entry)) ?? append(state, () => [entry]));
    },
    checkpoint: () => noteOf(state.heads.current),
    evidence: (position, quorum = 0) => evidenceOf(state, position, quorum),
    read: (address) => readTile(state, address),
    async cosign(note) {
      const head = await state.heads.cosign(note);
      // The newest is worth keeping: an older one is served to nobody after a restart.
      if (head.size === state.heads.current.size) await storage.putSetting(cosignedSetting, noteOf(state.heads.current));
      return head;
    },
    onCosigned: (listener) => state.heads.onCosigned(listener),
    isCosigned: (position, quorum) => state.heads.cosigned(position, quorum) !== null,
  };
}

async function readBooks({ storage, key }: PublicRecordOptions): Promise<Books> {
  const books: Books = { tree: createMerkleTree(), replay: createReplay(null), equivocations: new Map() };
  const size = await storage.logSize();
  while (books.tree.size < size) {
    const entries = await storage.logEntries({ from: books.tree.size, limit: pageSize });
    if (entries.length === 0) throw new CestaError('storage.failed', `public record: expected ${size} entries, got ${books.tree.size}`);
    for (const bytes of entries) readEntry(books, bytes);
  }
  const published = await storage.setting(headSetting);
  if (published === null) return books;
  const head = await openCheckpoint(published, [logKey(key.publicKey)], logOrigin(key.publicKey)).catch((cause: unknown) => {
    throw new CestaError('storage.failed', `public record: ${toCestaError(cause).message}`, { cause });
  });
  // Going on from other entries would be the fork that witnesses are there to find.
  if (head.size > size || !isSameHash(books.tree.root(head.size), head.root)) {
    throw new CestaError('storage.failed', `public record: expected the ${head.size} entries of root ${bytesToHex(head.root)}, which were published, got ${size} others; restore the data folder`);
  }
  return books;
}

function readEntry(books: Books, bytes: Uint8Array): void {
  try {
    take(books, decodeEntry(bytes), bytes);
  } catch (cause) {
    throw new CestaError('storage.failed', `public record: entry ${books.tree.size}: ${toCestaError(cause).message}`, { cause });
  }
}

function take({ tree, replay, equivocations }: Books, entry: LogEntry, bytes: Uint8Array): void {
  replay.add(entry);
  if (entry.type === 'equivocation') equivocations.set(accusation(entry), tree.size);
  tree.append(leafHash(bytes));
}

async function refresh(state: State): Promise<void> {
  if (!state.isStale) return;
  state.books = await readBooks(state.options);
  state.isStale = false;
}

async function append(state: State, make: (before: RecordBefore) => readonly LogEntry[], commit: Commit = (log) => state.options.storage.appendLog(log)): Promise<number> {
  await refresh(state);
  const { books, heads } = state;
  const position = books.tree.size;
  const entries = make(books.replay).map(encodeEntry);
  for (const bytes of entries) {
    // Read back like everybody will: what no reader accepts must not become durable.
    const entry = decodeEntry(bytes);
    // First, since it may refuse the entry; what it has taken in is forgotten should anything fail from here on.
    take(books, entry, bytes);
    state.isStale = true;
  }
  const head = { size: books.tree.size, root: books.tree.root() };
  await commit({ position, entries, settings: { [headSetting]: signCheckpoint(head, state.options.key) } });
  heads.add(head);
  state.isStale = false;
  return position;
}

function evidenceOf({ heads, books }: State, position: number, quorum: number): Evidence {
  const head = (quorum === 0 ? null : heads.cosigned(position, quorum)) ?? heads.current;
  return makeEvidence(noteOf(head), position, inclusionProof(books.tree.read, position, head.size));
}

async function readTile({ heads, books, options }: State, address: TileAddress): Promise<Uint8Array | null> {
  const { level, index, width } = address;
  if (width > widthAt(address, heads.current.size)) return null;
  if (level !== 'entries') return tileContents(books.tree.read, { level, index, width });
  return encodeBundle(await options.storage.logEntries({ from: index * tileWidth, limit: width }));
}

/** A restart changes no head: what witnesses signed before it still counts, of witnesses that are still named. */
async function restoreCosignatures({ heads, options: { storage, witnesses = [] } }: State): Promise<void> {
  const kept = await storage.setting(cosignedSetting);
  if (kept === null || witnesses.length === 0) return;
  await heads.cosign(kept).catch(() => undefined);
}

function accusation({ node, round }: LogEntryOf<'equivocation'>): string {
  return `${node} ${round}`;
}

async function provenEquivocation(node: string, round: string, first: Statement, second: Statement): Promise<LogEntryOf<'equivocation'>> {
  const signed = ({ statement, signature }: Statement): LogEntryOf<'equivocation'>['first'] => ({ statement: bytesToHex(statement), signature });
  const entry: LogEntryOf<'equivocation'> = { type: 'equivocation', node, round, first: signed(first), second: signed(second) };
  if (!(await isProven(entry))) throw new CestaError('secagg.invalid', `equivocation of ${node}: expected two different statements that it signed`);
  return entry;
}
