/**
 * What a page imports, and loads at once. What verifies and ranks comes after it, what trains when somebody takes part.
 * @example
 * import { createCesta } from 'cesta/storefront';
 *
 * const cesta = createCesta({ url: '/cesta', defaultDegree: 1 });
 * await cesta.ready;
 * cesta.track('view_item', [{ item_id: 'sku-7' }]);
 * const shelf = cesta.recommend({ item: 'sku-7', limit: 8 });
 * console.log(shelf.map(({ title, because }) => [title, because]));
 * @module cesta/storefront
 */
import type { HeldOnDevice } from './held-on-device.ts';
import type { SpendLimits } from '../spends.ts';
import type { Measure, MeasureOptions } from './measure.ts';
import type { Offers, OffersOptions } from './offers.ts';

export type * from './api.ts';
export type { Campaign } from '../../shared/commerce/campaigns.ts';
export type { Degree, Purpose } from '../../shared/commerce/consent.ts';
export type { EventName, Interests, StoredEvent, TrackedItem } from '../../shared/commerce/device-events.ts';
export type { DataFor } from '../../shared/commerce/purposes.ts';
export type { Subject } from '../../shared/commerce/experiments.ts';
export type { Channel, Surface, SurfaceSwitches } from '../../shared/commerce/preferences.ts';
export type { KernelKind } from '../../shared/kernels/simd.ts';
export type { ProductFilter, ShelfRules } from '../../shared/ranking/rules.ts';
export type { Source } from '../../shared/ranking/shelf.ts';
export type { Precision } from '../../shared/recommender/quantised-rows.ts';
export type { Spend, SpendLimits } from '../spends.ts';
export type { DeviceStore } from './device-store.ts';
export type { HeldOnDevice } from './held-on-device.ts';
export type { Measure, MeasureOptions, Reported } from './measure.ts';
export type { Offers, OffersOptions } from './offers.ts';
export type { Shopper } from './shopper.ts';
export type { ShopperOptions } from './shopper-state.ts';
export type { StorefrontStorage } from './storage.ts';
export { CestaError } from '../../shared/protocol/errors.ts';
export { createCesta } from './cesta.ts';
export { createShopper } from './shopper.ts';
export { memoryStorage, webStorage } from './storage.ts';

/** As `heldOnDevice` of held-on-device.ts, whose accountant only those load who ask. */
export async function heldOnDevice(limits: Partial<SpendLimits> = {}): Promise<HeldOnDevice | null> {
  const held = await import('./held-on-device.ts');
  return held.heldOnDevice(limits);
}

/** As `openOffers` of offers.ts, which only pages with offers load. */
export async function openOffers(options: OffersOptions): Promise<Offers> {
  const offers = await import('./offers.ts');
  return offers.openOffers(options);
}

/** As `openMeasure` of measure.ts, which only pages with experiments load. */
export async function openMeasure(options: MeasureOptions): Promise<Measure> {
  const measure = await import('./measure.ts');
  return measure.openMeasure(options);
}
