import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { compileInto, root } from '../../../scripts/package/compiled.ts';
import { entryExample, packageEntries, packageFolder } from '../../../scripts/package/entries.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'cesta-package-'));
const installed = join(folder, 'node_modules', 'cesta');
/** What README.md sends its readers to; that of the data has its licence. */
const readmes = ['client/README.md', 'scripts/README.md', 'server/README.md', 'shared/README.md', 'shared/datasets/README.md'];
let packed: { readonly size: number; readonly paths: readonly string[] };

const packedSchema = z.array(z.object({ filename: z.string(), size: z.number(), files: z.array(z.object({ path: z.string() })) })).length(1);

const resultSchema = z.object({ cells: z.array(z.object({ metrics: z.object({ 'ndcg@10': z.object({ mean: z.number() }) }) })).length(1) });

/** As `npm pack` and `npm install` do, but for the types, which take the compiler long, and with the dependencies of the checkout. */
beforeAll(async () => {
  const staged = join(folder, 'staged');
  await compileInto(join(staged, packageFolder));
  for (const file of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'scripts/cesta.mjs', ...readmes]) {
    mkdirSync(dirname(join(staged, file)), { recursive: true });
    copyFileSync(join(root, file), join(staged, file));
  }
  // None of these is asked for.
  for (const file of ['test/secret.test.js', 'secrets/database-password', 'runs/mine/result.json', 'scripts/evaluate.ts']) {
    mkdirSync(dirname(join(staged, file)), { recursive: true });
    writeFileSync(join(staged, file), 'not to be shipped');
  }
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: staged, maxBuffer: 2 ** 26 });
  const [{ filename, size, files }] = packedSchema.parse(JSON.parse(stdout));
  packed = { size, paths: files.map(({ path }) => path) };
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', installed]);
  symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'), 'junction');
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const node = async (...args: string[]): Promise<string> => (await run(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 24 })).stdout;
const cesta = (...args: string[]): Promise<string> => node(join(installed, 'scripts/cesta.mjs'), ...args);

describe('the package', () => {
  it('has the compiled sources and their data, and nothing else of the project', () => {
    const strange = packed.paths.filter((path) => !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|(client|scripts|server|shared(\/datasets)?)\/README\.md|scripts\/cesta\.mjs|dist\/package\/(shared|client|server|scripts)\/.*\.(js|mjs|gz|html|css|service))$/.test(path));
    expect(strange).toEqual([]);
    expect(packed.paths).toEqual(expect.arrayContaining([`${packageFolder}/shared/datasets/online-retail.bin.gz`, `${packageFolder}/server/dashboard/page/index.html`, 'LICENSE', 'SECURITY.md', ...readmes]));
    expect(packed.size).toBeLessThan(3_000_000);
  });

  it('is as publint wants it, once the compiler has added the types', async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false });
    const others = messages.filter(({ code, path }) => !(code === 'FILE_DOES_NOT_EXIST' && path.at(-1) === 'types'));
    expect(others).toEqual([]);
  });

  it('exports the same modules by name as the checkout resolves and the documentation describes', () => {
    const { compilerOptions } = z.object({ compilerOptions: z.object({ paths: z.record(z.string(), z.array(z.string())) }) }).parse(JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')));
    const { entryPoints } = z.object({ entryPoints: z.array(z.string()) }).parse(JSON.parse(readFileSync(join(root, 'typedoc.json'), 'utf8')));
    expect(Object.entries(compilerOptions.paths).map(([name, [path]]) => [name, path.replace('./', '')])).toEqual([...packageEntries()]);
    expect(entryPoints).toEqual([...packageEntries().values()]);
  });

  it('loads every export, and with none of them a tensor library', async () => {
    const code = `
      const found = {};
      for (const name of ${JSON.stringify([...packageEntries().keys()])}) found[name] = Object.keys(await import(name));
      const { createRequire } = await import('node:module');
      found.tensors = Object.keys(createRequire('/').cache).filter((path) => path.includes('tensorflow'));
      console.log(JSON.stringify(found));`;
    const found: unknown = JSON.parse(await node('--input-type=module', '--eval', code));
    expect(found).toMatchObject({
      cesta: expect.arrayContaining(['simulate', 'experiment', 'sweep', 'runExperiment', 'evaluate', 'frontier', 'readDataset', 'CestaError']) as unknown,
      'cesta/shared': expect.arrayContaining(['createModel', 'epsilonOf', 'splitHistories']) as unknown,
      'cesta/shop': expect.arrayContaining(['startShopNode', 'startStorefrontApi']) as unknown,
      'cesta/server': ['CestaError', 'startCoordinator'],
      'cesta/storefront': expect.arrayContaining(['createCesta', 'CestaError']) as unknown,
      'cesta/storefront/take-part': ['takePart'],
      'cesta/storefront/widgets': expect.arrayContaining(['defineWidgets']) as unknown,
      tensors: [],
    });
  });

  it.each(['scripts/index.ts', 'shared/index.ts'])('runs the example that %s opens with', async (source) => {
    writeFileSync(join(folder, 'example.mjs'), entryExample(source));
    const lines = (await node('example.mjs')).trim().split('\n');
    expect(entryExample(source).match(/console\.log/g)).toHaveLength(lines.length);
  });

  it('starts the coordinator of the example that server/index.ts opens with', async () => {
    symlinkSync(join(root, 'node_modules', 'pino'), join(folder, 'node_modules', 'pino'), 'junction');
    writeFileSync(join(folder, 'example.mjs'), `${entryExample('server/index.ts').replace('port: 8787', 'port: 0')}console.log(coordinator.state().task);\nawait coordinator.close();\n`);
    expect((await node('example.mjs')).split('\n')).toContain('main');
  });

  it('has the command, which runs an experiment of a folder of CommonJS', async () => {
    expect(await cesta('doctor', '--help')).toContain('Usage: cesta doctor');
    writeFileSync(join(folder, 'mine.ts'), "import { experiment } from 'cesta';\nexport default experiment({ model: 'popularity', privacy: { epsilon: Infinity } });\n");
    const { cells: [{ metrics }] } = resultSchema.parse(JSON.parse(await cesta('experiment', 'mine.ts', '--jobs', '1', '--json')));
    // What the table of the README has for popularity.
    expect(metrics['ndcg@10'].mean).toBeCloseTo(0.0349, 4);
  });

  it('has pages, put together from what it ships', async () => {
    const code = `
      import { bundleStorefront } from ${JSON.stringify(join(installed, packageFolder, 'scripts/storefront/bundle.js'))};
      import { findPageFile } from ${JSON.stringify(join(installed, packageFolder, 'server/dashboard/page-files.js'))};
      console.log(JSON.stringify([(await bundleStorefront({ withPage: true })).files.length, (await findPageFile('dashboard.js')).bytes.length]));`;
    const [files, bytes] = z.tuple([z.number(), z.number()]).parse(JSON.parse(await node('--input-type=module', '--eval', code)));
    expect(files).toBeGreaterThan(10);
    expect(bytes).toBeGreaterThan(10_000);
  });
});
