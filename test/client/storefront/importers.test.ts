import { describe, expect, it } from 'vitest';
import { createDataLayerEar } from '../../../client/storefront/data-layer.ts';
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
    const stop = createDataLayerEar((_event, items) => void heard.push(items[0].item_id), () => true).listen(layer);
    expect(layer.push(viewed('a'), { event: 'gtm.js' })).toBe(3);
    // A tag manager keeps its list short.
    layer.shift();
    layer.push(viewed('b'));
    await expect.poll(() => heard).toEqual(['early', 'a', 'b']);
    layer.push(viewed('c'));
    expect(heard.at(-1)).toBe('c');
    stop();
    layer.push(viewed('late'));
    expect(heard).toEqual(['early', 'a', 'b', 'c']);
    expect(layer.push).toBe(push);
    expect(layer).toHaveLength(5);
  });

  it('is not disturbed by an entry that is malformed, nor by one that is refused', async () => {
    const layer: unknown[] = [];
    const heard: string[] = [];
    createDataLayerEar((_event, [{ item_id: id }]) => {
      if (id === 'refused') throw new Error('refused');
      heard.push(id);
    }, () => true).listen(layer);
    layer.push(viewed('a'));
    await expect.poll(() => heard).toEqual(['a']);
    const malformed = { get event(): string { throw new Error('malformed'); } };
    expect(layer.push(malformed, viewed('refused'), viewed('b'))).toBe(4);
    expect(heard).toEqual(['a', 'b']);
  });

  it('says nothing of what was pushed while nothing might be known, not even afterwards', async () => {
    const layer: unknown[] = [viewed('early')];
    const heard: string[] = [];
    let isOn = false;
    const ear = createDataLayerEar((_event, items) => void heard.push(items[0].item_id), () => isOn);
    const stop = ear.listen(layer);
    layer.push(viewed('a'));
    isOn = true;
    layer.push(viewed('b'));
    await expect.poll(() => heard).toEqual(['b']);
    stop();
    ear.listen(layer);
    layer.push(viewed('c'));
    await expect.poll(() => heard).toEqual(['b', 'c']);
  });

  it('that is listened to twice is heard once', async () => {
    const layer: unknown[] = [viewed('early')];
    const heard: string[] = [];
    const ear = createDataLayerEar((_event, items) => void heard.push(items[0].item_id), () => true);
    const stop = ear.listen(layer);
    expect(ear.listen(layer)).toBe(stop);
    layer.push(viewed('a'));
    await expect.poll(() => heard).toEqual(['early', 'a']);
    stop();
    ear.listen(layer);
    layer.push(viewed('b'));
    await expect.poll(() => heard).toEqual(['early', 'a', 'b']);
  });

  it('that another tag wrapped is heard no more after the stop, and is left as the other tag has it', () => {
    const layer: unknown[] = [];
    const heard: unknown[] = [];
    const stop = createDataLayerEar((event) => void heard.push(event), () => true).listen(layer);
    const ours = layer.push;
    const theirs = (...entries: unknown[]): number => ours(...entries);
    layer.push = theirs;
    stop();
    layer.push(viewed('a'));
    expect([heard, layer.push, layer.length]).toEqual([[], theirs, 1]);
  });
});
