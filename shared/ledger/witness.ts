/**
 * A witness: remembers the largest head it saw of a log and signs a larger one only if it begins with that, after
 * C2SP tlog-witness. Pure: whoever runs it writes the new state down before the cosignature leaves, and handles one
 * request at a time; otherwise two requests could each be consistent with the same old state and not with each other.
 */
import { bytesToHex, hexToBytes } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { openCheckpoint } from './checkpoint.ts';
import { verifyConsistency } from './merkle-proofs.ts';
import { emptyRoot, hashBytes, type Hash } from './merkle-tree.ts';
import { cosignNote, formatSignature, type NoteKey } from './signed-note.ts';
import type { SigningKey } from './signing-key.ts';

/** What a witness keeps of one log. Plain JSON. */
export interface WitnessState {
  readonly origin: string;
  readonly size: number;
  /** Hex. */
  readonly root: string;
}

export interface WitnessIdentity {
  readonly name: string;
  readonly key: SigningKey;
  /** Keys that may sign the log. */
  readonly logKeys: readonly NoteKey[];
}

export interface AddCheckpoint {
  /** Size of the head that the proof starts from. */
  readonly oldSize: number;
  readonly proof: readonly Hash[];
  /** The signed note. */
  readonly checkpoint: string;
}

/** Proof lines that a request may have: enough for 2^63 entries. */
const maxProofLines = 63;

export function openWitness(origin: string): WitnessState {
  return { origin, size: 0, root: bytesToHex(emptyRoot) };
}

/**
 * Checks a new head against the last one.
 * @param time POSIX seconds
 * @returns the new state, to be stored first, and the signature line for the checkpoint.
 * @throws CestaError `protocol.malformed`; `log.untrusted` when the log did not sign; `protocol.out-of-order` when the
 * proof starts elsewhere than at the head that is known (its size is in the message); `log.inconsistent` when the new
 * head does not begin with the old one. The state stays as it was.
 */
export async function addCheckpoint(
  state: WitnessState,
  { oldSize, proof, checkpoint }: AddCheckpoint,
  { name, key, logKeys }: WitnessIdentity,
  time: number,
): Promise<readonly [WitnessState, string]> {
  const { size, root, note } = await openCheckpoint(checkpoint, logKeys.filter(({ kind }) => kind === 'log'), state.origin);
  if (oldSize > size) throw new CestaError('protocol.malformed', `old: expected at most the size ${size} of the checkpoint, got ${oldSize}`);
  if (oldSize !== state.size) throw new CestaError('protocol.out-of-order', `old: expected ${state.size}, the size seen last, got ${oldSize}`);
  requireConsistency(state, { size, root }, proof);
  const cosignature = cosignNote(note.text, name, key, time);
  return [{ origin: state.origin, size, root: bytesToHex(root) }, formatSignature(cosignature)];
}

/** @throws CestaError `log.inconsistent` unless the proof shows that the log with the new head begins with the known one. */
export function requireConsistency(known: WitnessState, { size, root }: { readonly size: number; readonly root: Hash }, proof: readonly Hash[]): void {
  const claim = { oldSize: known.size, oldRoot: Uint8Array.from(hexToBytes(known.root)), newSize: size, newRoot: root, proof };
  if (verifyConsistency(claim)) return;
  throw new CestaError('log.inconsistent', `log: expected a head that begins with the ${known.size} entries of root ${known.root}, got ${size} entries of root ${bytesToHex(root)}: history was rewritten, or the proof is wrong`);
}

/** The body of an add-checkpoint request. */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join('')}\n${checkpoint}`;
}

/** Reads the body of an add-checkpoint request. The checkpoint itself is read where it is checked. @throws CestaError `protocol.malformed` */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const gap = body.indexOf('\n\n');
  const [old = '', ...lines] = gap < 0 ? [] : body.slice(0, gap).split('\n');
  const match = /^old (0|[1-9]\d{0,15})$/.exec(old);
  const proof = lines.map(decodeBase64).filter((hash) => hash?.length === hashBytes) as Hash[];
  if (match === null || !Number.isSafeInteger(Number(match[1])) || proof.length !== lines.length || lines.length > maxProofLines) {
    throw new CestaError('protocol.malformed', `add-checkpoint: expected an old size, at most ${maxProofLines} hashes, an empty line and a checkpoint`);
  }
  return { oldSize: Number(match[1]), proof, checkpoint: body.slice(gap + 2) };
}
