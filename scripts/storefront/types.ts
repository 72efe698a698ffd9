/** Types of what pages import, as declarations beside the bundle. */
import type { WebFile } from '../../server/web/bundle.ts';
import { declarationsOf } from '../package/declarations.ts';
import { storefrontEntries } from './bundle.ts';

/** Throws what the compiler complains of. */
export async function declareStorefront(): Promise<WebFile[]> {
  // Pages have no types of Node.
  const texts = await declarationsOf(Object.values(storefrontEntries), { types: [] });
  const entries = Object.entries(storefrontEntries).map(([name, source]) => [`${name}.d.ts`, `export * from './types/${source.replace(/\.ts$/, '.js')}';\n`] as const);
  return [...entries, ...[...texts].map(([path, text]) => [`types/${path}.d.ts`, text] as const)].map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }));
}
