import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ShopperOptions } from '../../../client/storefront/shopper-state.ts';
import { createShopper, type Shopper } from '../../../client/storefront/shopper.ts';
import { codeOf } from '../fakes.ts';

const hour = 3_600_000;
const notice = { version: 'v3' };

/** Without the storages of a browser: degrees 0 and 1 need none. */
function shopperOf(options: Partial<ShopperOptions> = {}): Shopper {
  const shopper = createShopper({ url: 'https://shop.example/cesta', notice, now: () => 100 * hour, ...options });
  onTestFinished(() => shopper.close());
  return shopper;
}

describe('a shopper of degree 0', () => {
  it('leaves no trace of what was tracked, and learns of a wrong call all the same', async () => {
    const shopper = shopperOf();
    shopper.track('view_item', [{ item_id: 'a' }]);
    await shopper.loaded;
    shopper.track('view_item', [{ item_id: 'b' }]);
    expect(shopper.interests()).toEqual({ events: [], unwanted: [] });
    expect(shopper.privacy).toMatchObject({ degree: 0, chosen: null, stored: { events: 0, items: 0, place: 'nowhere' }, sent: { bytes: 0, messages: 0 } });
    expect(await codeOf(() => shopper.track('view_item', [{ item_id: '' }]))).toBe('usage.invalid');
  });
});

describe('a shopper of degree 1', () => {
  it('is known from the first event on, also before the rest of the code is there', async () => {
    const shopper = shopperOf({ defaultDegree: 1 });
    shopper.track('view_item', [{ item_id: 'a' }]);
    expect(shopper.privacy.stored).toEqual({ events: 1, items: 1, place: 'memory' });
    await shopper.loaded;
    shopper.track('add_to_cart', [{ item_id: 'b', quantity: 2 }]);
    expect(shopper.visits('home')).toEqual([{ time: 360_000, items: ['a', 'b'] }]);
    expect([...shopper.touched('cart')]).toEqual(['a', 'b']);
    expect(shopper.viewed()).toEqual(['a']);
  });

  it('is unknown again from the moment of degree 0', async () => {
    const shopper = shopperOf({ defaultDegree: 1 });
    await shopper.loaded;
    shopper.track('view_item', [{ item_id: 'a' }]);
    const lowering = shopper.consent({ degree: 0 });
    expect(shopper.degree).toBe(0);
    expect(shopper.interests().events).toEqual([]);
    expect(shopper.visits('home')).toEqual([]);
    await lowering;
    expect(await codeOf(() => shopper.consent({ degree: 1 }))).toBe('consent.notice');
  });

  it('lowers before the rest of the code is there', async () => {
    const shopper = shopperOf({ defaultDegree: 1 });
    shopper.track('view_item', [{ item_id: 'a' }]);
    void shopper.consent({ degree: 0 });
    expect(shopper.degree).toBe(0);
    await shopper.loaded;
    expect(shopper.privacy).toMatchObject({ degree: 0, chosen: 0, stored: { events: 0 } });
  });

  it('has impersonal shelves where the surface is switched off', async () => {
    const shopper = shopperOf({ defaultDegree: 1 });
    await shopper.loaded;
    shopper.track('view_item', [{ item_id: 'a' }]);
    shopper.set({ surfaces: { ...shopper.privacy.settings.surfaces, home: false } });
    expect(shopper.visits('home')).toEqual([]);
    expect(shopper.touched('home').size).toBe(0);
    expect(shopper.visits('product')).toHaveLength(1);
    expect(await codeOf(() => shopper.set({ diversity: 2 }))).toBe('usage.invalid');
  });

  it('corrects what is known, and tells who listens', async () => {
    const shopper = shopperOf({ defaultDegree: 1 });
    await shopper.loaded;
    const heard = vi.fn();
    const stop = shopper.subscribe(heard);
    shopper.track('view_item', [{ item_id: 'a' }, { item_id: 'b' }, { item_id: 'c' }]);
    shopper.removeFromHistory('a');
    shopper.notInterested('b');
    expect(shopper.visits('home')[0].items).toEqual(['c']);
    expect([...shopper.unwanted()]).toEqual(['b']);
    expect(heard.mock.calls).toEqual([['history'], ['history'], ['history']]);
    stop();
    shopper.track('view_item', [{ item_id: 'a' }]);
    expect(heard).toHaveBeenCalledTimes(3);
  });

  it('rests nothing that this page has shown, however often: a shelf does not change under its reader', async () => {
    const shopper = shopperOf({ defaultDegree: 1 });
    await shopper.loaded;
    for (const _ of [1, 2, 3]) shopper.track('view_item_list', [{ item_id: 'a' }, { item_id: 'b' }]);
    expect([...shopper.resting()]).toEqual([]);
    expect(shopper.touched('home').has('a')).toBe(false);
  });

  it('is not let on to the device where nothing can be kept', async () => {
    const shopper = shopperOf({ defaultDegree: 1 });
    await shopper.loaded;
    expect(await codeOf(() => shopper.consent({ degree: 2, notice: 'v3' }))).toBe('storage.failed');
    expect(shopper.privacy).toMatchObject({ degree: 1, chosen: null });
  });
});
