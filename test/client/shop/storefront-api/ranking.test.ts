import { describe, expect, it } from 'vitest';
import { recommendAnswerSchema, shelfSchema } from '../../../../client/shop/storefront-api/ranking-routes.ts';
import { release, serve } from '../../storefront/served.ts';
import { fakeTimers, until } from '../../fakes.ts';
import { codeIn, fakeCoordinator, principal, rigs, type Rig } from './rig.ts';

const open = rigs();

/** `id source` of each item. */
async function shelf({ backend }: Rig, request: Record<string, unknown>): Promise<string[]> {
  const { status, body } = await backend('POST', '/v1/recommend', { surface: 'home', limit: 3, ...request });
  expect({ status, body }).toMatchObject({ status: 200 });
  return recommendAnswerSchema.parse(body).items.map(({ item_id: id, source }) => `${id} ${source}`);
}
const view = (item: string): Record<string, unknown> => ({ event: 'view_item', item_id: item });

describe('POST /v1/recommend', () => {
  it('ranks for a session, says why, and has another id each time', async () => {
    const { backend } = await open();
    const ask = async () => recommendAnswerSchema.parse((await backend('POST', '/v1/recommend', { surface: 'home', session: [view('a')], limit: 2 })).body);
    const [first, second] = [await ask(), await ask()];
    expect(first.items[0]).toMatchObject({ item_id: 'b', title: 'Title of b', source: 'personal', because: [{ item_id: 'a' }] });
    expect(first.items).toEqual(second.items);
    expect(first.id).not.toBe(second.id);
  });

  it('is for the backend alone', async () => {
    const { ask } = await open();
    expect(codeIn(await ask('POST', '/v1/recommend', { surface: 'home' }))).toBe('shop.unauthorised');
  });

  it('ranks for nobody without a session', async () => {
    expect((await shelf(await open(), {})).filter((item) => /personal|similar/.test(item))).toEqual([]);
  });

  it('ranks with what is stored of a shopper of degree 2, until they withdraw', async () => {
    const rig = await open();
    const { id, bearer } = await rig.agree(2);
    await rig.backend('POST', '/v1/events', { events: [{ ...view('a'), shopper_id: principal }] });
    expect((await shelf(rig, { shopper: principal }))[0]).toBe('b personal');
    await rig.ask('DELETE', `/v1/consents/${id}`, undefined, bearer);
    expect(await shelf(rig, { shopper: principal })).not.toContain('b personal');
  });

  it('looks at no session of somebody who is named and has not agreed', async () => {
    const rig = await open();
    expect((await shelf(rig, { shopper: principal, session: [view('a')] })).join()).not.toContain('personal');
    await rig.agree(1);
    expect((await shelf(rig, { shopper: principal, session: [view('a')] }))[0]).toBe('b personal');
  });

  it('puts what goes with the product or the cart first', async () => {
    const rig = await open();
    expect((await shelf(rig, { surface: 'product', items: ['a'] }))[0]).toBe('b similar');
    expect((await shelf(rig, { surface: 'cart', items: ['c'] }))[0]).toBe('b similar');
    for (const request of [{ surface: 'product', items: [] }, { surface: 'product', items: ['a', 'b'] }, { surface: 'home', items: ['a'] }]) {
      expect(codeIn(await rig.backend('POST', '/v1/recommend', request))).toBe('usage.invalid');
    }
  });

  it('keeps to exclusions and rules, and refuses what is neither', async () => {
    const rig = await open();
    expect((await shelf(rig, { session: [view('a')], exclude: ['b'] })).join()).not.toContain('b ');
    expect((await shelf(rig, { session: [view('a')], rules: { pin: ['d'] } }))[0]).toMatch(/^d /);
    expect(await shelf(rig, { rules: { only: { ids: ['e'] } } })).toEqual(['e new']);
    for (const request of [{ surface: 'home', rules: { pinned: ['d'] } }, { surface: 'home', diversity: 2 }, { surface: 'shelf' }, { surface: 'home', limit: 0 }, { surface: 'home', mail: 'x' }]) {
      expect(codeIn(await rig.backend('POST', '/v1/recommend', request))).toBe('usage.invalid');
    }
  });

  it('leaves nothing of its body in a file or in the log', async () => {
    const rig = await open();
    const before = rig.disk();
    await rig.backend('POST', '/v1/recommend', { surface: 'home', session: [view('sku-secret-marker')], exclude: ['sku-excluded-marker'] });
    expect(rig.disk().equals(before)).toBe(true);
    expect(rig.log.join('')).toContain('/v1/recommend');
    expect(rig.log.join('')).not.toContain('marker');
  });
});

describe('public shelves', () => {
  it('are what goes with an item, and what is popular', async () => {
    const { ask } = await open();
    const ids = async (path: string): Promise<string> => shelfSchema.parse((await ask('GET', path)).body).items.map(({ item_id: id }) => id).join('');
    expect(await ids('/v1/similar/b')).toMatch(/^(ac|ca)$/);
    expect(await ids('/v1/similar/b?limit=1')).toHaveLength(1);
    expect(await ids('/v1/trending?limit=1')).toBe('b');
    expect(await ids('/v1/trending?category=none')).toBe('');
    expect(codeIn(await ask('GET', '/v1/trending?limit=1000'))).toBe('usage.invalid');
  });

  it('have an end for one address', async () => {
    const { ask } = await open();
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask('GET', '/v1/trending?limit=1')));
    expect(answers.map(codeIn)).toContain('limit.rate');
  });
});

describe('the release', () => {
  it('is waited for, and asked for again', async () => {
    const served = serve({ release: null });
    const timers = fakeTimers();
    const rig = await open({ ...fakeCoordinator(served), timers });
    expect(codeIn(await rig.ask('GET', '/readyz'))).toBe('release.not-found');
    expect(codeIn(await rig.backend('POST', '/v1/recommend', { surface: 'home' }))).toBe('release.not-found');
    const ready = async (): Promise<unknown> => (await rig.ask('GET', '/readyz')).body['version'];
    for (const version of [2, 3]) {
      served.release = release({ version });
      await until(() => timers.waiting > 1, 'the time of the next request');
      timers.advance(60_000);
      await until(() => served.log.filter((line) => line === 'v1/model 200').length === version - 1, 'a request');
      await expect.poll(ready).toBe(version);
    }
  });
});
