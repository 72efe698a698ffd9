import { readFileSync, readdirSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Every file that loading `entry` loads, now or later, and every package; those it loads only later apart. Type-only imports load nothing. */
function closure(entry: string): { files: Set<string>; packages: Set<string>; later: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const later = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
    for (const [, types, specifier] of text.matchAll(/(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'/g)) {
      if (types !== undefined) continue;
      if (specifier.startsWith('.')) visit(resolve(dirname(file), specifier));
      else packages.add(specifier);
    }
    for (const [, specifier] of text.matchAll(/import\(\s*'([^']+)'\s*\)/g)) {
      if (specifier.startsWith('.')) visit(resolve(dirname(file), specifier));
      else later.add(specifier);
    }
  };
  visit(resolve(root, entry));
  return { files, packages, later };
}

describe('the code that a browser loads', () => {
  for (const entry of ['client/storefront/sdk.ts', 'client/storefront/take-part.ts', 'client/storefront/device-worker.ts', 'client/storefront/widgets/widgets.ts']) {
    it(`through ${entry} needs no Node: neither its modules nor its globals`, () => {
      const { files, packages, later } = closure(entry);
      expect(files.size).toBeGreaterThan(0);
      const known = /^(zod(\/(mini|v4\/core))?|@noble\/(hashes|ciphers|curves)\/.+)$/;
      expect([...packages].filter((name) => !known.test(name))).toEqual([]);
      expect([...later].filter((name) => !known.test(name) && !/^@tensorflow\/tfjs(-backend-wasm)?$/.test(name))).toEqual([]);
      const users = [...files].filter((file) => /\b(process\.|Buffer\.|require\(|setImmediate|__dirname)/.test(readFileSync(file, 'utf8')));
      expect(users.map((file) => relative(root, file))).toEqual([]);
      expect([...files].map((file) => relative(root, file)).filter((name) => /^(server|scripts|test|client\/shop)\//.test(name))).toEqual([]);
    });
  }

  it('is all of the storefront', () => {
    const loaded = new Set(['sdk', 'take-part', 'device-worker', 'widgets/widgets'].flatMap((entry) => [...closure(`client/storefront/${entry}.ts`).files]));
    const all = readdirSync(resolve(root, 'client/storefront'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => resolve(root, 'client/storefront', name));
    // Types alone load nothing.
    expect(all.filter((file) => !loaded.has(file) && !file.endsWith('/api.ts'))).toEqual([]);
  });

  it('to rank with holds no part of a shop node, of a connection, or of a tensor library', () => {
    const { files } = closure('client/storefront/engine.ts');
    const names = [...files].map((file) => relative(root, file));
    expect(names).toContain('shared/federation/release.ts');
    expect(names.filter((name) => name.startsWith('client/') && !name.startsWith('client/storefront/'))).toEqual(['client/http.ts']);
  });
});
