/**
 * The data that a shop trains on: its files, joined with what shoppers of degree 3 did since, as far as that was stored for
 * improving a model. A choice on record counts for the shopper's lines in the files, too: who chose less than degree 3, or
 * withdrew, is trained on by neither. Items that are not in the shop's catalogue have no place in a history.
 */
import type { Catalogue } from '../../../shared/commerce/catalogue.ts';
import { visitsOf } from '../../../shared/commerce/device-history.ts';
import { historyOf, visitCount, visitItems, type ShopperHistory, type Visit } from '../../../shared/commerce/history.ts';
import { dataFor } from '../../../shared/commerce/purposes.ts';
import type { Dataset, Shopper } from '../../../shared/datasets/dataset.ts';
import type { ConsentBook } from './consent-book.ts';
import type { EventStore } from './event-store.ts';

export interface TrainingSources {
  readonly consents: Pick<ConsentBook, 'principals' | 'find'>;
  readonly events: Pick<EventStore, 'eventsOf'>;
}

export function trainingData(files: Dataset, { consents, events }: TrainingSources): Dataset {
  const { catalogue } = files;
  const learnt = new Map([...consents.principals].map((principal) => [principal, learntOf(principal)]));

  function learntOf(principal: string): readonly Visit[] {
    const degree = consents.find(principal)?.degree ?? 0;
    const permitted = dataFor('improve', degree, events.eventsOf(principal, 'improve'));
    return permitted === null ? [] : indexed(catalogue, permitted);
  }

  const shoppers = files.shoppers.map((shopper): Shopper => {
    const found = consents.find(shopper.id);
    if (found === null) return shopper;
    const visits = learnt.get(found.principal) ?? [];
    learnt.delete(found.principal);
    return { ...shopper, degree: found.degree, history: visits.length === 0 ? shopper.history : historyOf([...visitsIn(shopper.history), ...visits]) };
  });
  const others = [...learnt].filter(([, visits]) => visits.length > 0).map(([id, visits]): Shopper => ({ id, group: '', degree: 3, history: historyOf(visits) }));
  return { ...files, shoppers: [...shoppers, ...others] };
}

function indexed({ indexOf }: Catalogue, events: Parameters<typeof visitsOf>[0]): Visit[] {
  return visitsOf(events)
    .map(({ time, items }) => ({ time, items: items.map((id) => indexOf.get(id)).filter((item) => item !== undefined) }))
    .filter(({ items }) => items.length > 0);
}

function visitsIn(history: ShopperHistory): Visit[] {
  return Array.from({ length: visitCount(history) }, (_, visit) => ({ time: history.visitTimes[visit], items: [...visitItems(history, visit)] }));
}
