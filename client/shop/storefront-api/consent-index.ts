/**
 * Consents in memory: by id, by secret, by principal, and by the shop's own names for shoppers. A name is that of every
 * principal whose latest consent has it. An objection is what is left of an erased name, and outweighs what was agreed to before it.
 */
import type { ConsentRecord } from '../../../shared/commerce/consent-receipt.ts';

export interface ConsentEntry {
  readonly record: ConsentRecord;
  readonly secretDigest: string;
  /** The shop's own name for the shopper, if its backend said so. */
  readonly shopperId: string | null;
}

/** Keyed digest of a name. */
export interface Objection {
  readonly objection: string;
}

export interface ConsentIndex {
  readonly byId: ReadonlyMap<string, ConsentEntry>;
  readonly bySecret: ReadonlyMap<string, ConsentEntry>;
  /** A later entry of one id takes the place of the earlier, and keeps its turn. */
  put(entry: ConsentEntry): void;
  object(objection: string): void;
  remove(principal: string): void;
  entriesOf(principal: string): ConsentEntry[];
  latest(principal: string): ConsentEntry | null;
  /** Latest entries of all principals that have the name now. */
  named(shopperId: string): ConsentEntry[];
  /** What was last said under the name on devices that are another's now. */
  formerly(shopperId: string): ConsentEntry[];
  /** Whether the objection came after all of these entries. */
  isObjected(objection: string, entries: readonly ConsentEntry[]): boolean;
  principals(): Iterable<string>;
  /** Of one principal. */
  recordCount(principal: string): number;
  /** Records are what `inOrder` has. */
  readonly size: { readonly principals: number; readonly records: number };
  /** Without this principal, in the order in which they came: what a file has to hold. */
  inOrder(without: string | null): (ConsentEntry | Objection)[];
}

export function createConsentIndex(): ConsentIndex {
  const byId = new Map<string, ConsentEntry>();
  const bySecret = new Map<string, ConsentEntry>();
  const idsOf = new Map<string, Set<string>>();
  const principalsOf = new Map<string, Set<string>>();
  /** Turns of record ids and of objections, in one count. */
  const turns = new Map<string, number>();
  const objections = new Map<string, number>();
  let turn = 0;

  const entriesOf = (principal: string): ConsentEntry[] => [...(idsOf.get(principal) ?? [])].map((id) => byId.get(id)).filter((entry) => entry !== undefined);
  const latest = (principal: string): ConsentEntry | null => entriesOf(principal).at(-1) ?? null;
  const turnOf = ({ record }: ConsentEntry): number => turns.get(record.record_id) ?? 0;

  /** The last entry of each principal under the name, by whether it is their latest of all. */
  function under(shopperId: string, isLatest: boolean): ConsentEntry[] {
    return [...(principalsOf.get(shopperId) ?? [])].flatMap((principal) => {
      const entries = entriesOf(principal);
      const own = entries.filter((entry) => entry.shopperId === shopperId).at(-1);
      return own === undefined || (own === entries.at(-1)) !== isLatest ? [] : [own];
    });
  }

  return {
    byId, bySecret, entriesOf, latest,
    put(entry) {
      const { record_id: id, principal } = entry.record;
      byId.set(id, entry);
      bySecret.set(entry.secretDigest, entry);
      if (!turns.has(id)) turns.set(id, (turn += 1));
      idsOf.set(principal, (idsOf.get(principal) ?? new Set()).add(id));
      const { shopperId } = entry;
      if (shopperId !== null) principalsOf.set(shopperId, (principalsOf.get(shopperId) ?? new Set()).add(principal));
    },
    object: (objection) => void objections.set(objection, (turn += 1)),
    remove(principal) {
      for (const { record, secretDigest, shopperId } of entriesOf(principal)) {
        byId.delete(record.record_id);
        turns.delete(record.record_id);
        bySecret.delete(secretDigest);
        if (shopperId === null) continue;
        const principals = principalsOf.get(shopperId);
        principals?.delete(principal);
        if (principals?.size === 0) principalsOf.delete(shopperId);
      }
      idsOf.delete(principal);
    },
    named: (shopperId) => under(shopperId, true),
    formerly: (shopperId) => under(shopperId, false),
    isObjected(objection, entries) {
      const objectedAt = objections.get(objection);
      return objectedAt !== undefined && entries.every((entry) => turnOf(entry) < objectedAt);
    },
    principals: () => idsOf.keys(),
    recordCount: (principal) => idsOf.get(principal)?.size ?? 0,
    get size() {
      return { principals: idsOf.size, records: byId.size + objections.size };
    },
    inOrder(without) {
      const kept = [...byId.values()].filter(({ record }) => record.principal !== without).map((entry) => ({ at: turnOf(entry), value: entry }));
      const objected = [...objections].map(([objection, at]) => ({ at, value: { objection } }));
      return [...kept, ...objected].sort((a, b) => a.at - b.at).map(({ value }) => value);
    },
  };
}
