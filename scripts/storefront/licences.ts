/** The licences of the packages in a bundle: most ask for their text wherever a copy goes, and a minifier keeps comments alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { WebFile } from '../../server/web/bundle.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packageSchema = z.object({ name: z.string(), version: z.string(), license: z.string() });

/**
 * One file for all of them, by name.
 * @param inputs paths as a metafile has them: of the project's own sources, of packages, and of modules that browsers do without
 */
export function licenceFile(inputs: Iterable<string>): WebFile {
  const folders = new Set([...inputs].flatMap((path) => /^(?!\(disabled\)).*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = [...folders].map((folder) => licenceOf(join(root, folder))).sort();
  return { path: 'licences.txt', bytes: new TextEncoder().encode(`${texts.join('\n\n')}\n`) };
}

function licenceOf(folder: string): string {
  const { name, version, license } = packageSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version}: ${license}${file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`}`;
}
