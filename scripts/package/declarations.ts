/** Types of what others import, as declarations: the compiler's, less what the entries do not speak of. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { root } from './compiled.ts';

const specifier = /(?<=(?:from |import\()['"])(\.[^'"]*)\.ts(?=['"])/g;

/**
 * Throws what the compiler complains of.
 * @param sources below the project
 * @returns texts by the path of their source without `.ts`
 */
export async function declarationsOf(sources: readonly string[], compilerOptions: object = {}): Promise<ReadonlyMap<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'cesta-types-'));
  try {
    const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
    const project = join(folder, 'tsconfig.json');
    await writeFile(project, JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: root, outDir: folder, typeRoots: [join(root, 'node_modules/@types')], ...compilerOptions },
      include: [], files: sources.map((source) => join(root, source)),
    }));
    await promisify(execFile)(process.execPath, [compiler, '-p', project]);
    const texts = new Map<string, string>();
    for (const source of sources) await read(folder, source.replace(/\.ts$/, ''), texts);
    return texts;
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
