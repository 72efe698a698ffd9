/** The sources as plain JavaScript in a folder of their own: processes that start by the dozen shall not compile each. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const rooms = ['shared', 'client', 'server', 'scripts'];

/** Types are not checked, and data files are left out. @returns the folder, laid out like the checkout */
export async function compileInto(folder: string): Promise<string> {
  const { default: typescript } = await import('typescript');
  const { ModuleKind, ScriptTarget } = typescript;
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022, rewriteRelativeImportExtensions: true };
  for (const room of rooms) {
    for (const name of readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))) {
      const file = join(folder, room, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, typescript.transpileModule(readFileSync(join(root, room, name), 'utf8'), { compilerOptions }).outputText);
    }
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}
