/**
 * The recent heads of the public record and who else signed them. A witness may be a few appends behind, so its
 * signature counts for the head it is over. Only witnesses whom the operator named are heard.
 */
import { checkpointText, logOrigin, signCheckpoint, type Checkpoint } from '../../shared/ledger/checkpoint.ts';
import { formatNote, noteKeyId, parseNote, verifyNote, type NoteKey, type NoteSignature, type SignedNote } from '../../shared/ledger/signed-note.ts';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface Head {
  readonly size: number;
  readonly note: SignedNote;
  /** By the name of the witness. */
  readonly cosignatures: ReadonlyMap<string, NoteSignature>;
}

export interface Heads {
  /** The newest. */
  readonly current: Head;
  add(head: Omit<Checkpoint, 'origin'>): Head;
  /** The newest head above `size` with at least `quorum` cosignatures, or null. */
  cosigned(size: number, quorum: number): Head | null;
  /**
   * Takes in the signatures of known witnesses on a note.
   * @throws CestaError `protocol.malformed`; `protocol.out-of-order` for a head that is not a recent one; `log.untrusted`
   * without a signature of a known witness, or with a false one.
   */
  cosign(note: string): Promise<Head>;
  /** Hears every cosignature that is new. Returns what stops it. */
  onCosigned(listener: () => void): () => void;
}

/** Heads that may still be cosigned. */
const recentHeads = 64;

/** The note as it is served. */
export function noteOf({ note, cosignatures }: Head): string {
  return formatNote({ text: note.text, signatures: [...note.signatures, ...cosignatures.values()] });
}

export function createHeads(key: SigningKey, witnesses: readonly NoteKey[], first: Omit<Checkpoint, 'origin'>): Heads {
  const recent = new Map<string, Head>();
  const listeners = new Set<() => void>();
  const add = ({ size, root }: Omit<Checkpoint, 'origin'>): Head => {
    const text = checkpointText({ origin: logOrigin(key.publicKey), size, root });
    const known = recent.get(text);
    if (known !== undefined) return known;
    const head: Head = { size, note: parseNote(signCheckpoint({ size, root }, key)), cosignatures: new Map() };
    recent.set(text, head);
    const [oldest] = recent.keys();
    if (recent.size > recentHeads) recent.delete(oldest);
    return head;
  };
  let current = add(first);
  return {
    get current() {
      // A cosignature makes another object of the same head.
      return recent.get(current.note.text) ?? current;
    },
    add: (head) => (current = add(head)),
    cosigned: (size, quorum) => [...recent.values()].reverse().find((head) => head.size > size && head.cosignatures.size >= quorum) ?? null,
    async cosign(value) {
      const note = parseNote(value);
      if (!recent.has(note.text)) throw new CestaError('protocol.out-of-order', `checkpoint: expected one of the last ${recentHeads} of this record, got ${JSON.stringify(note.text.slice(0, 160))}; fetch it again`);
      if (witnesses.length === 0) throw new CestaError('log.untrusted', 'witness: expected one whom the operator named, and none is named');
      const verified = new Map((await verifyNote(note, witnesses)).map((signature) => [signature.key.name, noteKeyId(signature.key)]));
      const head = recent.get(note.text);
      if (head === undefined) throw new CestaError('protocol.out-of-order', 'checkpoint: expected a recent one, got one that was superseded meanwhile; fetch it again');
      const cosignatures = new Map(head.cosignatures);
      for (const signature of note.signatures) if (verified.get(signature.name) === signature.keyId) cosignatures.set(signature.name, signature);
      const next: Head = { ...head, cosignatures };
      recent.set(note.text, next);
      for (const listener of [...listeners]) listener();
      return next;
    },
    onCosigned(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
