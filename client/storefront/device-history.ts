/**
 * A shopper's visits as a page knows them, by item id, and as a participant's data: one shopper, with the degree that this
 * person chose. The consent filter of the trainer sees it like any shopper of a shop.
 */
import * as z from 'zod/mini';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import type { Degree } from '../../shared/commerce/consent.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';

export const deviceVisitsSchema = z.array(z.object({
  /** Unix time in seconds. */
  time: z.number(),
  /** Item ids, in the order of their events. */
  items: z.array(z.string().check(z.minLength(1))),
}));

export type DeviceVisit = Readonly<z.infer<typeof deviceVisitsSchema>[number]>;

export function datasetOfDevice(visits: readonly DeviceVisit[], degree: Degree): Dataset {
  const ids = new Set(visits.flatMap(({ items }) => items));
  // Ids only: what the products are called is the federation's to say, and nothing of this catalogue is ever published.
  const catalogue = createCatalogue([...ids].map((id) => ({ id, title: '' })));
  const history = historyOf(visits.map(({ time, items }) => ({ time, items: items.map((id) => catalogue.indexOf.get(id)).filter((item) => item !== undefined) })));
  return { name: 'this device', catalogue, shoppers: [{ id: 'this device', group: '', degree, history }], report: { lines: 0, used: 0, complaints: [] } };
}
