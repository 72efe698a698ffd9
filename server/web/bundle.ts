/** TypeScript for browsers as files to serve: one file an entry, chunks that entries share or load later, all in one folder. */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { build as buildFunction, Metafile, Plugin } from 'esbuild';
import { CestaError } from '../../shared/protocol/errors.ts';
import { asItStands } from './source-files.ts';

export interface WebFile {
  /** Below the folder that is served. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface WebBundle {
  readonly files: readonly WebFile[];
  /** Paths of outputs begin with `out/`. */
  readonly metafile: Metafile;
}

export interface BundleOptions {
  /** Sources, or modules of packages, that are files of another bundle in the same folder: their names without `.js`. */
  readonly apart?: Readonly<Record<string, string>>;
  readonly load?: typeof loadBundler;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The bundler is there for pages alone: a coordinator without it does all else. */
const loadBundler = (): Promise<{ readonly build: typeof buildFunction }> => import('esbuild');

/**
 * @param entries Name of each file without `.js`, and its source below the project.
 * @throws CestaError `page.unavailable` where there is no bundler, or it cannot make sense of the sources
 */
export async function bundleForBrowsers(entries: Readonly<Record<string, string>>, { apart = {}, load = loadBundler }: BundleOptions = {}): Promise<WebBundle> {
  try {
    const { build } = await load();
    const { outputFiles, metafile } = await build({
      absWorkingDir: root,
      entryPoints: Object.fromEntries(Object.entries(entries).map(([name, source]) => [name, asItStands(source)])),
      outdir: 'out',
      entryNames: '[name]',
      // In one folder: a worker is looked for beside whichever file starts it.
      chunkNames: '[name]-[hash]',
      bundle: true, splitting: true, minify: true, metafile: true, write: false,
      format: 'esm', platform: 'browser', target: 'es2022', logLevel: 'silent',
      jsx: 'automatic', jsxImportSource: 'preact',
      legalComments: 'linked',
      plugins: [fromAnother(apart)],
    });
    return { files: outputFiles.map(({ path, contents }) => ({ path: path.slice(join(root, 'out').length + 1), bytes: contents })), metafile };
  } catch (cause) {
    throw new CestaError('page.unavailable', `page: expected esbuild to put together ${Object.values(entries).join(', ')}, got none that could`, { cause });
  }
}

function fromAnother(apart: Readonly<Record<string, string>>): Plugin {
  const names = new Map(Object.entries(apart).map(([source, name]) => [asItStands(source), name]));
  return {
    name: 'from-another-bundle',
    setup(building) {
      building.onResolve({ filter: /./ }, ({ path, resolveDir, kind }) => {
        const source = path.startsWith('.') ? relative(root, join(resolveDir, path)) : path;
        return kind !== 'entry-point' && names.has(source) ? { path: `./${names.get(source)}.js`, external: true } : null;
      });
    },
  };
}
