/**
 * The consents of a shop: who agreed to what on which notice, and who withdrew. Sealed on disk before anybody is told, in
 * memory to be asked. A secret is kept as its digest: 256 random bits, which nobody finds by trying.
 *
 * What counts is the latest statement of a principal, and for a shop's own name the lowest of those of all principals that have
 * the name now: who withdraws on one device withdraws for the name. A principal is 128 random bits that only the device and its shop know:
 * whoever has it speaks for the device, so it is in no log and in no public document.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import type { Degree } from '../../../shared/commerce/consent.ts';
import { consentRecordSchema, type ConsentRecord } from '../../../shared/commerce/consent-receipt.ts';
import { sha256Hex } from '../../../shared/protocol/digest.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { createConsentIndex, type ConsentEntry, type ConsentIndex, type Objection } from './consent-index.ts';
import { openSealedLog } from './sealed-log.ts';

export const consentsFileName = 'consents.sealed';

const entrySchema = z.strictObject({
  record: consentRecordSchema,
  secretDigest: z.string().regex(/^[0-9a-f]{64}$/),
  /** The shop's own name for the shopper, if its backend said so. */
  shopperId: z.string().nullable(),
});

/** What is left of an erased shopper whom the shop knows by name: that the shop's files are not to be used for them, either. */
const objectionSchema = z.strictObject({ objection: z.string().regex(/^[0-9a-f]{64}$/) });

export interface NewConsent {
  readonly record: ConsentRecord;
  readonly shopperId: string | null;
  /** The record that this one takes the place of. */
  readonly replaces: string | null;
}

/** Who shares a choice: one device, or all devices that the shop knows by one name. */
export interface Consenting {
  /** Of the lowest degree. */
  readonly principal: string;
  /** All of them. */
  readonly principals: readonly string[];
  readonly degree: Degree;
  readonly shopperId: string | null;
}

export interface ConsentBook {
  /**
   * Durable when it returns. A principal that the shop names as another shopper than before is that shopper's from then on.
   * @param onRenamed hears of it before it is so: nothing that is stored of the one may be left for the other
   * @throws CestaError `consent.unknown` for a record to replace that is another principal's, `limit.capacity`
   */
  give(consent: NewConsent, onRenamed?: (principal: string) => void): { readonly secret: string };
  /** The record with the withdrawal in it; as it is, when it was withdrawn before. @throws CestaError `consent.unknown` */
  withdraw(recordId: string, secret: string, time: string): ConsentRecord;
  /** Whose secret it is. @throws CestaError `consent.unknown` */
  principalOf(secret: string): string;
  recordsOf(principal: string): ConsentRecord[];
  /** Everything about the principal, from the disk, too; but see `objects`. */
  erase(principal: string): void;
  /**
   * Whether the shop's files are not to be used for this name, which nobody has now: who had it was erased, which is kept as a
   * keyed digest, or last said less than degree 3 on a device that is another's now.
   */
  objects(shopperId: string): boolean;
  /** 0 without a consent in force. */
  degreeOf(principal: string): Degree;
  /** Of a principal, or of a shop's own name for a shopper; null for somebody who never said anything. */
  find(shopper: string): Consenting | null;
  /** Takes from the disk what later records took the place of. @throws CestaError `storage.failed` */
  compact(): void;
  readonly principals: Iterable<string>;
  /** Each principal in one of them. */
  readonly people: Iterable<Consenting>;
  close(): void;
}

/** Of one principal, those withdrawn included: nobody changes their mind more often. */
const recordsAtMost = 1_000;

/** Anybody can make principals; a withdrawal needs no room. */
function requireRoom(index: ConsentIndex, principal: string, principalsAtMost: number): void {
  const records = index.recordCount(principal);
  if (records === 0 && index.size.principals >= principalsAtMost) throw new CestaError('limit.capacity', `consents: expected at most ${principalsAtMost} shoppers with a consent on record, got one more`);
  if (records >= recordsAtMost) throw new CestaError('limit.capacity', `consents: expected at most ${recordsAtMost} of one shopper, got one more`);
}

export function secretDigest(secret: string): string {
  return sha256Hex(new TextEncoder().encode(secret));
}

/** @throws CestaError `storage.failed` */
export function openConsentBook(folder: string, key: Uint8Array, { principalsAtMost = 200_000 }: { readonly principalsAtMost?: number } = {}): ConsentBook {
  const path = join(folder, consentsFileName);
  const { log, records } = openSealedLog(path, key);
  const index = createConsentIndex();
  for (const [number, bytes] of records.entries()) take(index, parseKept(path, number, bytes));
  compact();
  const digestOf = (shopperId: string): string => objectionDigest(key, shopperId);
  const { ofPrincipal, ofName, people } = createPeople(index, digestOf);

  function compact(): void {
    if (log.count > index.size.records) log.rewrite(index.inOrder(null).map(encode));
  }

  function keep(entries: readonly ConsentEntry[]): void {
    log.append(entries.map(encode));
    for (const entry of entries) index.put(entry);
  }

  return {
    compact,
    give({ record, shopperId, replaces }, onRenamed = () => undefined) {
      const replaced = replacedBy(index, record, replaces);
      requireRoom(index, record.principal, principalsAtMost);
      const secret = randomBytes(32).toString('hex');
      const known = index.latest(record.principal)?.shopperId ?? null;
      if (known !== null && shopperId !== null && known !== shopperId) onRenamed(record.principal);
      keep([...(replaced === null ? [] : [withdrawn(replaced, record.events[0].time)]), { record, secretDigest: secretDigest(secret), shopperId: shopperId ?? known }]);
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
      const objections = namesGoneWith(index, principal).map(digestOf);
      // Should the disk refuse, who asked is known still, and may ask again.
      log.rewrite([...index.inOrder(principal), ...objections.map((objection) => ({ objection }))].map(encode));
      index.remove(principal);
      objections.forEach((objection) => index.object(objection));
    },
    objects: (shopperId) => index.isObjected(digestOf(shopperId), index.formerly(shopperId)) || index.formerly(shopperId).some((entry) => degreeOf(entry) < 3),
    degreeOf: (principal) => degreeOf(index.latest(principal)),
    find(shopper) {
      const own = index.latest(shopper);
      return own === null ? ofName(shopper) : ofPrincipal(own);
    },
    get principals() {
      return index.principals();
    },
    get people() {
      return people();
    },
    close: () => log.close(),
  };
}

/** Keyed: the names of those who were erased cannot be tried out without the key. */
function objectionDigest(key: Uint8Array, shopperId: string): string {
  return createHmac('sha256', key).update(`cesta/objection/v1 ${shopperId}`).digest('hex');
}

function createPeople(index: ConsentIndex, digestOf: (shopperId: string) => string) {
  function ofPrincipal(entry: ConsentEntry): Consenting {
    const { record: { principal }, shopperId } = entry;
    return { principal, principals: [principal], degree: degreeOf(entry), shopperId };
  }

  function ofName(shopperId: string): Consenting | null {
    const entries = index.named(shopperId).sort((a, b) => degreeOf(a) - degreeOf(b));
    if (entries.length === 0) return null;
    const principals = entries.map(({ record }) => record.principal);
    return { principal: principals[0], principals, degree: index.isObjected(digestOf(shopperId), entries) ? 0 : degreeOf(entries[0]), shopperId };
  }

  function* people(): Iterable<Consenting> {
    const names = new Set<string>();
    for (const principal of index.principals()) {
      const entry = index.latest(principal);
      if (entry === null) continue;
      const { shopperId } = entry;
      if (shopperId !== null && names.has(shopperId)) continue;
      if (shopperId !== null) names.add(shopperId);
      yield (shopperId === null ? null : ofName(shopperId)) ?? ofPrincipal(entry);
    }
  }

  return { ofPrincipal, ofName, people };
}

/** Names that the principal has, and those it had that nobody else has: what was said under them goes with it. */
function namesGoneWith(index: ConsentIndex, principal: string): string[] {
  const names = new Set(index.entriesOf(principal).map(({ shopperId }) => shopperId).filter((name) => name !== null));
  return [...names].filter((name) => index.latest(principal)?.shopperId === name || index.named(name).length === 0);
}

function take(index: ConsentIndex, kept: Kept): void {
  if ('objection' in kept) index.object(kept.objection);
  else index.put(kept);
}

/** Null where there is none: one that is gone needs no withdrawal. @throws CestaError `consent.unknown` */
function replacedBy(index: ConsentIndex, { principal }: ConsentRecord, replaces: string | null): ConsentEntry | null {
  const replaced = replaces === null ? null : (index.byId.get(replaces) ?? null);
  if (replaced !== null && replaced.record.principal !== principal) throw unknownConsent('replaces');
  return replaced;
}

function unknownConsent(field: string): CestaError {
  return new CestaError('consent.unknown', `${field}: expected a consent of this shopper, got none`);
}

function isWithdrawn({ record }: ConsentEntry): boolean {
  return record.events.at(-1)?.kind === 'withdrawn';
}

function withdrawn(entry: ConsentEntry, time: string): ConsentEntry {
  return isWithdrawn(entry) ? entry : { ...entry, record: { ...entry.record, events: [...entry.record.events, { kind: 'withdrawn', degree: 0, time }] } };
}

function degreeOf(entry: ConsentEntry | null): Degree {
  return entry === null || isWithdrawn(entry) ? 0 : entry.record.degree;
}

type Kept = ConsentEntry | Objection;

function encode(kept: Kept): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(kept));
}

function parseKept(path: string, number: number, bytes: Uint8Array): Kept {
  try {
    return z.union([entrySchema, objectionSchema]).parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new CestaError('storage.failed', `${path}: expected record ${number + 1} to be a consent, got other data; it is of another version`, { cause });
  }
}
