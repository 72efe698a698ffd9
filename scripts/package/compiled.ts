/** The sources as plain JavaScript in a folder of their own: for the package, and for processes that start by the dozen. */
import { copyFileSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { isCompiled } from '../../server/web/source-files.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const rooms = ['shared', 'client', 'server', 'scripts'];
/** Data, pages and the command; what documents the sources stays with them. */
const assets = new Set(['.gz', '.html', '.css', '.mjs', '.service']);
/** Written in another language than it looks like, and compiled by `npm run build:kernels`. */
const assembly = join('shared', 'kernels', 'assembly');

/** Lays the folder out like the checkout. Types are not checked. */
export async function compileInto(folder: string): Promise<void> {
  const files = rooms.flatMap((room) => readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => join(room, name))).filter((path) => !path.startsWith(assembly));
  await build({
    absWorkingDir: root,
    entryPoints: files.filter((path) => /\.tsx?$/.test(path)),
    outdir: folder, outbase: root,
    // File by file, as nothing is resolved: a bundle only because plugins are asked about imports of bundles alone.
    bundle: true, plugins: [compiledImports], packages: 'external',
    format: 'esm', platform: 'neutral', target: 'es2023', logLevel: 'silent',
    jsx: 'automatic', jsxImportSource: 'preact',
  });
  for (const path of files.filter((file) => assets.has(extname(file)))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(join(root, path), join(folder, path));
  }
}

/** What processes can run: this tree if it is compiled, or else one that is made in the folder. @returns its folder */
export async function runnableTree(folder: string): Promise<string> {
  if (isCompiled) return root;
  await compileInto(folder);
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}

const compiledImports: Plugin = {
  name: 'compiled-imports',
  setup(building) {
    building.onResolve({ filter: /^\./ }, ({ path, kind }) => kind === 'entry-point' ? null : { path: path.replace(/\.tsx?$/, '.js'), external: true });
  },
};
