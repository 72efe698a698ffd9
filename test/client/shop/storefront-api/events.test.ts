import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openEventStore } from '../../../../client/shop/storefront-api/event-store.ts';
import { meExportSchema, receiptsSchema } from '../../../../client/shop/storefront-api/me-routes.ts';
import { eventsAnswerSchema } from '../../../../client/shop/storefront-api/event-routes.ts';
import { consentReceiptSchema } from '../../../../shared/commerce/consent-receipt.ts';
import { fakeTimers } from '../../fakes.ts';
import { codeIn, principal, rigs, type Rig } from './rig.ts';

const open = rigs();
const hourMs = 3_600_000;
const now = Date.UTC(2026, 5, 1, 12, 34);
const view = (item: string, shopper = principal, extra: Record<string, unknown> = {}): Record<string, unknown> => ({ event: 'view_item', item_id: item, shopper_id: shopper, ...extra });

async function exported({ ask }: Rig, bearer: Record<string, string>) {
  return meExportSchema.parse((await ask('GET', '/v1/me/export', undefined, bearer)).body);
}

describe('events from the backend of a shop', () => {
  it('are taken from the backend alone', async () => {
    const { ask, agree } = await open();
    const { bearer } = await agree(2);
    expect(codeIn(await ask('POST', '/v1/events', { events: [view('a')] }))).toBe('shop.unauthorised');
    expect(codeIn(await ask('POST', '/v1/events', { events: [view('a')] }, bearer))).toBe('shop.unauthorised');
  });

  it('are stored as event, item, quantity and hour, with the purposes of the consent, and nothing else of what came', async () => {
    const rig = await open({ dateMs: () => now });
    const { bearer } = await rig.agree(2);
    const { status, body } = await rig.backend('POST', '/v1/events', { events: [view('a', principal, { price: 9.99, email: 'ann@example.org', ip: '192.0.2.7', referrer: 'https://search.example/?q=secret' }), { event: 'purchase', shopper_id: principal, timestamp: '2026-05-31T23:59:59Z', items: [{ item_id: 'b', quantity: 2, price: 12 }] }] });
    expect(status).toBe(200);
    expect(eventsAnswerSchema.parse(body)).toEqual({ stored: 2, without_consent: 0, without_meaning: 0 });
    expect((await exported(rig, bearer)).events).toEqual([
      { event: 'view_item', item_id: 'a', hour: '2026-06-01T12:00:00.000Z', purposes: ['recommend'] },
      { event: 'purchase', item_id: 'b', quantity: 2, hour: '2026-05-31T23:00:00.000Z', purposes: ['recommend'] },
    ]);
    for (const secret of ['ann@', '192.0.2.7', 'search.example', '9.99']) expect(`${rig.log.join('')}${rig.disk().toString('latin1')}`).not.toContain(secret);
  });

  it('of shoppers who have not agreed to degree 2 are dropped and counted', async () => {
    const rig = await open();
    await rig.agree(1);
    const other = 'cd'.repeat(16);
    const { bearer } = await rig.agree(2, { principal: other });
    const { body } = await rig.backend('POST', '/v1/events', { events: [view('a'), view('b', other), view('c', 'customer-7'), { event: 'view_item_list', item_id: 'd', shopper_id: other }] });
    expect(body).toEqual({ stored: 1, without_consent: 2, without_meaning: 1 });
    expect((await exported(rig, bearer)).events.map(({ item_id: id }) => id)).toEqual(['b']);
  });

  it('may name the shopper as the shop does, once its backend said who that is', async () => {
    const rig = await open();
    const { bearer } = await rig.agree(2, { shopper_id: 'customer-7' });
    expect((await rig.backend('POST', '/v1/events', { events: [view('a', 'customer-7')] })).body).toMatchObject({ stored: 1 });
    expect(await exported(rig, bearer)).toMatchObject({ principal, shopper_id: 'customer-7', events: [{ item_id: 'a' }] });
  });

  it('are gone once the shop names the device\'s shopper as another, who gets none of them', async () => {
    const rig = await open();
    await rig.agree(3, { shopper_id: 'ana' });
    await rig.backend('POST', '/v1/events', { events: [view('sku-of-ana', 'ana')] });
    const { bearer } = await rig.agree(3, { shopper_id: 'ben' });
    await rig.backend('POST', '/v1/events', { events: [view('sku-of-ben', 'ben')] });
    expect((await rig.backend('POST', '/v1/events', { events: [view('sku-late', 'ana')] })).body).toMatchObject({ stored: 0, without_consent: 1 });
    expect((await exported(rig, bearer)).events.map(({ item_id: id }) => id)).toEqual(['sku-of-ben']);
  });

  it('of the future count as of now, and what is no event is refused', async () => {
    const rig = await open({ dateMs: () => now });
    const { bearer } = await rig.agree(2);
    await rig.backend('POST', '/v1/events', { events: [view('a', principal, { timestamp: '2199-01-01' })] });
    expect((await exported(rig, bearer)).events[0].hour).toBe('2026-06-01T12:00:00.000Z');
    for (const events of [[], [{ ...view('a'), event: 'page_view' }], [view('')], [view('a', principal, { timestamp: 'soon' })], [view('a', principal, { quantity: -1 })]]) {
      expect(codeIn(await rig.backend('POST', '/v1/events', { events }))).toBe('usage.invalid');
    }
  });

  it('are there after a restart', async () => {
    const first = await open();
    const { bearer } = await first.agree(3);
    await first.backend('POST', '/v1/events', { events: [view('a')] });
    await first.api.close();
    const next = await open({ stateDir: first.stateDir });
    expect((await exported(next, bearer)).events).toMatchObject([{ item_id: 'a', purposes: ['recommend', 'improve', 'measure'] }]);
  });
});

describe('the rights of a shopper', () => {
  it('are for who has a secret', async () => {
    const { ask, agree } = await open();
    await agree(2);
    for (const [method, path] of [['GET', '/v1/me/receipts'], ['GET', '/v1/me/export'], ['DELETE', '/v1/me']] as const) {
      expect(codeIn(await ask(method, path))).toBe('consent.unknown');
      expect(codeIn(await ask(method, path, undefined, { Authorization: `Bearer ${'0'.repeat(64)}` }))).toBe('consent.unknown');
    }
  });

  it('include all receipts, withdrawn ones too', async () => {
    const { ask, agree } = await open();
    const first = await agree(3);
    const { bearer } = await agree(2, { replaces: first.id });
    const { receipts } = receiptsSchema.parse((await ask('GET', '/v1/me/receipts', undefined, bearer)).body);
    expect(receipts.map(({ record }) => `${record.degree} ${record.events.at(-1)?.kind}`)).toEqual(['3 withdrawn', '2 given']);
  });

  it('end with nothing left in memory or on the disk after erasure, also for the next start', async () => {
    const rig = await open();
    const { id, bearer } = await rig.agree(2);
    const other = await rig.agree(2, { principal: 'cd'.repeat(16) });
    await rig.backend('POST', '/v1/events', { events: [view('sku-gone'), view('sku-stays', 'cd'.repeat(16))] });
    expect((await rig.ask('DELETE', '/v1/me', undefined, bearer)).body).toEqual({ erased: true });
    expect(codeIn(await rig.ask('GET', '/v1/me/export', undefined, bearer))).toBe('consent.unknown');
    expect(codeIn(await rig.ask('DELETE', `/v1/consents/${id}`, undefined, bearer))).toBe('consent.unknown');
    expect((await rig.backend('POST', '/v1/events', { events: [view('sku-back')] })).body).toMatchObject({ stored: 0, without_consent: 1 });
    await rig.api.close();
    const next = await open({ stateDir: rig.stateDir });
    expect(codeIn(await next.ask('GET', '/v1/me/export', undefined, bearer))).toBe('consent.unknown');
    expect((await exported(next, other.bearer)).events).toMatchObject([{ item_id: 'sku-stays' }]);
  });

  it('take events along with a withdrawal, but not with a change from 3 to 2', async () => {
    const rig = await open();
    const first = await rig.agree(3);
    await rig.backend('POST', '/v1/events', { events: [view('a')] });
    const second = await rig.agree(2, { replaces: first.id });
    expect((await exported(rig, second.bearer)).events).toHaveLength(1);
    const answer = await rig.ask('DELETE', `/v1/consents/${second.id}`, undefined, second.bearer);
    expect(consentReceiptSchema.parse(answer.body['receipt']).record.events.at(-1)?.kind).toBe('withdrawn');
    expect((await exported(rig, second.bearer)).events).toEqual([]);
  });
});

describe('the retention of events', () => {
  const root = mkdtempSync(join(tmpdir(), 'cesta-events-'));
  afterAll(() => rmSync(root, { recursive: true }));
  const key = randomBytes(32);
  const ids = (events: readonly { item_id: string }[]): string => events.map(({ item_id: id }) => id).join('');

  it('is in days, and reaches the disk when the file is compacted', () => {
    let date = now;
    const options = { retention: { days: 30, eventsPerShopper: 100 }, dateMs: () => date };
    const store = openEventStore(root, key, options);
    const at = (item: string, daysAgo: number) => ({ event: 'view_item', item_id: item, hour: Math.floor(now / hourMs) - daysAgo * 24 }) as const;
    store.add([{ principal, purposes: ['recommend'], events: [at('a', 29), at('b', 1)] }]);
    date += 2 * 24 * hourMs;
    store.compact();
    expect(ids(store.eventsOf(principal, 'recommend'))).toBe('b');
    store.close();
    date = now;
    const again = openEventStore(root, key, options);
    expect(ids(again.eventsOf(principal, 'recommend'))).toBe('b');
    expect(again.eventsOf(principal, 'improve')).toEqual([]);
    again.close();
  });

  it('keeps so many of one shopper, the newest', () => {
    const options = { retention: { days: 30, eventsPerShopper: 3 }, dateMs: () => now };
    const hour = Math.floor(now / hourMs);
    const store = openEventStore(root, key, options);
    const other = 'ef'.repeat(16);
    store.add([...'vwxyz'].map((item) => ({ principal: other, purposes: ['recommend'], events: [{ event: 'view_item', item_id: item, hour }] })));
    expect(ids(store.eventsOf(other, 'recommend'))).toBe('xyz');
    store.close();
    const again = openEventStore(root, key, options);
    expect(ids(again.eventsOf(other, 'recommend'))).toBe('xyz');
    again.close();
  });

  it('is applied once a day by a running shop node', async () => {
    let date = now;
    const timers = fakeTimers();
    const rig = await open({ dateMs: () => date, retentionDays: 7, timers });
    const { bearer } = await rig.agree(2);
    await rig.backend('POST', '/v1/events', { events: [view('a')] });
    date += 8 * 24 * hourMs;
    timers.advance(24 * hourMs);
    expect((await exported(rig, bearer)).events).toEqual([]);
  });
});
