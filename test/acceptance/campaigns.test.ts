/** Campaigns: one payload for all, picked on the device; channels; recipients of the shop's own shoppers. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Fetch } from '../../client/http.ts';
import { meExportSchema } from '../../client/shop/storefront-api/me-routes.ts';
import { createCesta } from '../../client/storefront/sdk.ts';
import { openOffers } from '../../client/storefront/offers.ts';
import { channels, type Channel } from '../../shared/commerce/preferences.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { codeIn, fakeCoordinator, principal, rigs } from '../client/shop/storefront-api/rig.ts';

const now = Date.parse('2026-03-10T12:00:00Z');
const dateMs = (): number => now;
const runs = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' };
const campaigns = {
  campaigns: [
    { id: 'bread-with-cheese', text: 'Bread goes with it', items: ['bread'], channel: 'site', ...runs, audience: { all: [{ kind: 'viewed', items: ['cheese'] }], none: [{ kind: 'bought', items: ['bread'] }] } },
    { id: 'welcome', text: 'For everybody', items: ['apple'], channel: 'site', ...runs, cap: 2 },
    { id: 'over', text: 'Last year', items: ['dates'], channel: 'site', from: '2025-01-01T00:00:00Z', to: '2025-02-01T00:00:00Z' },
    ...(['email', 'push', 'sms'] as const).map((channel) => ({ id: `news-${channel}`, text: 'News', items: ['dates'], channel, ...runs, cap: 1 })),
    { id: 'fans', text: 'You like it', items: ['cheese'], channel: 'email', ...runs, audience: { all: [{ kind: 'visits', atLeast: 2, withinDays: 7 }] } },
  ],
};
const open = rigs();
const choice = (...on: Channel[]): Record<Channel, boolean> => Object.fromEntries(channels.map((channel) => [channel, on.includes(channel)])) as Record<Channel, boolean>;

function cestaAt(defaultDegree: 0 | 1) {
  const { coordinator, fetch } = fakeCoordinator();
  const cesta = createCesta({ url: coordinator.href, defaultDegree, now: dateMs, ...(fetch === undefined ? {} : { fetch }) });
  onTestFinished(() => cesta.close());
  return cesta;
}

describe('capability 22: campaigns without profiling at the shop', () => {
  it('capability 22: everybody gets the same offers, and the device picks', async () => {
    const { api } = await open({ campaigns, dateMs });
    const payloads: string[] = [];
    const asked: string[] = [];
    const fetch: Fetch = async (url, init) => {
      const response = await globalThis.fetch(url, init);
      asked.push(`${init?.method ?? 'GET'} ${url.slice(api.url.length)} ${JSON.stringify(init?.headers ?? {})} ${JSON.stringify(init?.body)}`);
      payloads.push(await response.clone().text());
      return response;
    };
    const picked: string[][] = [];
    for (const history of [[], ['cheese'], ['cheese', 'bread']]) {
      const cesta = cestaAt(1);
      await cesta.ready;
      for (const id of history) cesta.track(id === 'bread' ? 'purchase' : 'view_item', [{ item_id: id }]);
      const offers = await openOffers({ cesta, shop: api.url, fetch, now: dateMs });
      picked.push((await offers.pick(5)).map(({ id }) => id));
    }
    expect(picked).toEqual([['welcome'], ['bread-with-cheese', 'welcome'], ['welcome']]);
    expect(new Set(payloads).size).toBe(1);
    expect(new Set(asked).size).toBe(1);
    expect(asked[0]).toMatch(/^GET \/v1\/offers \{[^}]*\} undefined$/);
    expect(asked[0]).not.toMatch(/cheese|bread/);
  });

  it('capability 22: items of sensitive categories are no reason for an offer, nor is anything before it is known which they are', async () => {
    const { api } = await open({ campaigns, dateMs });
    const { cheese, ...cesta } = { ...cestaAt(1), cheese: [{ event: 'view_item' as const, item_id: 'cheese', hour: Math.floor(now / 3_600_000) }] };
    const picks = async (isSensitive: (itemId: string) => boolean): Promise<string[]> => {
      const offers = await openOffers({ cesta: { ...cesta, interests: () => ({ events: cheese, unwanted: [] }), isSensitive }, shop: api.url, now: dateMs });
      return (await offers.pick(5)).map(({ id }) => id);
    };
    expect(await picks(() => false)).toEqual(['bread-with-cheese', 'welcome']);
    expect(await picks((id) => id === 'cheese')).toEqual(['welcome']);
    expect(await picks(() => {
      throw new CestaError('release.not-found', 'none yet');
    })).toEqual(['welcome']);
  });

  it('capability 22: an offer that was shown as often as its cap rests', async () => {
    const { api } = await open({ campaigns, dateMs });
    const offers = await openOffers({ cesta: cestaAt(1), shop: api.url, now: dateMs });
    for (const expected of [['welcome'], ['welcome'], []]) {
      const picked = await offers.pick(5);
      expect(picked.map(({ id }) => id)).toEqual(expected);
      for (const campaign of picked) await offers.shown(campaign);
    }
  });

  it('capability 22: a file with demographics, or with an id twice, is refused', async () => {
    const [first] = campaigns.campaigns;
    await expect(open({ campaigns: { campaigns: [{ ...first, audience: { all: [{ kind: 'age', from: 18 }] } }] } })).rejects.toMatchObject({ code: 'config.invalid' });
    await expect(open({ campaigns: { campaigns: [{ ...first, age: 18 }] } })).rejects.toMatchObject({ code: 'config.invalid' });
    await expect(open({ campaigns: { campaigns: [{ ...first, channel: 'email', measure: {} }] } })).rejects.toMatchObject({ code: 'config.invalid', message: expect.stringContaining('measure') as string });
    await expect(open({ campaigns: { campaigns: [first, first] } })).rejects.toMatchObject({ code: 'config.invalid' });
  });

  it('capability 22: the shop picks its own consenting shoppers by what it stores of them, once for each cap', async () => {
    const rig = await open({ campaigns, dateMs });
    await rig.agree(2, { shopper_id: 'customer-7' });
    await rig.backend('PUT', '/v1/channels', { shopper: 'customer-7', channels: choice('email') });
    const select = async (id: string, method = 'GET'): Promise<unknown> => (await rig.backend(method, `/v1/campaigns/${id}/recipients`)).body['recipients'];
    expect(await select('fans')).toEqual([]);
    for (const timestamp of ['2026-03-08T10:00:00Z', '2026-03-10T10:00:00Z']) await rig.backend('POST', '/v1/events', { events: [{ event: 'view_item', shopper_id: 'customer-7', item_id: 'cheese', timestamp }] });
    expect(await select('fans')).toEqual([{ principal, shopper_id: 'customer-7' }]);
    expect([await select('news-email', 'POST'), await select('news-email')]).toEqual([[{ principal, shopper_id: 'customer-7' }], []]);
    expect((await rig.ask('GET', '/v1/campaigns/fans/recipients')).status).toBe(401);
    expect(codeIn(await rig.backend('GET', '/v1/campaigns/welcome/recipients'))).toBe('usage.invalid');
    expect(codeIn(await rig.backend('GET', '/v1/campaigns/unknown/recipients'))).toBe('measure.unknown');
  });
});

describe('capability 22: one person with several devices', () => {
  const second = 'cd'.repeat(16);

  it('capability 22: is one recipient, counted once, by what all of their devices did', async () => {
    const rig = await open({ campaigns, dateMs });
    await rig.agree(2, { shopper_id: 'customer-7' });
    await rig.agree(2, { shopper_id: 'customer-7', principal: second });
    const recipients = async (id: string, method = 'GET'): Promise<unknown[]> => (await rig.backend(method, `/v1/campaigns/${id}/recipients`)).body['recipients'] as unknown[];
    expect(await recipients('news-email')).toEqual([]);
    await rig.backend('PUT', '/v1/channels', { shopper: 'customer-7', channels: choice('email') });
    expect(await recipients('news-email')).toEqual([{ principal, shopper_id: 'customer-7' }]);
    for (const [shopper, timestamp] of [[principal, '2026-03-08T10:00:00Z'], [second, '2026-03-10T10:00:00Z']]) await rig.backend('POST', '/v1/events', { events: [{ event: 'view_item', shopper_id: shopper, item_id: 'cheese', timestamp }] });
    expect(await recipients('fans')).toHaveLength(1);
    expect(await recipients('news-email', 'POST')).toHaveLength(1);
    expect(await recipients('news-email')).toEqual([]);
  });

  it('capability 22: is written to only where every device allows it, and once for the cap whichever device was counted', async () => {
    const rig = await open({ campaigns, dateMs });
    const first = await rig.agree(2, { shopper_id: 'customer-7' });
    await rig.backend('PUT', '/v1/channels', { shopper: 'customer-7', channels: choice('email') });
    const recipients = async (method = 'GET'): Promise<unknown[]> => (await rig.backend(method, '/v1/campaigns/news-email/recipients')).body['recipients'] as unknown[];
    const other = await rig.agree(2, { shopper_id: 'customer-7', principal: second });
    expect(await recipients()).toEqual([]);
    await rig.ask('PUT', '/v1/channels', { channels: choice('email') }, other.bearer);
    expect(await recipients()).toHaveLength(1);
    await rig.ask('PUT', '/v1/channels', { channels: choice() }, first.bearer);
    expect(await recipients()).toEqual([]);
    await rig.backend('PUT', '/v1/channels', { shopper: principal, channels: choice('email') });
    expect(await recipients('POST')).toHaveLength(1);
    await rig.ask('DELETE', '/v1/me', undefined, first.bearer);
    expect(await recipients()).toEqual([]);
  });
});

describe('capability 20: the channels a shopper chose', () => {
  it('capability 20: a campaign to a channel that is off selects nobody, and all but the site are off until chosen', async () => {
    const rig = await open({ campaigns, dateMs });
    const { bearer } = await rig.agree(2);
    const counts = async (): Promise<number[]> => Promise.all(['email', 'push', 'sms'].map(async (channel) => ((await rig.backend('GET', `/v1/campaigns/news-${channel}/recipients`)).body['recipients'] as unknown[]).length));
    expect(await counts()).toEqual([0, 0, 0]);
    expect((await rig.ask('PUT', '/v1/channels', { channels: choice('email', 'sms') }, bearer)).status).toBe(200);
    expect(await counts()).toEqual([1, 0, 1]);
    await rig.ask('PUT', '/v1/channels', { channels: choice('push') }, bearer);
    expect(await counts()).toEqual([0, 1, 0]);
    // What was chosen goes with the consent.
    await rig.ask('DELETE', '/v1/me', undefined, bearer);
    expect(await counts()).toEqual([0, 0, 0]);
    expect(codeIn(await rig.ask('PUT', '/v1/channels', { channels: choice('email') }, bearer))).toBe('consent.unknown');
  });

  it('capability 20: choices are sealed on disk, and survive a restart', async () => {
    const rig = await open({ campaigns, dateMs });
    const { bearer } = await rig.agree(2);
    await rig.ask('PUT', '/v1/channels', { channels: choice('email') }, bearer);
    expect(rig.disk().includes(Buffer.from(principal))).toBe(false);
    await rig.api.close();
    const again = await open({ campaigns, dateMs, stateDir: rig.stateDir });
    expect((await again.backend('GET', '/v1/campaigns/news-email/recipients')).body['recipients']).toEqual([{ principal, shopper_id: null }]);
  });

  it('capability 20: on the site, too, a channel that is off has no offers', async () => {
    const { api } = await open({ campaigns, dateMs });
    const cesta = cestaAt(1);
    const offers = await openOffers({ cesta, shop: api.url, now: dateMs });
    expect(await offers.pick(5)).not.toEqual([]);
    cesta.set({ channels: choice() });
    expect(await offers.pick(5)).toEqual([]);
  });
});

describe('what a shopper is told of campaigns', () => {
  it('is their channels, and how often each was sent', async () => {
    const rig = await open({ campaigns, dateMs });
    const { bearer } = await rig.agree(2);
    const exported = async (): Promise<unknown> => meExportSchema.parse((await rig.ask('GET', '/v1/me/export', undefined, bearer)).body);
    expect(await exported()).toMatchObject({ channels: choice('site'), sent: {} });
    await rig.ask('PUT', '/v1/channels', { channels: choice('site', 'email') }, bearer);
    await rig.backend('POST', '/v1/campaigns/news-email/recipients');
    expect(await exported()).toMatchObject({ channels: choice('site', 'email'), sent: { 'news-email': 1 } });
  });
});
