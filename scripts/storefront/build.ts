/** `npm run build:storefront`: the bundle as files in `dist/storefront`, and how large it is. */
import { fileURLToPath } from 'node:url';
import { bundleStorefront, writeBundle } from './bundle.ts';

const folder = fileURLToPath(new URL('../../dist/storefront', import.meta.url));
const bundle = await bundleStorefront();
await writeBundle(folder, bundle);
for (const { name, bytes, gzipBytes, budgetBytes } of bundle.sizes) {
  process.stdout.write(`${name}: ${bytes} bytes, ${gzipBytes} after gzip${budgetBytes === null ? '' : ` of ${budgetBytes}`}\n`);
}
