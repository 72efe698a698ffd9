/** `npm run build:storefront`: the bundle and its types as files in `dist/storefront`, and how large it is. */
import { fileURLToPath } from 'node:url';
import { bundleStorefront, writeBundle } from './bundle.ts';
import { declareStorefront } from './types.ts';

const folder = fileURLToPath(new URL('../../dist/storefront', import.meta.url));
const [bundle, types] = [await bundleStorefront(), await declareStorefront()];
await writeBundle(folder, [...bundle.files, ...types]);
for (const { name, bytes, gzipBytes, budgetBytes } of bundle.sizes) {
  process.stdout.write(`${name}: ${bytes} bytes, ${gzipBytes} after gzip${budgetBytes === null ? '' : ` of ${budgetBytes}`}\n`);
}
