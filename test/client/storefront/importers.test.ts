import { describe, expect, it, vi } from 'vitest';
import { hearDataLayer } from '../../../client/storefront/data-layer.ts';
import { trackedOf } from '../../../client/storefront/importers.ts';

/** What gtag does: pushes its arguments. */
function gtagEntry(...parts: unknown[]): unknown {
  return (function pushed(..._parts: unknown[]) {
    // eslint-disable-next-line prefer-rest-params
    return arguments;
  })(...parts);
}

describe('an event of another queue', () => {
  it('of GA4 is read from the data layer and from gtag, and nothing but ids and quantities is taken', () => {
    const items = [{ item_id: 'a', item_name: 'Red cup', price: 9.5, quantity: 2, coupon: 'X' }, { item_name: 'without an id' }];
    const expected = { event: 'add_to_cart', items: [{ item_id: 'a', quantity: 2 }] };
    expect(trackedOf({ event: 'add_to_cart', user_id: 'u-1', ecommerce: { currency: 'EUR', value: 19, items } })).toEqual(expected);
    expect(trackedOf(gtagEntry('event', 'add_to_cart', { value: 19, items }))).toEqual(expected);
  });

  it.each([
    [['track', 'Product Viewed', { product_id: 'a', price: 9, email: 'x@example.org' }], { event: 'view_item', items: [{ item_id: 'a' }] }],
    [['capture', 'Product Added', { product_id: 7, quantity: 3 }], { event: 'add_to_cart', items: [{ item_id: '7', quantity: 3 }] }],
    [{ event: 'Product Removed', product_id: 'a' }, { event: 'remove_from_cart', items: [{ item_id: 'a' }] }],
    [{ event: 'Order Completed', properties: { order_id: '1', total: 20, products: [{ product_id: 'a', quantity: 1 }, { product_id: 'b' }] } }, { event: 'purchase', items: [{ item_id: 'a', quantity: 1 }, { item_id: 'b' }] }],
    [{ event: 'Products Searched', query: 'a private matter' }, { event: 'search', items: [] }],
  ])('of the names that Segment, RudderStack and PostHog share: %j', (entry, expected) => {
    expect(trackedOf(entry)).toEqual(expected);
  });

  it.each([[null], [7], ['view_item'], [{}], [[]], [{ event: 'gtm.js' }], [{ event: 'toString', product_id: 'a' }], [{ event: 'view_item' }], [{ event: 'view_item', ecommerce: { items: 'a' } }], [{ event: 'view_item', ecommerce: { items: [null, { item_id: '' }] } }], [['identify', 'Product Viewed', { product_id: 'a' }]], [gtagEntry('consent', 'default', { ad_storage: 'denied' })]])('that is none is passed over: %j', (entry) => {
    expect(trackedOf(entry)).toBeNull();
  });

  it('leaves out quantities that are none', () => {
    for (const quantity of [0, -1, 1.5, 'many', null, Infinity]) expect(trackedOf({ event: 'purchase', ecommerce: { items: [{ item_id: 'a', quantity }] } })?.items).toEqual([{ item_id: 'a' }]);
  });
});

describe('a data layer', () => {
  const viewed = (id: string): unknown => ({ event: 'view_item', ecommerce: { items: [{ item_id: id }] } });

  it('is heard from its first entry on, keeps working as it did, and is let go', async () => {
    const layer: unknown[] = [viewed('early')];
    const push = layer.push;
    const heard: string[] = [];
    const stop = hearDataLayer(layer, (_event, items) => void heard.push(items[0].item_id));
    expect(layer.push(viewed('a'), { event: 'gtm.js' })).toBe(3);
    // A tag manager keeps its list short.
    layer.shift();
    layer.push(viewed('b'));
    await vi.waitFor(() => expect(heard).toEqual(['early', 'a', 'b']));
    layer.push(viewed('c'));
    expect(heard.at(-1)).toBe('c');
    stop();
    layer.push(viewed('late'));
    expect(heard).toEqual(['early', 'a', 'b', 'c']);
    expect(layer.push).toBe(push);
    expect(layer).toHaveLength(5);
  });

  it('that another tag wrapped is heard no more after the stop, and is left as the other tag has it', () => {
    const layer: unknown[] = [];
    const heard: unknown[] = [];
    const stop = hearDataLayer(layer, (event) => void heard.push(event));
    const ours = layer.push;
    const theirs = (...entries: unknown[]): number => ours(...entries);
    layer.push = theirs;
    stop();
    layer.push(viewed('a'));
    expect([heard, layer.push, layer.length]).toEqual([[], theirs, 1]);
  });
});
