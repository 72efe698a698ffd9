/**
 * The storefront SDK as files for browsers: the SDK, the worker that takes part in rounds, what they share, and the
 * WebAssembly of the tensor backend beside them. Each entry loads the rest only when it is needed.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Metafile } from 'esbuild';
import { bundleForBrowsers, type WebFile } from '../../server/web/bundle.ts';

const entries = {
  cesta: 'client/storefront/sdk.ts',
  'device-worker': 'client/storefront/device-worker.ts',
  widgets: 'client/storefront/widgets/widgets.ts',
};

/** The page of `cesta browser`. */
const pageEntry = { page: 'scripts/storefront/page.ts' };

export interface BundleSize {
  readonly entry: string;
  /** What the entry loads at once, and what it may load later. */
  readonly load: 'at once' | 'later';
  readonly bytes: number;
  readonly gzipBytes: number;
}

export interface Bundle {
  readonly files: readonly WebFile[];
  readonly sizes: readonly BundleSize[];
}

/** @param withPage with the page of `cesta browser` */
export async function bundleStorefront({ withPage = false }: { withPage?: boolean } = {}): Promise<Bundle> {
  const { files: scripts, metafile } = await bundleForBrowsers(withPage ? { ...entries, ...pageEntry } : entries);
  return { files: [...scripts, ...(await wasmFiles())], sizes: sizesOf(metafile, new Map(scripts.map(({ path, bytes }) => [path, bytes]))) };
}

/** Empties the folder first: chunks are named by their content, and old ones would stay for ever. */
export async function writeBundle(folder: string, { files }: Bundle): Promise<void> {
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

function sizesOf({ outputs }: Metafile, contents: ReadonlyMap<string, Uint8Array>): BundleSize[] {
  const named = new Map(Object.entries(outputs).map(([path, output]) => [path.slice('out/'.length), output]));
  function closure(path: string, kinds: readonly string[], seen = new Set<string>()): Set<string> {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const { path: next, kind } of named.get(path)?.imports ?? []) if (kinds.includes(kind)) closure(next.slice('out/'.length), kinds, seen);
    return seen;
  }
  return Object.keys(entries).flatMap((name) => {
    const entry = `${basename(name)}.js`;
    const atOnce = closure(entry, ['import-statement']);
    const later = new Set([...closure(entry, ['import-statement', 'dynamic-import'])].filter((path) => !atOnce.has(path)));
    return ([['at once', atOnce], ['later', later]] as const).map(([load, paths]) => {
      const all = [...paths].map((path) => contents.get(path) ?? new Uint8Array(0));
      return { entry, load, bytes: total(all.map(({ length }) => length)), gzipBytes: total(all.map((bytes) => gzipSync(bytes, { level: 9 }).length)) };
    });
  });
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
