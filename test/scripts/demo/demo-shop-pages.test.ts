import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../client/shop/read-data.ts';
import { parseAbout } from '../../../client/shop/storefront-api/about.ts';
import { aboutDemoShop } from '../../../scripts/demo/shop/about.ts';
import { departmentOf, departments } from '../../../scripts/demo/shop/page/departments.ts';
import { products, readable, search } from '../../../scripts/demo/shop/page/products.ts';
import { tileOf } from '../../../scripts/demo/shop/page/tile.ts';
import { ar } from '../../../scripts/demo/shop/page/words/ar.ts';
import { en } from '../../../scripts/demo/shop/page/words/en.ts';
import { es } from '../../../scripts/demo/shop/page/words/es.ts';
import { pl } from '../../../scripts/demo/shop/page/words/pl.ts';

const { catalogue } = await readDataset('online-retail');

/** Every text of a table, those that are made from numbers with one that stands for them. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'function') return [String((value as (...values: unknown[]) => unknown)(2, '7'))];
  return Object.values(value as object).flatMap(textsOf);
}

describe('the products of the demo shop', () => {
  it('are in departments that all have some, and mostly in one with a name', () => {
    const counts = new Map(departments.map((name) => [name, catalogue.products.filter(({ title }) => departmentOf(title.toLowerCase()) === name).length]));
    expect(Math.min(...counts.values())).toBeGreaterThan(30);
    expect(counts.get('more')).toBeLessThan(catalogue.products.length / 4);
    expect(departmentOf('regency cakestand 3 tier')).toBe('kitchen');
    expect(departmentOf('lunch bag red retrospot')).toBe('kitchen');
    expect(departmentOf('jumbo bag red retrospot')).toBe('bags');
  });

  it('are found by words of their titles, in any order, within a department', () => {
    products.value = new Map(catalogue.products.map(({ id, title, price = 0 }) => [id, { id, title: readable(title, id), price, department: departmentOf(title.toLowerCase()) }]));
    expect(search({ text: ' CAKESTAND regency', department: null }).map(({ title }) => title)).toContain('Regency cakestand 3 tier');
    expect(search({ text: 'cakestand', department: 'garden' })).toEqual([]);
    expect(search({ text: '', department: null })).toHaveLength(catalogue.products.length);
    expect(search({ text: 'no such thing', department: null })).toEqual([]);
  });

  it('have a picture that is the same each time, their own, and fetched from nowhere', () => {
    const pictures = catalogue.products.map((product) => tileOf(product));
    expect(catalogue.products.map((product) => tileOf(product))).toEqual(pictures);
    expect(new Set(pictures).size).toBeGreaterThan(catalogue.products.length * 0.8);
    for (const picture of pictures) {
      const svg = decodeURIComponent(picture.slice('data:image/svg+xml,'.length));
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 120 120">[^]*<\/svg>$/);
      expect(svg).not.toMatch(/NaN|undefined|href|url\((?!#)|style=/);
    }
  });
});

describe('the texts of the demo shop', () => {
  const tables = { en, es, pl, ar };

  it('say in each language the same number of things, none of them empty', () => {
    for (const table of Object.values(tables)) {
      const texts = textsOf(table);
      expect(texts).toHaveLength(textsOf(en).length);
      expect(texts.filter((text) => text.trim() === '' || /undefined|NaN|\[object/.test(text))).toEqual([]);
    }
    for (const table of [es, pl, ar]) expect(textsOf(table).filter((text, index) => text.length > 20 && text === textsOf(en)[index])).toEqual([]);
  });

  it('promise nothing that degree 3 does not keep', () => {
    const forbidden = /anonym|anónim|anonim|مجهول|nothing leaves|nada sale|nic nie opuszcza|لا شيء يغادر|100 ?%|guarantee/i;
    for (const [language, table] of Object.entries(tables)) expect([language, textsOf(table).filter((text) => forbidden.test(text))]).toEqual([language, []]);
    for (const { drawer, privacy } of Object.values(tables)) {
      expect(drawer.explain).toHaveLength(4);
      expect(drawer.explain[3]).not.toBe(drawer.explain[2]);
      expect(privacy.sections).toHaveLength(en.privacy.sections.length);
      // What withdrawal cannot do, and that epsilon bounds it.
      expect(privacy.sections[4][1]).toHaveLength(2);
    }
  });

  it('are what receipts of consent name, by digest', () => {
    const about = parseAbout(aboutDemoShop(new URL('http://127.0.0.1:8080/')));
    expect(about.notices.map(({ version, url }) => [version, url])).toEqual([['demo-2', 'http://127.0.0.1:8080/privacy']]);
    expect(en.privacy.changes.map(([version]) => version)).toContain('demo-2');
  });
});
