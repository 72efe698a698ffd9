/** Types of what pages import, as declarations beside the bundle: the compiler's, less what the entries do not speak of. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { WebFile } from '../../server/web/bundle.ts';
import { storefrontEntries } from './bundle.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const specifier = /(?<=(?:from |import\()['"])(\.[^'"]*)\.ts(?=['"])/g;

/** Throws what the compiler complains of. */
export async function declareStorefront(): Promise<WebFile[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cesta-types-'));
  try {
    const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
    const project = join(folder, 'tsconfig.json');
    await writeFile(project, JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: root, outDir: folder, types: [] },
      include: [], files: Object.values(storefrontEntries).map((source) => join(root, source)),
    }));
    await promisify(execFile)(process.execPath, [compiler, '-p', project]);
    const texts = new Map<string, string>();
    for (const source of Object.values(storefrontEntries)) await read(folder, source.replace(/\.ts$/, ''), texts);
    const entries = Object.entries(storefrontEntries).map(([name, source]) => [`${name}.d.ts`, `export * from './types/${source.replace(/\.ts$/, '.js')}';\n`] as const);
    return [...entries, ...[...texts].map(([path, text]) => [`types/${path}.d.ts`, text] as const)].map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** With all that it speaks of. */
async function read(folder: string, path: string, texts: Map<string, string>): Promise<void> {
  if (texts.has(path)) return;
  const text = await readFile(join(folder, `${path}.d.ts`), 'utf8');
  texts.set(path, text.replace(specifier, '$1.js'));
  for (const [, next] of text.matchAll(specifier)) await read(folder, posix.join(posix.dirname(path), next), texts);
}
