import { beforeAll, describe, expect, it } from 'vitest';
import { bundleStorefront, type Bundle } from '../../../scripts/storefront/bundle.ts';

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleStorefront();
}, 60_000);

describe('the storefront bundle', () => {
  it('keeps within what each load may weigh, and states a bound for all that a first shelf needs', () => {
    const { files, sizes } = bundle;
    const bounded = sizes.filter(({ budgetBytes }) => budgetBytes !== null);
    expect(bounded.map(({ name, budgetBytes }) => [name, budgetBytes])).toEqual(expect.arrayContaining([['cesta.js', 6 * 1024], ['cesta.js and widgets.js', 14 * 1024], ['engine with neighbours', 34 * 1024]]));
    for (const { name, gzipBytes, budgetBytes } of bounded) {
      expect(gzipBytes, name).toBeGreaterThan(500);
      expect(gzipBytes, name).toBeLessThanOrEqual(budgetBytes ?? 0);
    }
    // What a page names by itself has to be there under that name.
    const names = files.map(({ path }) => path);
    for (const name of ['cesta.js', 'widgets.js', 'take-part.js', 'device-worker.js', 'held-on-device.js', 'ed25519.js']) expect(names).toContain(name);
  });

  it('has the licences of what is in it', () => {
    const licences = new TextDecoder().decode(bundle.files.find(({ path }) => path === 'licences.txt')?.bytes);
    for (const name of ['zod', '@noble/curves', '@tensorflow/tfjs-core']) expect(licences).toMatch(new RegExp(`^${name} \\d\\S*: (MIT|Apache-2\\.0)$`, 'm'));
    expect(licences).toContain('Copyright (c) 2025 Colin McDonnell');
  });

  it('loads neither schemas, nor curves, nor a model, nor the table of errors at once', () => {
    const text = new Map(bundle.files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes)]));
    const atOnce = new Set<string>();
    const visit = (path: string): void => {
      if (atOnce.has(path)) return;
      atOnce.add(path);
      for (const [, next] of (text.get(path) ?? '').matchAll(/(?:from|import)"\.\/([^"]+)"/g)) visit(next);
    };
    visit('cesta.js');
    const code = [...atOnce].map((path) => text.get(path)).join('\n');
    expect(code).toContain('usage.invalid');
    // A name of each that minifying keeps.
    for (const trace of ['invalid_type', 'candidatesPerItem', 'Ed25519', 'Upgrade the older side', 'tensorsSha256']) {
      expect(code).not.toContain(trace);
      expect([...text.values()].some((other) => other.includes(trace)), trace).toBe(true);
    }
  });
});
