import { describe, expect, it } from 'vitest';
import { historyOf, visitCount, visitItems } from '../../../../shared/commerce/history.ts';
import type { Dataset, Shopper } from '../../../../shared/datasets/dataset.ts';
import { catalogueOf } from '../../../ranking/training.ts';
import { principal, rigs, type Rig } from './rig.ts';

const open = rigs();
const catalogue = catalogueOf('a', 'b', 'c');
const shopper = (id: string, ...items: number[]): Shopper => ({ id, group: '', degree: 3, history: historyOf([{ time: 1_000, items }]) });
const files: Dataset = { name: 'orders', catalogue, shoppers: [shopper('customer-7', 0), shopper('customer-8', 1)], report: { lines: 2, used: 2, complaints: [] } };

/** `id degree items of visit | items of visit` of each shopper. */
function joined({ api }: Rig, data = files): string[] {
  return api.join(data).shoppers.map(({ id, degree, history }) => {
    const visits = Array.from({ length: visitCount(history) }, (_, visit) => [...visitItems(history, visit)].map((item) => catalogue.products[item].id).join(''));
    return `${id} ${degree} ${visits.join('|')}`;
  }).sort();
}
const view = (item: string, shopperId = principal): Record<string, unknown> => ({ event: 'view_item', item_id: item, shopper_id: shopperId });

describe('what a shop trains on', () => {
  it('is its files, while nobody has said anything', async () => {
    expect(joined(await open())).toEqual(['customer-7 3 a', 'customer-8 3 b']);
  });

  it('grows by what shoppers of degree 3 do, as shoppers of their own or with their lines in the files', async () => {
    const rig = await open();
    await rig.agree(3);
    await rig.agree(3, { principal: 'cd'.repeat(16), shopper_id: 'customer-7' });
    await rig.backend('POST', '/v1/events', { events: [view('b'), view('b'), view('unknown'), view('c', 'customer-7')] });
    expect(joined(rig)).toEqual([`${principal} 3 b`, 'customer-7 3 a|c', 'customer-8 3 b']);
  });

  it('has one shopper of all devices that the shop knows by one name, in its files or not, at the lowest of their degrees', async () => {
    const rig = await open();
    const [tablet, phone] = ['cd'.repeat(16), 'ef'.repeat(16)];
    await rig.agree(3, { shopper_id: 'customer-7' });
    await rig.agree(3, { principal: tablet, shopper_id: 'customer-7' });
    await rig.agree(3, { principal: phone, shopper_id: 'customer-9' });
    await rig.agree(3, { principal: '01'.repeat(16), shopper_id: 'customer-9' });
    await rig.backend('POST', '/v1/events', { events: [view('b', principal), view('c', tablet), view('a', phone), view('b', '01'.repeat(16))] });
    expect(joined(rig)).toEqual(['customer-7 3 a|b|c', 'customer-8 3 b', `${phone} 3 a|b`]);
    await rig.agree(2, { principal: tablet, shopper_id: 'customer-7' });
    await rig.agree(2, { principal: phone, shopper_id: 'customer-9' });
    expect(joined(rig)).toEqual(['customer-7 2 a', 'customer-8 3 b']);
  });

  it('has the lower of what a receipt and the files say of a shopper', async () => {
    const rig = await open();
    await rig.agree(3, { shopper_id: ' customer-7 ' });
    const data: Dataset = { ...files, shoppers: [{ ...files.shoppers[0], degree: 1 }] };
    expect(joined(rig, data)).toEqual(['customer-7 1 a']);
    expect((await rig.backend('POST', '/v1/events', { events: [view(' b', 'customer-7 ')] })).body).toMatchObject({ stored: 1 });
    expect(joined(rig)).toEqual(['customer-7 3 a|b', 'customer-8 3 b']);
  });

  it('has nothing of shoppers of degree 2, also where the files vouch for them', async () => {
    const rig = await open();
    await rig.agree(2);
    await rig.agree(2, { principal: 'cd'.repeat(16), shopper_id: 'customer-7' });
    await rig.backend('POST', '/v1/events', { events: [view('b'), view('c', 'customer-7')] });
    expect(joined(rig)).toEqual(['customer-7 2 a', 'customer-8 3 b']);
  });

  it('has nothing that was stored at degree 2 after a rise to 3', async () => {
    const rig = await open();
    const { id } = await rig.agree(2);
    await rig.backend('POST', '/v1/events', { events: [view('a')] });
    await rig.agree(3, { replaces: id });
    await rig.backend('POST', '/v1/events', { events: [view('b')] });
    expect(joined(rig)).toContain(`${principal} 3 b`);
  });

  it('loses who withdraws, from the files as well, and who is erased', async () => {
    const rig = await open();
    const { id, bearer } = await rig.agree(3, { shopper_id: 'customer-7' });
    const gone = await rig.agree(3, { principal: 'cd'.repeat(16) });
    await rig.backend('POST', '/v1/events', { events: [view('b'), view('c', 'cd'.repeat(16))] });
    await rig.ask('DELETE', `/v1/consents/${id}`, undefined, bearer);
    await rig.ask('DELETE', '/v1/me', undefined, gone.bearer);
    expect(joined(rig)).toEqual(['customer-7 0 a', 'customer-8 3 b']);
  });

  it('does not go back to the files of who was erased, until they agree anew', async () => {
    const rig = await open();
    const { bearer } = await rig.agree(3, { shopper_id: 'customer-7' });
    await rig.ask('DELETE', '/v1/me', undefined, bearer);
    await rig.api.close();
    const next = await open({ stateDir: rig.stateDir });
    expect(joined(next)).toEqual(['customer-7 0 a', 'customer-8 3 b']);
    await next.agree(3, { shopper_id: 'customer-7' });
    expect(joined(next)).toEqual(['customer-7 3 a', 'customer-8 3 b']);
  });
});
