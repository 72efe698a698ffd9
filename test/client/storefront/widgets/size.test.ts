import { expect, it } from 'vitest';
import { storefrontEntries } from '../../../../scripts/storefront/bundle.ts';
import { pageSizes } from '../../../../scripts/storefront/sizes.ts';
import { bundleForBrowsers } from '../../../../server/web/bundle.ts';

const sizes = pageSizes(await bundleForBrowsers(storefrontEntries));
const gzipBytes = (name: string): number => sizes.find((size) => size.name === name)?.gzipBytes ?? NaN;

it('the SDK and the widgets with English texts are at most 14 KB after gzip when a page loads, the widgets at most 8 of them', () => {
  expect(gzipBytes('widgets.js')).toBeGreaterThan(1_000);
  expect(gzipBytes('widgets.js')).toBeLessThanOrEqual(8 * 1024);
  expect(gzipBytes('cesta.js') + gzipBytes('widgets.js')).toBeLessThanOrEqual(14 * 1024);
});

it('the privacy panel and other languages come when they are wanted, each at most 4 KB', () => {
  for (const name of ['privacy panel', 'widgets in Spanish', 'widgets in Polish', 'widgets in Arabic']) {
    expect(gzipBytes(name)).toBeGreaterThan(1_000);
    expect(gzipBytes(name)).toBeLessThanOrEqual(4 * 1024);
  }
});
