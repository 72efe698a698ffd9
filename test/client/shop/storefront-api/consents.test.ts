import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { consentReceiptSchema, verifyConsentReceipt } from '../../../../shared/commerce/consent-receipt.ts';
import { codeOf } from '../../fakes.ts';
import { about, codeIn, principal, rigs } from './rig.ts';

const open = rigs();
const choice = { principal, degree: 2, notice: 'v2' };

describe('giving consent', () => {
  it('answers with a receipt that the shop signed and a secret to withdraw with', async () => {
    const { ask } = await open({ dateMs: () => Date.UTC(2026, 0, 2) });
    const { status, body } = await ask('POST', '/v1/consents', choice);
    expect(status).toBe(201);
    expect(body['secret']).toMatch(/^[0-9a-f]{64}$/);
    const { record } = await verifyConsentReceipt(body['receipt'], { shopKey: null, principal, degree: 2, notice: 'v2' });
    expect(record).toMatchObject({ controller: about.controller, notice: about.notices[1], purposes: ['recommend'], gpc: false, retention_period: 'P365D', recipients: ['Hosting Ltd'] });
    expect(record.events).toEqual([{ kind: 'given', degree: 2, time: '2026-01-02T00:00:00.000Z' }]);
  });

  it('counts for the notice in force only', async () => {
    const { ask } = await open();
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, notice: 'v1' }))).toBe('consent.notice');
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, notice: 'v9' }))).toBe('consent.notice');
  });

  it('takes a choice and nothing beside it', async () => {
    const { ask, log, disk } = await open();
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, mail: 'ann@example.org' }))).toBe('usage.invalid');
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, degree: 0 }))).toBe('usage.invalid');
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, principal: 'ann' }))).toBe('usage.invalid');
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, shopper_id: 'customer-7' }))).toBe('shop.unauthorised');
    expect(codeIn(await ask('POST', '/v1/consents', JSON.stringify(choice), { 'Content-Type': 'text/plain' }))).toBe('http.media-type');
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, notice: 'v'.repeat(5_000) }))).toBe('protocol.too-large');
    expect(`${log.join('')}${disk().toString('latin1')}`).not.toContain('ann');
  });

  it('cuts off who sends a bad body', async () => {
    const { ask } = await open();
    expect((await ask('POST', '/v1/consents', '{')).headers.get('Connection')).toBe('close');
  });

  it('writes Global Privacy Control into the receipt, from the header as from the page', async () => {
    const { ask } = await open();
    for (const [body, headers] of [[choice, { 'Sec-GPC': '1' }], [{ ...choice, gpc: true }, {}]] as const) {
      const answer = await ask('POST', '/v1/consents', body, headers);
      expect(consentReceiptSchema.parse(answer.body['receipt']).record.gpc).toBe(true);
    }
  });

  it('is held at degree 2 by a header that the page has not shown to anybody', async () => {
    const { ask } = await open();
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, degree: 3 }, { 'Sec-GPC': '1' }))).toBe('consent.capped');
    expect((await ask('POST', '/v1/consents', { ...choice, degree: 3, gpc: true }, { 'Sec-GPC': '1' })).status).toBe(201);
  });

  it('takes the place of an earlier one of the same principal, which is withdrawn with it', async () => {
    const { ask, agree } = await open();
    const first = await agree(3);
    const second = await agree(2, { replaces: first.id });
    const again = await ask('DELETE', `/v1/consents/${first.id}`, undefined, first.bearer);
    expect(consentReceiptSchema.parse(again.body['receipt']).record.events.map(({ kind }) => kind)).toEqual(['given', 'withdrawn']);
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, principal: 'cd'.repeat(16), replaces: second.id }))).toBe('consent.unknown');
  });

  it('is asked of one address so often and not more', async () => {
    const { ask } = await open();
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask('POST', '/v1/consents', { ...choice, notice: 'v1' })));
    expect(answers.map(codeIn)).toContain('limit.rate');
  });
});

describe('limits', () => {
  it('of an address are not the backend\'s, and do not keep anybody from withdrawing or being erased', async () => {
    const { ask, backend, agree } = await open();
    const [first, second] = [await agree(2), await agree(2, { principal: 'cd'.repeat(16) })];
    const refused = (method: string, path: string) => Promise.all(Array.from({ length: 60 }, () => ask(method, path, method === 'POST' ? { ...choice, notice: 'v1' } : undefined, { Authorization: `Bearer ${'0'.repeat(64)}` })));
    for (const [method, path] of [['POST', '/v1/consents'], ['GET', '/v1/me/export']] as const) expect((await refused(method, path)).map(codeIn)).toContain('limit.rate');
    for (const path of ['/v1/me', `/v1/consents/${first.id}`]) expect((await refused('DELETE', path)).map(codeIn)).toContain('limit.rate');
    const answers = await Promise.all(Array.from({ length: 60 }, () => backend('POST', '/v1/consents', { ...choice, notice: 'v1' })));
    expect(new Set(answers.map(codeIn))).toEqual(new Set(['consent.notice']));
    expect((await ask('DELETE', `/v1/consents/${first.id}`, undefined, first.bearer)).status).toBe(200);
    expect((await ask('DELETE', '/v1/me', undefined, second.bearer)).body).toEqual({ erased: true });
  });
});

describe('the room for consents', () => {
  it('has an end for new shoppers, not for a change of mind', async () => {
    const { ask, agree } = await open({ shoppersAtMost: 1 });
    const { id } = await agree(3);
    expect(codeIn(await ask('POST', '/v1/consents', { ...choice, principal: 'cd'.repeat(16) }))).toBe('limit.capacity');
    const { bearer } = await agree(2, { replaces: id });
    expect((await ask('DELETE', '/v1/me', undefined, bearer)).status).toBe(200);
    await agree(2, { principal: 'cd'.repeat(16) });
  });
});

describe('withdrawing', () => {
  it('needs the secret alone, is signed, and may be done twice', async () => {
    const { ask, agree } = await open();
    const { id, bearer } = await agree(3);
    const first = await ask('DELETE', `/v1/consents/${id}`, undefined, bearer);
    const second = await ask('DELETE', `/v1/consents/${id}`, undefined, bearer);
    expect(first.status).toBe(200);
    expect(second.body).toEqual(first.body);
    const { record } = await verifyConsentReceipt(first.body['receipt'], { shopKey: null, principal, degree: 3, notice: 'v2', last: 'withdrawn' });
    expect(record.events.map(({ kind, degree }) => `${kind} ${degree}`)).toEqual(['given 3', 'withdrawn 0']);
  });

  it('is nobody else\'s to do', async () => {
    const { ask, agree } = await open();
    const { id } = await agree(2);
    expect(codeIn(await ask('DELETE', `/v1/consents/${id}`))).toBe('consent.unknown');
    expect(codeIn(await ask('DELETE', `/v1/consents/${id}`, undefined, { Authorization: `Bearer ${'0'.repeat(64)}` }))).toBe('consent.unknown');
  });

  it('is remembered by the next start, which signs with the same key', async () => {
    const first = await open();
    const { id, bearer } = await first.agree(2);
    await first.ask('DELETE', `/v1/consents/${id}`, undefined, bearer);
    await first.api.close();
    const next = await open({ stateDir: first.stateDir });
    const { body } = await next.ask('DELETE', `/v1/consents/${id}`, undefined, bearer);
    expect(consentReceiptSchema.parse(body['receipt']).record.events).toHaveLength(2);
    expect(next.token).toBe(first.token);
  });
});

describe('the files of a storefront', () => {
  it('are for their owner alone, and hold no secret of a shopper', async () => {
    const { folder, agree, disk } = await open();
    const { secret } = await agree(2);
    for (const file of ['storefront.key', 'storefront.token', 'consents.sealed']) expect(statSync(join(folder, file)).mode & 0o077).toBe(0);
    expect(disk().includes(secret)).toBe(false);
    expect(disk().includes(principal)).toBe(false);
  });

  it('are not begun anew when their key is lost', async () => {
    const { api, stateDir, folder } = await open();
    await api.close();
    const key = readFileSync(join(folder, 'storefront.key'), 'utf8');
    writeFileSync(join(folder, 'storefront.key'), `${'0'.repeat(64)}\n`);
    expect(await codeOf(() => open({ stateDir }))).toBe('storage.failed');
    writeFileSync(join(folder, 'storefront.key'), key);
    await open({ stateDir });
  });
});

describe('pages of other origins', () => {
  it('may call what shoppers need from the origins that are named', async () => {
    const { ask } = await open({ origins: ['https://shop.example'] });
    const preflight = await ask('OPTIONS', '/v1/consents', undefined, { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'POST' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('Access-Control-Allow-Origin')).toBe('https://shop.example');
    expect(preflight.headers.get('Access-Control-Allow-Headers')).toContain('Authorization');
    const answer = await ask('POST', '/v1/consents', choice, { Origin: 'https://shop.example' });
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('https://shop.example');
    expect((await ask('POST', '/v1/consents', choice, { Origin: 'https://other.example' })).headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});
