/**
 * What other analytics queues call an event, as an event of the device: GA4's data layer and gtag, and the names that Segment,
 * RudderStack and PostHog share. Of all that they carry an event's name, item ids and quantities are taken; the rest is
 * dropped here, before anything is kept.
 */
import { deviceEventNames, type EventName, type TrackedItem } from '../../shared/commerce/device-events.ts';

export interface Tracked {
  readonly event: EventName;
  readonly items: readonly TrackedItem[];
}

const productEvents: Readonly<Record<string, EventName>> = {
  'Product List Viewed': 'view_item_list',
  'Product Clicked': 'select_item',
  'Product Viewed': 'view_item',
  'Product Added to Wishlist': 'add_to_wishlist',
  'Product Added': 'add_to_cart',
  'Product Removed': 'remove_from_cart',
  'Cart Viewed': 'view_cart',
  'Checkout Started': 'begin_checkout',
  'Order Completed': 'purchase',
  'Order Refunded': 'refund',
  'Products Searched': 'search',
};

/** Names under which a queue calls the function that tracks, before its script is there. */
const calls = ['event', 'track', 'capture'];

/**
 * Null for what is no event of an item: page views, consent, anything malformed.
 * @example
 * trackedOf({ event: 'view_item', ecommerce: { items: [{ item_id: 'sku-7', price: 9 }] } });
 * trackedOf(['track', 'Product Viewed', { product_id: 'sku-7' }]); // both: { event: 'view_item', items: [{ item_id: 'sku-7' }] }
 */
export function trackedOf(entry: unknown): Tracked | null {
  const [name, properties] = callOf(entry);
  if (typeof name !== 'string' || !isObject(properties)) return null;
  const event = deviceEventNames.find((known) => known === name) ?? (Object.hasOwn(productEvents, name) ? productEvents[name] : undefined);
  if (event === undefined) return null;
  const listed = listOf(properties);
  const items = (listed ?? [properties]).flatMap((item) => itemOf(item) ?? []);
  // An event of items that names none says nothing; a search has none.
  return items.length > 0 || event === 'search' ? { event, items } : null;
}

function callOf(entry: unknown): readonly [name: unknown, properties: unknown] {
  if (!isObject(entry)) return [null, null];
  // gtag pushes its `arguments`, which is no array.
  if (typeof entry['length'] === 'number') return calls.includes(String(entry[0])) ? [entry[1], entry[2] ?? {}] : [null, null];
  return [entry['event'], entry['ecommerce'] ?? entry['properties'] ?? entry];
}

function listOf({ items, products }: Readonly<Record<string, unknown>>): readonly unknown[] | null {
  const list = items ?? products;
  return Array.isArray(list) ? list : null;
}

function itemOf(value: unknown): TrackedItem | null {
  if (!isObject(value)) return null;
  const id = value['item_id'] ?? value['product_id'];
  const quantity = Number(value['quantity']);
  if ((typeof id !== 'string' && typeof id !== 'number') || id === '') return null;
  return { item_id: String(id), ...(Number.isInteger(quantity) && quantity > 0 ? { quantity } : {}) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
