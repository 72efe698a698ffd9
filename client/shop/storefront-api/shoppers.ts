/**
 * The shoppers of a shop node: what they agreed to and what is stored of them, which must never disagree. Events are stored
 * for a consent of degree 2 or 3, and gone from the disk once no consent is behind them.
 */
import type { Degree } from '../../../shared/commerce/consent.ts';
import { purposesOf, type ConsentRecord } from '../../../shared/commerce/consent-receipt.ts';
import type { StoredEvent } from '../../../shared/commerce/device-events.ts';
import type { ConsentBook, NewConsent } from './consent-book.ts';
import type { EventStore, StoredBatch } from './event-store.ts';

/** Below it a shop keeps nothing of a shopper. */
const storingDegree = 2;

export interface ReportedEvents {
  /** A principal, or the shop's own name for a shopper. */
  readonly shopper: string;
  readonly events: readonly StoredEvent[];
}

export interface Shoppers {
  give(consent: NewConsent): { readonly secret: string };
  withdraw(recordId: string, secret: string, time: string): ConsentRecord;
  /** Erases everything about whose secret it is. @throws CestaError `consent.unknown` */
  erase(secret: string): void;
  /** Stores what consents permit, all of it or, on an error, none; returns how many events that was. */
  report(reported: readonly ReportedEvents[]): number;
  /** What a ranking may know; empty for who never agreed. */
  known(shopper: string): { readonly degree: Degree; readonly events: readonly StoredEvent[] };
}

/** @param onForgotten hears of whom nothing may be stored any more */
export function createShoppers(consents: ConsentBook, events: EventStore, onForgotten: (isGone: (principal: string) => boolean) => void = () => undefined): Shoppers {
  function forget(isGone: (principal: string) => boolean): void {
    events.erase(isGone);
    onForgotten(isGone);
  }

  /** Consents are durable first: should the process end before the events are gone, they go at the next start. */
  function settle(): void {
    forget((principal) => consents.degreeOf(principal) < storingDegree);
  }

  settle();
  return {
    give(consent) {
      const given = consents.give(consent, (renamed) => forget((principal) => principal === renamed));
      settle();
      return given;
    },
    withdraw(recordId, secret, time) {
      const record = consents.withdraw(recordId, secret, time);
      settle();
      return record;
    },
    erase(secret) {
      const gone = consents.principalOf(secret);
      forget((principal) => principal === gone);
      // Last: until then the secret is good for another try.
      consents.erase(gone);
    },
    report(reported) {
      const batches = reported.flatMap(({ shopper, events: own }): StoredBatch[] => {
        const found = consents.find(shopper);
        return found === null || found.degree < storingDegree ? [] : [{ principal: found.principal, purposes: purposesOf(found.degree), events: own }];
      });
      events.add(batches);
      return batches.reduce((sum, batch) => sum + batch.events.length, 0);
    },
    known(shopper) {
      const found = consents.find(shopper);
      if (found === null || found.degree < storingDegree) return { degree: found?.degree ?? 0, events: [] };
      const all = found.principals.flatMap((principal) => events.eventsOf(principal, 'recommend'));
      return { degree: found.degree, events: found.principals.length === 1 ? all : all.sort((a, b) => a.hour - b.hour) };
    },
  };
}
