/**
 * The storefront SDK as files for browsers: the SDK, the worker that takes part in rounds, what they share, and the
 * WebAssembly of the tensor backend beside them. Each entry loads the rest only when it is needed.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bundleForBrowsers, type WebFile } from '../../server/web/bundle.ts';
import { licenceFile } from './licences.ts';
import { pageSizes, workerSizes, type LoadSize } from './sizes.ts';

/** What pages import by name, and its source. */
export const storefrontEntries = {
  cesta: 'client/storefront/sdk.ts',
  'take-part': 'client/storefront/take-part.ts',
  widgets: 'client/storefront/widgets/widgets.ts',
} as const;

/**
 * Apart from what pages load: chunks hold whole modules, and what a worker needs of one, or what verifies where WebCrypto does
 * not, would be in every page.
 */
const workerEntries = { 'device-worker': 'client/storefront/device-worker.ts', 'held-on-device': 'client/storefront/held-on-device.ts' };
const fallbackEntries = { ed25519: '@noble/curves/ed25519.js' };
const apart = { 'client/storefront/held-on-device.ts': 'held-on-device', '@noble/curves/ed25519.js': 'ed25519' };

/** The page of `cesta browser`. */
const pageEntry = { page: 'scripts/storefront/page.ts' };

export interface Bundle {
  readonly files: readonly WebFile[];
  readonly sizes: readonly LoadSize[];
}

/** @param withPage with the page of `cesta browser` */
export async function bundleStorefront({ withPage = false }: { withPage?: boolean } = {}): Promise<Bundle> {
  const pages = await bundleForBrowsers(withPage ? { ...storefrontEntries, ...pageEntry } : storefrontEntries, { apart });
  const [worker, fallback] = [await bundleForBrowsers(workerEntries), await bundleForBrowsers(fallbackEntries)];
  const inputs = [pages, worker, fallback].flatMap(({ metafile }) => Object.keys(metafile.inputs));
  return { files: [...pages.files, ...worker.files, ...fallback.files, ...(await wasmFiles()), licenceFile(inputs)], sizes: [...pageSizes(pages), ...workerSizes(worker)] };
}

/** Empties the folder first: chunks are named by their content, and old ones would stay for ever. */
export async function writeBundle(folder: string, files: readonly WebFile[]): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const { path, bytes } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

/** The WebAssembly of the tensor backend, which a worker looks for beside itself. */
export async function wasmFiles(): Promise<WebFile[]> {
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  const names = (await readdir(folder)).filter((name) => name.endsWith('.wasm'));
  return Promise.all(names.map(async (name) => ({ path: name, bytes: await readFile(join(folder, name)) })));
}
