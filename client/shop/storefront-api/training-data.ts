/**
 * The data that a shop trains on: its files, joined with what shoppers of degree 3 did since, as far as that was stored for
 * improving a model. A choice on record counts for the shopper's lines in the files, too: who chose less than degree 3,
 * withdrew, or was erased, is trained on by neither; nor is whom the files have below it. Items that are not in the shop's
 * catalogue have no place in a history.
 */
import type { Catalogue } from '../../../shared/commerce/catalogue.ts';
import { visitsOf } from '../../../shared/commerce/device-history.ts';
import { historyOf, visitCount, visitItems, type ShopperHistory, type Visit } from '../../../shared/commerce/history.ts';
import { dataFor } from '../../../shared/commerce/purposes.ts';
import type { Dataset, Shopper } from '../../../shared/datasets/dataset.ts';
import type { ConsentBook, Consenting } from './consent-book.ts';
import type { EventStore } from './event-store.ts';

export interface TrainingSources {
  readonly consents: Pick<ConsentBook, 'people' | 'find' | 'objects'>;
  readonly events: Pick<EventStore, 'eventsOf'>;
}

export function trainingData(files: Dataset, { consents, events }: TrainingSources): Dataset {
  const people = [...consents.people];
  const personOf = new Map(people.flatMap((person) => person.principals.map((principal) => [principal, person])));
  const linesOf = new Map<Consenting, Shopper[]>();
  const unclaimed: Shopper[] = [];
  for (const shopper of files.shoppers) {
    const found = consents.find(shopper.id);
    const person = found === null ? undefined : personOf.get(found.principal);
    if (person === undefined) unclaimed.push(consents.objects(shopper.id) ? { ...shopper, degree: 0 } : shopper);
    else linesOf.set(person, [...(linesOf.get(person) ?? []), shopper]);
  }

  function learntBy({ principals, degree }: Consenting): readonly Visit[] {
    return principals.flatMap((principal) => {
      const permitted = dataFor('improve', degree, events.eventsOf(principal, 'improve'));
      return permitted === null ? [] : indexed(files.catalogue, permitted);
    });
  }

  /** One shopper, on however many devices and under whichever of their names: a shopper counts once in what is trained. */
  const joined = people.flatMap((person): Shopper[] => {
    const lines = linesOf.get(person) ?? [];
    const visits = learntBy(person);
    if (lines.length === 0) return visits.length === 0 ? [] : [{ id: person.principal, group: '', degree: person.degree, history: historyOf(visits) }];
    const degree = lines.reduce((lowest, line) => (line.degree < lowest ? line.degree : lowest), person.degree);
    const history = lines.length === 1 && visits.length === 0 ? lines[0].history : historyOf([...lines.flatMap(({ history: own }) => visitsIn(own)), ...visits]);
    return [{ ...lines[0], degree, history }];
  });
  return { ...files, shoppers: [...unclaimed, ...joined] };
}

function indexed({ indexOf }: Catalogue, events: Parameters<typeof visitsOf>[0]): Visit[] {
  return visitsOf(events)
    .map(({ time, items }) => ({ time, items: items.map((id) => indexOf.get(id)).filter((item) => item !== undefined) }))
    .filter(({ items }) => items.length > 0);
}

function visitsIn(history: ShopperHistory): Visit[] {
  return Array.from({ length: visitCount(history) }, (_, visit) => ({ time: history.visitTimes[visit], items: [...visitItems(history, visit)] }));
}
