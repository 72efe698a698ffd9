/**
 * What consenting shoppers did, as the shop's own backend reports it: an event, an item, how many, the hour, and the purposes
 * that the shopper's choice permitted when it was stored. By principal; sealed on disk before it is acknowledged.
 *
 * Kept for a number of days, and so many events a shopper: what is older leaves the disk when the file is compacted, which
 * happens at the start, once a day, and at once when somebody is erased. A crash while compacting leaves the file as it was.
 */
import { join } from 'node:path';
import * as z from 'zod';
import type { Purpose } from '../../../shared/commerce/consent.ts';
import { consentPurposes, principalSchema } from '../../../shared/commerce/consent-receipt.ts';
import { hourOf, type StoredEvent } from '../../../shared/commerce/device-events.ts';
import { parseStoredEvent } from '../../../shared/commerce/device-history.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { openSealedLog } from './sealed-log.ts';

export const eventsFileName = 'events.sealed';

/** Events of one shopper, and what they may be used for. */
export interface StoredBatch {
  readonly principal: string;
  readonly purposes: readonly Purpose[];
  readonly events: readonly StoredEvent[];
}

export interface Retention {
  readonly days: number;
  /** Of one shopper: the newest are kept. */
  readonly eventsPerShopper: number;
}

export interface EventStore {
  /** Durable when it returns. @throws CestaError `storage.failed` */
  add(batches: readonly StoredBatch[]): void;
  /** Oldest first; those that may serve the purpose. */
  eventsOf(principal: string, purpose: Purpose): StoredEvent[];
  /** Everything that is stored of this shopper, with its purposes. */
  export(principal: string): { readonly event: StoredEvent; readonly purposes: readonly Purpose[] }[];
  /** From memory and from the disk, at once. */
  erase(isGone: (principal: string) => boolean): void;
  /** Applies the retention, on the disk, too. */
  compact(): void;
  close(): void;
}

interface Row {
  readonly event: StoredEvent;
  readonly purposes: readonly Purpose[];
}

const batchSchema = z.strictObject({
  principal: principalSchema,
  purposes: z.array(z.enum(consentPurposes)),
  events: z.array(z.unknown().transform((value, context) => {
    const event = parseStoredEvent(value);
    if (event === null) context.addIssue({ code: 'custom', message: 'expected an event of the closed schema' });
    return event ?? z.NEVER;
  })),
});

/** Events of one record: far below the longest a sealed record may be. */
const eventsPerRecord = 1_000;

/** @throws CestaError `storage.failed` */
export function openEventStore(folder: string, key: Uint8Array, { retention, dateMs }: { readonly retention: Retention; readonly dateMs: () => number }): EventStore {
  const path = join(folder, eventsFileName);
  const { log, records } = openSealedLog(path, key);
  let rows = new Map<string, Row[]>();
  let onDisk = 0;
  for (const [number, bytes] of records.entries()) take(parseBatch(path, number, bytes));

  function take({ principal, purposes, events }: StoredBatch): void {
    const all = [...(rows.get(principal) ?? []), ...events.map((event) => ({ event, purposes }))];
    rows.set(principal, all.slice(-retention.eventsPerShopper));
    onDisk += events.length;
  }

  /** What is left without those that are gone and without what is older than it may be. */
  function kept(isGone: (principal: string) => boolean): Map<string, Row[]> {
    const oldest = hourOf(dateMs()) - retention.days * 24;
    const left = [...rows].map(([principal, own]): [string, Row[]] => [principal, isGone(principal) ? [] : own.filter(({ event }) => event.hour >= oldest)]);
    return new Map(left.filter(([, own]) => own.length > 0));
  }

  /** The disk first: should it refuse, memory holds what the disk holds, and the next try does all of it. */
  function replace(left: Map<string, Row[]>): void {
    log.rewrite([...left].flatMap(([principal, own]) => batchesOf(principal, own).map(encodeBatch)));
    rows = left;
    onDisk = countOf(left);
  }

  function compact(): void {
    const left = kept(() => false);
    if (countOf(left) < onDisk) replace(left);
  }

  compact();
  return {
    compact,
    add(batches) {
      const full = batches.filter(({ events }) => events.length > 0);
      log.append(full.flatMap((batch) => inPieces(batch).map(encodeBatch)));
      for (const batch of full) take(batch);
    },
    eventsOf: (principal, purpose) => (rows.get(principal) ?? []).filter(({ purposes }) => purposes.includes(purpose)).map(({ event }) => event),
    export: (principal) => [...(rows.get(principal) ?? [])],
    erase(isGone) {
      if ([...rows.keys()].some(isGone)) replace(kept(isGone));
    },
    close: () => log.close(),
  };
}

function countOf(rows: ReadonlyMap<string, readonly Row[]>): number {
  return [...rows.values()].reduce((sum, { length }) => sum + length, 0);
}

function batchesOf(principal: string, rows: readonly Row[]): StoredBatch[] {
  const batches: { principal: string; purposes: readonly Purpose[]; events: StoredEvent[] }[] = [];
  for (const { event, purposes } of rows) {
    const last = batches.at(-1);
    if (last !== undefined && last.events.length < eventsPerRecord && last.purposes.join() === purposes.join()) last.events.push(event);
    else batches.push({ principal, purposes, events: [event] });
  }
  return batches;
}

function inPieces({ principal, purposes, events }: StoredBatch): StoredBatch[] {
  return batchesOf(principal, events.map((event) => ({ event, purposes })));
}

function encodeBatch(batch: StoredBatch): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(batch));
}

function parseBatch(path: string, number: number, bytes: Uint8Array): StoredBatch {
  try {
    return batchSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new CestaError('storage.failed', `${path}: expected record ${number + 1} to be events, got other data; it is of another version`, { cause });
  }
}
