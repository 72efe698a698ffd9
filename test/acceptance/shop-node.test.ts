import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSealedLog } from '../../client/shop/storefront-api/sealed-log.ts';
import { meExportSchema, receiptsSchema } from '../../client/shop/storefront-api/me-routes.ts';
import { storeKeys } from '../../client/shop/storefront-api/store-files.ts';
import { startShopNode } from '../../client/shop/shop-node.ts';
import { consentReceiptSchema, verifyConsentReceipt } from '../../shared/commerce/consent-receipt.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import { shopManifestSchema } from '../../shared/commerce/shop-manifest.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { codeOf } from '../client/fakes.ts';
import { codeIn, principal, rigs, type Rig } from '../client/shop/storefront-api/rig.ts';
import { catalogue, silent, taskInput } from '../server/support/fixtures.ts';
import { coordinatorFor } from '../server/support/coordinators.ts';
import { pem, serverTls } from '../server/support/tls.ts';

const open = rigs();
const other = 'cd'.repeat(16);
const view = (item: string, shopper = principal): Record<string, unknown> => ({ event: 'view_item', item_id: item, shopper_id: shopper });
const exported = async ({ ask }: Rig, bearer: Record<string, string>) => meExportSchema.parse((await ask('GET', '/v1/me/export', undefined, bearer)).body);

/** Everything in the sealed files, opened with their keys. */
function opened(folder: string): string {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sealed'));
  const keyOf = storeKeys(folder, files);
  return files.map((file) => {
    const { log, records } = openSealedLog(join(folder, file), keyOf(file));
    log.close();
    return records.map((record) => record.toString('utf8')).join('\n');
  }).join('\n');
}

describe('a shop node', () => {
  it('capability 1: stores nothing of a shopper before there is a signed receipt for it', async () => {
    const rig = await open();
    const events = Array.from({ length: 100 }, (_, index) => view(`sku-${index}`));
    expect((await rig.backend('POST', '/v1/events', { events })).body).toMatchObject({ stored: 0, without_consent: 100 });
    expect(opened(rig.folder).trim()).toBe('');
    const { publicKey } = shopManifestSchema.parse((await rig.ask('GET', '/.well-known/cesta.json')).body);
    const { body } = await rig.ask('POST', '/v1/consents', { principal, degree: 2, notice: 'v2' });
    await verifyConsentReceipt(body['receipt'], { shopKey: publicKey, principal, degree: 2, notice: 'v2' });
    expect((await rig.backend('POST', '/v1/events', { events })).body).toMatchObject({ stored: 100, without_consent: 0 });
  });

  it('capability 6: whatever comes with an event, only fields of the closed schema are stored', async () => {
    const rig = await open();
    await rig.agree(2);
    await fc.assert(fc.asyncProperty(fc.dictionary(fc.constantFrom('email', 'name', 'ip', 'referrer', 'price', 'location', 'user_agent'), fc.constant('unwanted-marker')), fc.constantFrom('view_item', 'purchase'), async (extra, event) => {
      const { status } = await rig.backend('POST', '/v1/events', { events: [{ ...extra, event, shopper_id: principal, items: [{ ...extra, item_id: 'sku-1', quantity: 1 }] }] });
      expect(status).toBe(200);
    }), { numRuns: 25 });
    expect(opened(rig.folder)).toContain('sku-1');
    expect(opened(rig.folder)).not.toContain('unwanted-marker');
  });

  it('capability 6: the log of the server has no address and nothing of what was said', async () => {
    const rig = await open();
    const { id, secret, bearer } = await rig.agree(2);
    await rig.backend('POST', '/v1/events', { events: [view('sku-logged')] });
    await rig.ask('GET', '/v1/similar/sku-logged');
    await rig.ask('GET', '/v1/me/export?mail=ann@example.org', undefined, bearer);
    await rig.ask('DELETE', `/v1/consents/${id}`, undefined, bearer);
    await rig.ask('POST', '/v1/consents', { principal: 'ann@example.org' });
    await rig.ask('GET', '/nowhere/sku-logged');
    const log = rig.log.join('');
    expect(rig.log.filter((line) => line.includes('"msg":"request"'))).toHaveLength(7);
    for (const unwanted of ['127.0.0.1', '::1', 'sku-logged', principal, secret, id, rig.token, 'ann@', 'node-fetch', 'undici']) expect(log).not.toContain(unwanted);
  });

  it('capability 8: gives everything it holds of a shopper, with all receipts', async () => {
    const rig = await open();
    const first = await rig.agree(2, { shopper_id: 'customer-7' });
    const { bearer } = await rig.agree(3, { replaces: first.id });
    await rig.backend('POST', '/v1/events', { events: [view('a'), view('b', 'customer-7')] });
    const own = await exported(rig, bearer);
    expect(own).toMatchObject({ principal, shopper_id: 'customer-7' });
    expect(own.events.map(({ item_id: id }) => id)).toEqual(['a', 'b']);
    const { receipts } = receiptsSchema.parse((await rig.ask('GET', '/v1/me/receipts', undefined, bearer)).body);
    expect(own.receipts).toEqual(receipts);
    expect(receipts.map(({ record }) => record.events.map(({ kind }) => kind).join())).toEqual(['given,withdrawn', 'given']);
    for (const receipt of receipts) await verifyConsentReceipt(receipt, { shopKey: null, principal, degree: receipt.record.degree, notice: 'v2', last: receipt.record.events[receipt.record.events.length - 1].kind });
    // Nothing is held that is not given: what the files have beside it are the digests of secrets.
    for (const line of opened(rig.folder).split('\n').filter(Boolean)) expect(Object.keys(JSON.parse(line) as object).sort().join()).toMatch(/^(events,principal,purposes|record,secretDigest,shopperId)$/);
  });

  it('capability 10: an erasure leaves no item and no name on the disk, sealed or not, and everybody else as they were', async () => {
    const rig = await open();
    const { bearer } = await rig.agree(3, { shopper_id: 'customer-7' });
    const stays = await rig.agree(3, { principal: other });
    await rig.backend('POST', '/v1/events', { events: [view('sku-erased'), view('sku-stays', other)] });
    const before = opened(rig.folder);
    for (const known of ['sku-erased', principal, 'customer-7', 'sku-stays']) expect(before).toContain(known);
    await rig.ask('DELETE', '/v1/me', undefined, bearer);
    const after = `${opened(rig.folder)}${rig.disk().toString('latin1')}`;
    for (const erased of ['sku-erased', principal, 'customer-7']) expect(after).not.toContain(erased);
    expect((await exported(rig, stays.bearer)).events).toMatchObject([{ item_id: 'sku-stays' }]);
  });

  it('capability 11: a page cannot tell it an item at any degree: bodies of consents have no field for one, and events need the backend', async () => {
    const rig = await open({ origins: ['*'] });
    const secrets = await Promise.all([1, 2, 3].map((degree) => rig.agree(degree, { principal: `${degree}`.repeat(32) })));
    for (const degree of [1, 2, 3]) {
      for (const field of ['item_id', 'items', 'events', 'history', 'session']) {
        expect(codeIn(await rig.ask('POST', '/v1/consents', { principal, degree, notice: 'v2', [field]: ['sku-1'] }))).toBe('usage.invalid');
      }
      for (const path of ['/v1/events', '/v1/recommend']) expect(codeIn(await rig.ask('POST', path, { events: [view('sku-1')] }, secrets[degree - 1].bearer))).toBe('shop.unauthorised');
    }
    expect(opened(rig.folder)).not.toContain('sku-1');
  });

  it('capability 14: publishes who it is, what ranks, the promise and who else processes data', async () => {
    const rig = await open();
    const manifest = shopManifestSchema.parse((await rig.ask('GET', '/.well-known/cesta.json')).body);
    expect(manifest.processors).toEqual([{ name: 'Hosting Ltd', purpose: 'runs the server', location: 'Poland' }]);
    expect(manifest.release).toMatchObject({ version: 1, privacy: { epsilon: null } });
    const words = manifest.ranking.main_parameters.join(' ');
    for (const parameter of ['looked at', 'cart', 'popular', 'variety', 'Rules of the shop']) expect(words).toContain(parameter);
    const { receipt } = (await rig.ask('POST', '/v1/consents', { principal, degree: 2, notice: 'v2' })).body;
    expect(consentReceiptSchema.parse(receipt).record).toMatchObject({ controller: manifest.controller, notice: manifest.notices.at(-1), recipients: ['Hosting Ltd'] });
  });

  it('capability 15: is reached from other machines over TLS only', async () => {
    expect(await codeOf(() => open({ host: '0.0.0.0' }))).toBe('transport.insecure');
    const { api } = await open({ host: '0.0.0.0', tls: serverTls });
    const { port } = new URL(api.url);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/healthz', ca: pem('ca.crt'), servername: 'localhost' }, (response) => resolve(response.resume().statusCode)).on('error', reject).end();
    });
    expect(status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });

  it('capability 15: what it keeps of shoppers is sealed: the files begin with the header, and show no marker', async () => {
    const rig = await open();
    const { secret } = await rig.agree(3, { shopper_id: 'customer-marker' });
    await rig.backend('POST', '/v1/events', { events: [view('sku-marker')] });
    for (const file of ['events.sealed', 'consents.sealed']) {
      const bytes = readFileSync(join(rig.folder, file));
      expect(bytes.subarray(0, 12).toString()).toBe('cesta-sealed');
      for (const marker of ['marker', 'view_item', principal, secret, 'recommend', 'Corner Shop']) expect(bytes.includes(marker)).toBe(false);
    }
  });
});

describe('what shoppers agreed to is what is trained on', () => {
  it('capability 7: a round of a real federation has shoppers of degree 3 in it, and neither those of degree 2 nor who withdrew', async () => {
    const rig = await open();
    const files: Dataset = { name: 'orders', catalogue, shoppers: [{ id: 'customer-1', group: '', degree: 3, history: historyOf([{ time: 1, items: [0] }]) }], report: { lines: 1, used: 1, complaints: [] } };
    const degrees = { ['aa'.repeat(16)]: 3, ['bb'.repeat(16)]: 3, ['cc'.repeat(16)]: 2, ['dd'.repeat(16)]: 3 };
    for (const [one, degree] of Object.entries(degrees)) {
      const { id, bearer } = await rig.agree(degree, { principal: one });
      await rig.backend('POST', '/v1/events', { events: [view('bread', one)] });
      if (one.startsWith('dd')) await rig.ask('DELETE', `/v1/consents/${id}`, undefined, bearer);
    }
    const coordinator = await coordinatorFor({ task: taskInput({ min: 1, target: 1 }) });
    const node = startShopNode({ shop: 'corner-shop', dataset: () => rig.api.join(files), coordinator: new URL(coordinator.url), stateDir: rig.stateDir, logger: silent, once: true });
    onTestFinished(() => node.close());
    expect((await node.done).rounds).toBe(1);
    const { releases } = await (await fetch(`${coordinator.url}/v1/releases`)).json() as { releases: { shoppers: number }[] };
    expect(releases.map(({ shoppers }) => shoppers)).toEqual([3]);
  });
});
