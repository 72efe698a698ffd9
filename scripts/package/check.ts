/**
 * `npm run check:package`: packs what would be published, holds it against publint, installs it from its tarball into an empty
 * folder, and uses it there as others would: imports, types, the command. Fetches the dependencies from the registry.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { root } from './compiled.ts';
import { entryExample, packageEntries } from './entries.ts';

const run = promisify(execFile);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const packedSchema = z.array(z.object({ filename: z.string(), size: z.number(), unpackedSize: z.number(), entryCount: z.number() })).length(1);

const folder = await mkdtemp(join(tmpdir(), 'cesta-package-'));
try {
  // Scripts write to stdout, too: the JSON is what follows them.
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, maxBuffer: 2 ** 26 });
  const [{ filename, size, unpackedSize, entryCount }] = packedSchema.parse(JSON.parse(stdout.slice(stdout.indexOf('[\n'))));
  say(`${filename}: ${entryCount} files, ${size} bytes, ${unpackedSize} unpacked`);
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  await run('npm', ['install', '--no-audit', '--no-fund', join(folder, filename)], { cwd: folder, maxBuffer: 2 ** 26 });
  await lint(join(folder, 'node_modules', 'cesta'));
  await checkTypes();
  await useIt();
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Suggestions count, too. */
async function lint(installed: string): Promise<void> {
  const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
  if (messages.length > 0) throw new Error(messages.map((message) => formatMessage(message, pkg)).join('\n'));
  say('publint: nothing to say');
}

/** What the documentation shows: each example is a module of its own. */
async function writeExamples(): Promise<readonly string[]> {
  const blocks = (await readFile(join(root, 'README.md'), 'utf8')).matchAll(/```ts\n([^]*?)```/g);
  const examples = [...[...packageEntries().values()].map(entryExample), ...[...blocks].map(([, code]) => code)].filter((code) => code !== '');
  return Promise.all(examples.map(async (code, index) => {
    const name = `example${index}.mts`;
    await writeFile(join(folder, name), `${code}\nexport {};\n`);
    return name;
  }));
}

/** The declarations, with those of the libraries that they name, as a strict project sees them. */
async function checkTypes(): Promise<void> {
  const imports = [...packageEntries().keys()].map((name, index) => `import * as entry${index} from '${name}';\nvoid entry${index};`);
  await writeFile(join(folder, 'use.mts'), `${imports.join('\n')}\nimport { evaluate, type EvaluationResult } from 'cesta';\nexport const result: Promise<EvaluationResult> = evaluate({ data: 'online-retail', model: 'popularity' });\n`);
  const files = ['use.mts', ...(await writeExamples())];
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  for (const module of [['nodenext', 'nodenext'], ['esnext', 'bundler']]) {
    await run(process.execPath, [compiler, '--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2023', '--lib', 'es2023,dom,dom.iterable', '--module', module[0], '--moduleResolution', module[1], ...files], { cwd: folder }).catch((error: unknown) => {
      throw new Error(z.object({ stdout: z.string() }).parse(error).stdout, { cause: error });
    });
    say(`types: a strict project with moduleResolution ${module[1]} compiles, with ${files.length - 1} examples`);
  }
}

async function useIt(): Promise<void> {
  for (const name of packageEntries().keys()) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', `console.log(Object.keys(await import('${name}')).join(' '))`], { cwd: folder });
    say(`${name}: ${stdout.trim()}`);
  }
  for (const args of [['doctor', '--help'], ['evaluate', '--data', 'online-retail', '--model', 'popularity', '--json'], ['demo', '--rounds', '1', '--once', '--json']]) {
    const { stdout } = await run('npx', ['--no-install', 'cesta', ...args], { cwd: folder });
    say(`npx cesta ${args.join(' ')}: ${stdout.trim().split('\n')[0].slice(0, 160)}`);
  }
}
