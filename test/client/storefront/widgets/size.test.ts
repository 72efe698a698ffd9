import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundleForBrowsers } from '../../../../server/web/bundle.ts';

const { files, metafile } = await bundleForBrowsers({ widgets: 'client/storefront/widgets/widgets.ts' });

function gzipBytes(paths: Iterable<string>): number {
  return [...paths].reduce((sum, path) => sum + gzipSync(files.find((file) => `out/${file.path}` === path)?.bytes ?? new Uint8Array(0), { level: 9 }).length, 0);
}

/** What a file loads, itself included. */
function closure(path: string, kinds: readonly string[], seen = new Set<string>()): Set<string> {
  if (!seen.has(path)) {
    seen.add(path);
    for (const { path: next, kind } of metafile.outputs[path].imports) if (kinds.includes(kind)) closure(next, kinds, seen);
  }
  return seen;
}

const later = (file: string): string => Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint === `client/storefront/widgets/${file}`) ?? `no chunk of ${file}`;
const atOnce = closure('out/widgets.js', ['import-statement']);

it('the widgets with English texts are at most 8 KB after gzip when a page loads', () => {
  expect(gzipBytes(atOnce)).toBeGreaterThan(1_000);
  expect(gzipBytes(atOnce)).toBeLessThanOrEqual(8 * 1024);
});

it('the privacy panel and other languages come when they are wanted, each at most 4 KB', () => {
  for (const file of ['privacy.ts', 'texts/es.ts', 'texts/pl.ts', 'texts/ar.ts']) {
    expect(atOnce).not.toContain(later(file));
    expect(gzipBytes([later(file)])).toBeGreaterThan(1_000);
    expect(gzipBytes([later(file)])).toBeLessThanOrEqual(4 * 1024);
  }
});
