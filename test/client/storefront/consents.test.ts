import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ShopperOptions } from '../../../client/storefront/shopper-state.ts';
import { createShopper, type Shopper } from '../../../client/storefront/shopper.ts';
import type { Fetch } from '../../../client/http.ts';
import { signConsent, type ConsentReceipt } from '../../../shared/commerce/consent-receipt.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { codeOf } from '../fakes.ts';
import { rigs } from '../shop/storefront-api/rig.ts';

const startShop = rigs();

async function shopperOf(options: Partial<ShopperOptions>): Promise<Shopper> {
  const shopper = createShopper({ url: 'https://shop.example/cesta', notice: { version: 'v2' }, ...options });
  onTestFinished(() => shopper.close());
  await shopper.loaded;
  return shopper;
}

/** Passes requests on, and keeps them with their answers. */
function watched(): { readonly fetch: Fetch; readonly sent: string[]; bodyBytes: number } {
  const watch = {
    sent: [] as string[], bodyBytes: 0,
    fetch: (async (url, init) => {
      watch.bodyBytes += init?.body?.length ?? 0;
      const response = await fetch(url, init);
      watch.sent.push(`${init?.method ?? 'GET'} ${new URL(url).pathname.replace(/[0-9a-f]{32}$/, 'ID')} ${response.status}`);
      return response;
    }) satisfies Fetch,
  };
  return watch;
}

describe('consent on the record of the shop', () => {
  it('comes with a receipt that the shop signed, and is withdrawn there when it is here', async () => {
    const shop = await startShop();
    const watch = watched();
    const shopper = await shopperOf({ shop: shop.api.url, fetch: watch.fetch });
    const receipt = await shopper.consent({ degree: 1, notice: 'v2' });
    expect(receipt?.record).toMatchObject({ degree: 1, notice: { version: 'v2' }, gpc: false, events: [{ kind: 'given', degree: 1 }] });
    expect(shopper.privacy).toMatchObject({ degree: 1, receipts: [receipt], sent: { bytes: watch.bodyBytes, messages: 1 } });
    expect((await shopper.export()).consentReceipts).toEqual([receipt]);
    await shopper.consent({ degree: 0 });
    expect(shopper.privacy).toMatchObject({ degree: 0, receipts: [] });
    await expect.poll(() => watch.sent).toEqual(['POST /v1/consents 201', 'DELETE /v1/consents/ID 200']);
  });

  it('raises nothing where the shop does not answer, or has another notice in force', async () => {
    const shop = await startShop();
    const away = await shopperOf({ shop: shop.api.url, fetch: () => Promise.reject(new TypeError('fetch failed')) });
    expect(await codeOf(() => away.consent({ degree: 1, notice: 'v2' }))).toBe('network.unreachable');
    const older = await shopperOf({ shop: shop.api.url, notice: { version: 'v1' } });
    expect(await codeOf(() => older.consent({ degree: 1, notice: 'v1' }))).toBe('consent.notice');
    expect([away.degree, older.degree]).toEqual([0, 0]);
  });

  it('is not put in force on a page that was closed meanwhile, and is taken back at the shop', async () => {
    const shop = await startShop();
    const watch = watched();
    const shopper = await shopperOf({ shop: shop.api.url, fetch: watch.fetch });
    const raising = shopper.consent({ degree: 1, notice: 'v2' });
    await shopper.close();
    expect(await raising).toBeNull();
    expect(shopper.degree).toBe(0);
    expect(watch.sent).toEqual(['POST /v1/consents 201', 'DELETE /v1/consents/ID 200']);
  });

  it('does not count with a receipt of another choice, or by another key', async () => {
    const shop = await startShop();
    const forged = (change: (receipt: ConsentReceipt) => ConsentReceipt): Fetch => async (url, init) => {
      const { receipt, secret } = (await (await fetch(url, init)).json()) as { receipt: ConsentReceipt; secret: string };
      return Response.json({ receipt: change(receipt), secret }, { status: 201 });
    };
    const stranger = signingKey(randomBytes(32));
    for (const change of [
      (receipt: ConsentReceipt) => ({ ...receipt, record: { ...receipt.record, controller: { ...receipt.record.controller, name: 'Other' } } }),
      (receipt: ConsentReceipt) => ({ ...receipt, publicKey: stranger.publicKey }),
      ({ record }: ConsentReceipt) => signConsent(stranger, { ...record, degree: 2, purposes: ['recommend'] }),
    ]) {
      const shopper = await shopperOf({ shop: shop.api.url, fetch: forged(change) });
      expect(await codeOf(() => shopper.consent({ degree: 1, notice: 'v2' }))).toBe('consent.untrusted');
      expect(shopper.privacy).toMatchObject({ degree: 0, receipts: [] });
    }
  });

  it('that a later choice overtook is not put in force, and is taken back at the shop', async () => {
    const shop = await startShop();
    const watch = watched();
    const shopper = await shopperOf({ shop: shop.api.url, fetch: watch.fetch });
    const raising = shopper.consent({ degree: 1, notice: 'v2' });
    await shopper.consent({ degree: 0 });
    expect(await raising).toBeNull();
    expect(shopper.privacy).toMatchObject({ degree: 0, receipts: [] });
    expect(watch.sent).toEqual(['POST /v1/consents 201', 'DELETE /v1/consents/ID 200']);
  });
});
