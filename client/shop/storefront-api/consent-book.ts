/**
 * The consents of a shop: who agreed to what on which notice, and who withdrew. Sealed on disk before anybody is told, in
 * memory to be asked. A secret is kept as its digest: 256 random bits, which nobody finds by trying.
 *
 * What counts is the latest statement of a principal. A principal is 128 random bits that only the device and its shop know:
 * whoever has it speaks for the device, so it is in no log and in no public document.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import type { Degree } from '../../../shared/commerce/consent.ts';
import { consentRecordSchema, type ConsentRecord } from '../../../shared/commerce/consent-receipt.ts';
import { sha256Hex } from '../../../shared/protocol/digest.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { openSealedLog } from './sealed-log.ts';

export const consentsFileName = 'consents.sealed';

const entrySchema = z.strictObject({
  record: consentRecordSchema,
  secretDigest: z.string().regex(/^[0-9a-f]{64}$/),
  /** The shop's own name for the shopper, if its backend said so. */
  shopperId: z.string().nullable(),
});
type Entry = Readonly<z.infer<typeof entrySchema>>;

export interface NewConsent {
  readonly record: ConsentRecord;
  readonly shopperId: string | null;
  /** The record that this one takes the place of. */
  readonly replaces: string | null;
}

export interface ConsentBook {
  /** Durable when it returns. @throws CestaError `consent.unknown` for a record to replace that is another principal's */
  give(consent: NewConsent): { readonly secret: string };
  /** The record with the withdrawal in it; as it is, when it was withdrawn before. @throws CestaError `consent.unknown` */
  withdraw(recordId: string, secret: string, time: string): ConsentRecord;
  /** Whose secret it is. @throws CestaError `consent.unknown` */
  principalOf(secret: string): string;
  recordsOf(principal: string): ConsentRecord[];
  /** Everything about the principal, from the disk, too. */
  erase(principal: string): void;
  /** 0 without a consent in force. */
  degreeOf(principal: string): Degree;
  /** Of a principal, or of a shop's own name for a shopper; null for somebody who never said anything. */
  find(shopper: string): { readonly principal: string; readonly degree: Degree; readonly shopperId: string | null } | null;
  readonly principals: Iterable<string>;
  close(): void;
}

export function secretDigest(secret: string): string {
  return sha256Hex(new TextEncoder().encode(secret));
}

/** @throws CestaError `storage.failed` */
export function openConsentBook(folder: string, key: Uint8Array): ConsentBook {
  const path = join(folder, consentsFileName);
  const { log, records } = openSealedLog(path, key);
  const index = createIndex();
  for (const [number, bytes] of records.entries()) index.put(parseEntry(path, number, bytes));

  function keep(entries: readonly Entry[]): void {
    log.append(entries.map(encodeEntry));
    for (const entry of entries) index.put(entry);
  }

  return {
    give({ record, shopperId, replaces }) {
      const replaced = replaces === null ? null : (index.byId.get(replaces) ?? null);
      // One that is gone needs no withdrawal.
      if (replaced !== null && replaced.record.principal !== record.principal) throw unknownConsent('replaces');
      const secret = randomBytes(32).toString('hex');
      const time = record.events[0].time;
      keep([...(replaced === null ? [] : [withdrawn(replaced, time)]), { record, secretDigest: secretDigest(secret), shopperId: shopperId ?? index.latest(record.principal)?.shopperId ?? null }]);
      return { secret };
    },
    withdraw(recordId, secret, time) {
      const entry = index.byId.get(recordId);
      if (entry === undefined || entry.secretDigest !== secretDigest(secret)) throw unknownConsent('id');
      const next = withdrawn(entry, time);
      if (next !== entry) keep([next]);
      return next.record;
    },
    principalOf(secret) {
      const entry = index.bySecret.get(secretDigest(secret));
      if (entry === undefined) throw unknownConsent('secret');
      return entry.record.principal;
    },
    recordsOf: (principal) => index.entriesOf(principal).map(({ record }) => record),
    erase(principal) {
      index.remove(principal);
      log.rewrite([...index.byId.values()].map(encodeEntry));
    },
    degreeOf: (principal) => degreeOf(index.latest(principal)),
    find(shopper) {
      const entry = index.latest(shopper) ?? index.byShopper(shopper);
      return entry === null ? null : { principal: entry.record.principal, degree: degreeOf(entry), shopperId: entry.shopperId };
    },
    get principals() {
      return index.principals();
    },
    close: () => log.close(),
  };
}

function unknownConsent(field: string): CestaError {
  return new CestaError('consent.unknown', `${field}: expected a consent of this shopper, got none`);
}

function isWithdrawn({ record }: Entry): boolean {
  return record.events.at(-1)?.kind === 'withdrawn';
}

function withdrawn(entry: Entry, time: string): Entry {
  return isWithdrawn(entry) ? entry : { ...entry, record: { ...entry.record, events: [...entry.record.events, { kind: 'withdrawn', degree: 0, time }] } };
}

function degreeOf(entry: Entry | null): Degree {
  return entry === null || isWithdrawn(entry) ? 0 : entry.record.degree;
}

function encodeEntry(entry: Entry): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(entry));
}

function parseEntry(path: string, number: number, bytes: Uint8Array): Entry {
  try {
    return entrySchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new CestaError('storage.failed', `${path}: expected record ${number + 1} to be a consent, got other data; it is of another version`, { cause });
  }
}

interface Index {
  /** In the order in which they were given. */
  readonly byId: ReadonlyMap<string, Entry>;
  readonly bySecret: ReadonlyMap<string, Entry>;
  /** A later entry of one id takes the place of the earlier. */
  put(entry: Entry): void;
  remove(principal: string): void;
  entriesOf(principal: string): Entry[];
  latest(principal: string): Entry | null;
  byShopper(shopperId: string): Entry | null;
  principals(): Iterable<string>;
}

function createIndex(): Index {
  const byId = new Map<string, Entry>();
  const bySecret = new Map<string, Entry>();
  const idsOf = new Map<string, Set<string>>();
  /** The principal that last had the shop's own name. */
  const ownNames = new Map<string, string>();
  const entriesOf = (principal: string): Entry[] => [...(idsOf.get(principal) ?? [])].map((id) => byId.get(id)).filter((entry) => entry !== undefined);
  const latest = (principal: string): Entry | null => entriesOf(principal).at(-1) ?? null;
  return {
    byId, bySecret, entriesOf, latest,
    put(entry) {
      const { record_id: id, principal } = entry.record;
      byId.set(id, entry);
      bySecret.set(entry.secretDigest, entry);
      const ids = idsOf.get(principal) ?? new Set();
      idsOf.set(principal, ids.add(id));
      if (entry.shopperId !== null) ownNames.set(entry.shopperId, principal);
    },
    remove(principal) {
      for (const entry of entriesOf(principal)) {
        byId.delete(entry.record.record_id);
        bySecret.delete(entry.secretDigest);
        if (entry.shopperId !== null && ownNames.get(entry.shopperId) === principal) ownNames.delete(entry.shopperId);
      }
      idsOf.delete(principal);
    },
    byShopper(shopperId) {
      const principal = ownNames.get(shopperId);
      return principal === undefined ? null : latest(principal);
    },
    principals: () => idsOf.keys(),
  };
}
