import { expect, it } from 'vitest';
import { shelfRequest, surfaceOf } from '../../../../client/storefront/widgets/shelf-request.ts';

const requestOf = (attributes: Readonly<Record<string, string>>) => shelfRequest((name) => attributes[name] ?? null);

it('the attributes of a shelf are its request', () => {
  expect(requestOf({})).toEqual({ limit: 8 });
  expect(requestOf({ surface: 'home', limit: '4' })).toEqual({ surface: 'home', limit: 4 });
  expect(requestOf({ item: 'sku,7' })).toEqual({ item: 'sku,7', limit: 8 });
  expect(requestOf({ items: ' a, b ,,c' })).toEqual({ items: ['a', 'b', 'c'], limit: 8 });
});

it('what does not fit is left for the SDK to refuse', () => {
  expect(requestOf({ limit: 'many' }).limit).toBeNaN();
  expect(requestOf({ surface: 'moon' })).toMatchObject({ surface: 'moon' });
});

it('a shelf without a heading has that of its surface', () => {
  expect([{}, { item: 'a' }, { items: '' }, { surface: 'email' }].map((attributes) => surfaceOf(requestOf(attributes)))).toEqual(['home', 'product', 'cart', 'email']);
});
