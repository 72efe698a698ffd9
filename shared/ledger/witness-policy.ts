/** Whose word is needed for a head of the public record; what it is worth is checked by evidence.ts. */
import type { NoteKey } from './signed-note.ts';

/** How many of which witnesses must have signed a head before it is relied on. */
export interface WitnessPolicy {
  readonly witnesses: readonly NoteKey[];
  readonly quorum: number;
}

export const noWitnesses: WitnessPolicy = { witnesses: [], quorum: 0 };
