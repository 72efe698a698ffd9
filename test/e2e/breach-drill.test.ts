/** A drill that is broken off: the copy has keys in it, and must be gone with the process. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openWorkshop, type Workshop } from './processes.ts';

let shop: Workshop;
beforeEach(() => void (shop = openWorkshop()));
afterEach(() => shop.close());

it.each(['SIGINT', 'SIGTERM'] as const)('a drill that is ended by %s leaves neither its copy nor an empty report', async (signal) => {
  const [temporary, out] = ['tmp', 'out'].map((name) => join(shop.folder, name));
  mkdirSync(temporary);
  const drill = shop.run(['breach', 'drill', '--out', out], { TMPDIR: temporary });
  const copies = (): string[] => readdirSync(temporary).filter((name) => name.startsWith('cesta-drill-'));
  await vi.waitUntil(() => copies().some((name) => existsSync(join(temporary, name, 'data', 'signing.key'))), { timeout: 60_000, interval: 5 });
  drill.kill(signal);
  expect(await drill.ended).toBe(130);
  expect(copies()).toEqual([]);
  expect(readdirSync(out)).toEqual([]);
}, 90_000);
