/** A shop's policy on its own shelves and campaigns, where the release of the federation knows what the shop bans. */
import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../../../shared/commerce/catalogue.ts';
import { parsePolicy } from '../../../../shared/policy/policy.ts';
import { release, serve } from '../../storefront/served.ts';
import { fakeCoordinator, rigs, type Rig } from './rig.ts';

const open = rigs();
/** `a` and `b` go together, `b` and `c` too. */
const catalogue = createCatalogue(['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, title: `Title of ${id}`, price: 2, category: id === 'a' || id === 'e' ? 'Drinks > Alcohol' : 'Food' })));
const policy = { lines: parsePolicy('cesta.policy', '# red lines\nbanned-category alcohol\nbanned-field price\n'), products: catalogue.products };
const federation = () => fakeCoordinator(serve({ release: release({ of: catalogue }), catalogue }));
const runs = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' };
const campaign = { id: 'food', text: 'Food', items: ['b'], channel: 'email', ...runs };

async function answers({ ask, backend }: Rig): Promise<unknown[]> {
  const shelves = await Promise.all([
    backend('POST', '/v1/recommend', { surface: 'home', session: [{ event: 'view_item', item_id: 'a' }, { event: 'view_item', item_id: 'c' }], limit: 5, rules: { pin: ['e'] } }),
    backend('POST', '/v1/recommend', { surface: 'cart', items: ['a'], limit: 5 }),
    ask('GET', '/v1/similar/b?limit=5'), ask('GET', '/v1/similar/a?limit=5'), ask('GET', '/v1/trending?limit=5'), ask('GET', '/v1/trending?limit=5&category=Drinks'),
  ]);
  return shelves.map(({ body }) => body['items']);
}

describe('the policy of a shop', () => {
  it('keeps banned categories off every shelf and out of every reason, and strips banned fields', async () => {
    const free = JSON.stringify(await answers(await open(federation())));
    expect([free.includes('"item_id":"a"'), free.includes('"price":2')]).toEqual([true, true]);
    const shelves = await answers(await open({ ...federation(), policy }));
    expect(shelves.slice(0, 5).every((items) => Array.isArray(items) && items.length > 0)).toBe(true);
    expect(shelves[5]).toEqual([]);
    expect(JSON.stringify(shelves)).not.toMatch(/"item_id":"[ae]"|Title of [ae]|"price"|Alcohol/);
  });

  it.each([
    ['items', { items: ['b', 'e'] }],
    ['an audience of items', { audience: { none: [{ kind: 'bought', items: ['a'] }] } }],
    ['an audience of a category', { audience: { all: [{ kind: 'category', prefix: 'Drinks > Alcohol' }] } }],
  ])('refuses to start with a campaign of banned %s, by the line', async (_, changes) => {
    await expect(open({ ...federation(), policy, campaigns: { campaigns: [campaign, { ...campaign, id: 'wine', ...changes }] } })).rejects.toMatchObject({ code: 'policy.violated', message: expect.stringContaining('campaign wine: cesta.policy:2: banned-category') as string });
  });

  it('starts with campaigns that keep to it', async () => {
    const { ask } = await open({ ...federation(), policy, campaigns: { campaigns: [campaign] } });
    expect((await ask('GET', '/v1/offers')).body).toMatchObject({ campaigns: [{ id: 'food' }] });
  });
});
