import { readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const rooms = ['shared/ranking', 'shared/recommender'];

const files = rooms.flatMap((room) => readdirSync(resolve(root, room), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => resolve(root, room, name)));

const code = (file: string): string => readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

/** Modules that speak of shoppers beyond what they touched, or of what they paid. */
const ofShoppers = /commerce\/(consent|consent-receipt|consent-signals|degree-schema|preferences|purposes|events|changed-settings)\.ts|datasets\/|evaluation\/|identity\//;
/** A shopper's price or attributes under any name that data sets and events have for them. */
const attributes = /\b(paid|pricePaid|price_paid|revenue|unitPrice|unit_price|orderValue|income|age|gender|country|postcode|zip|location|email|shopper_id|shopperId|userAgent)\b/;

describe('ranking and recommending', () => {
  it('are files that these tests read', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(files.some((file) => file.endsWith('shelf.ts'))).toBe(true);
    expect(code(resolve(root, 'shared/commerce/events.ts'))).toMatch(attributes);
  });

  it('capability 7: import nothing about who a shopper is or what they agreed to', () => {
    const imports = files.flatMap((file) => [...code(file).matchAll(/(?:from|import\()\s*'([^']+)'/g)].filter(([, specifier]) => ofShoppers.test(specifier)).map(([, specifier]) => `${relative(root, file)} ${specifier}`));
    expect(imports).toEqual([]);
  });

  it('capability 7: know no attribute of a shopper, and no price but that on the shelf', () => {
    expect(files.filter((file) => attributes.test(code(file))).map((file) => relative(root, file))).toEqual([]);
    // The one price there is comes with the public product.
    const readers = files.filter((file) => /\bprice\b/.test(code(file))).map((file) => relative(root, file));
    expect(readers.sort()).toEqual(['shared/ranking/product-filter.ts', 'shared/ranking/rules.ts', 'shared/recommender/neighbours/public-part.ts']);
    for (const file of readers.filter((name) => !name.endsWith('/rules.ts'))) expect(code(resolve(root, file)), file).toContain('/commerce/catalogue.ts');
  });
});
