/**
 * The head of a log as a signed note, after C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint): origin, size and
 * root. Whoever signs two that no consistency proof joins has rewritten history, and the two are the evidence.
 */
import { CestaError } from '../protocol/errors.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { hashBytes, requireTreeSize, type Hash } from './merkle-tree.ts';
import { formatNote, parseNote, requireKeyName, signNote, verifyNote, type NoteKey, type SignedNote, type VerifiedSignature } from './signed-note.ts';
import type { SigningKey } from './signing-key.ts';

export interface Checkpoint {
  /** Which log. */
  readonly origin: string;
  /** Entries. */
  readonly size: number;
  readonly root: Hash;
}

/** The log of a coordinator: bound to its key, whatever address it is served from. Also the name it signs under. */
export function logOrigin(publicKey: string): string {
  return `cesta/ledger/${publicKey}`;
}

/** The key that signs the log of a coordinator. */
export function logKey(publicKey: string): NoteKey {
  return { name: logOrigin(publicKey), publicKey, kind: 'log' };
}

/** The text of a checkpoint, as it is signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${requireTreeSize('size', size)}\n${encodeBase64(root)}\n`;
}

/**
 * A checkpoint with the log's signature.
 * @example
 * const note = signCheckpoint({ size: tree.size, root: tree.root() }, key);
 */
export function signCheckpoint({ size, root }: Omit<Checkpoint, 'origin'>, key: SigningKey): string {
  const origin = requireKeyName(logOrigin(key.publicKey));
  const text = checkpointText({ origin, size, root });
  return formatNote({ text, signatures: [signNote(text, origin, key)] });
}

/** Reads the text of a note as a checkpoint; extension lines are allowed and ignored. @throws CestaError `protocol.malformed` */
export function parseCheckpointText(text: string): Checkpoint {
  const [origin, sizeLine = '', rootLine = '', ...extensions] = text.slice(0, -1).split('\n');
  const size = /^(0|[1-9]\d{0,15})$/.test(sizeLine) ? Number(sizeLine) : NaN;
  const root = decodeBase64(rootLine);
  if (origin === '' || !Number.isSafeInteger(size) || root?.length !== hashBytes || extensions.includes('')) {
    throw new CestaError('protocol.malformed', 'checkpoint: expected an origin, a size and a root of 32 bytes, a line each');
  }
  return { origin, size, root };
}

export interface VerifiedCheckpoint extends Checkpoint {
  readonly note: SignedNote;
  readonly signatures: readonly VerifiedSignature[];
}

/**
 * Reads a checkpoint from outside and checks its signatures.
 * @param keys the log's, and those of witnesses whose cosignatures are to be counted
 * @param origin the log that is meant
 * @throws CestaError `protocol.malformed`; `log.untrusted` for another origin, no signature by the key of the log (the
 * one named like the origin), or a false one.
 */
export async function openCheckpoint(value: unknown, keys: readonly NoteKey[], origin: string): Promise<VerifiedCheckpoint> {
  const note = parseNote(value);
  const checkpoint = parseCheckpointText(note.text);
  if (checkpoint.origin !== origin) throw new CestaError('log.untrusted', `checkpoint: expected the log ${origin}, got ${checkpoint.origin}`);
  const signatures = await verifyNote(note, keys);
  if (!signatures.some(({ key }) => key.kind === 'log')) throw new CestaError('log.untrusted', `checkpoint: expected a signature of the log ${origin}, got witnesses only`);
  return { ...checkpoint, note, signatures };
}
