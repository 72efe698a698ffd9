/** The demo's shop as files for browsers: the page with the SDK in it, the worker of the device, and the WebAssembly it may load. */
import { readFile } from 'node:fs/promises';
import { bundleForBrowsers, type WebFile } from '../../../server/web/bundle.ts';
import { wasmFiles } from '../../storefront/bundle.ts';

/** Apart, as the SDK's own: a worker loads its own copy of what it needs. */
const entries = [{ page: 'scripts/demo/shop/page/main.tsx' }, { 'device-worker': 'scripts/demo/shop/page/device-worker.ts' }];

export async function demoShopFiles(): Promise<WebFile[]> {
  const bundles = await Promise.all(entries.map((entry) => bundleForBrowsers(entry)));
  const written = await Promise.all(['index.html', 'shop.css'].map(async (path) => ({ path, bytes: await readFile(new URL(`page/${path}`, import.meta.url)) })));
  return [...bundles.flatMap(({ files }) => files), ...(await wasmFiles()), ...written];
}
