/**
 * What makes one run the same as another: the scenario, the code that decides its result, and the data. A change of anything else,
 * such as a report or another experiment, leaves finished runs finished.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataFiles } from '../../client/shop/read-data.ts';
import { readBytes } from '../../client/shop/read-text.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';
import { ownVersion, packageRoot, packageVersions } from '../own-package.ts';

const simulator = fileURLToPath(new URL('../simulate', import.meta.url));

/** @returns 64 hexadecimal digits; the first 12 name the folder of the run */
export function runId(scenario: Scenario, code: string, data: string): string {
  return sha256Hex(new TextEncoder().encode(canonicalJson({ scenario, code, data })));
}

/**
 * Digest of the files of a data set as they are read, decompressed: of one file its SHA-256, of several that of their digests.
 * @throws CestaError `data.not-found`, `data.unreadable`
 */
export async function hashData(nameOrPath: string): Promise<string> {
  const digests = await Promise.all((await dataFiles(nameOrPath)).map(async (file) => sha256(await readBytes(file))));
  return digests.length === 1 ? digests[0] : sha256(digests.join('\n'));
}

/**
 * Digest of the code that decides results: the files of the simulator, whatever these import, whatever those import, and the
 * versions of the packages. Of a checkout these are the TypeScript sources, of an installed package its JavaScript: ids differ
 * between the two.
 * @param folder of the simulator, in a package
 */
export function hashCode(folder = simulator): string {
  const root = packageRoot(folder);
  const lines = codeFiles(folder).map((file) => `${file} ${sha256(readFileSync(join(root, file)))}`);
  return sha256([...lines, canonicalJson(packageVersions(root))].join('\n'));
}

/** The files that this digest covers, by path in the package, in order. */
export function codeFiles(folder = simulator): readonly string[] {
  const root = packageRoot(folder);
  return importsOf(sourcesIn(folder)).map((file) => relative(root, file).split(sep).join('/')).sort();
}

/** What a run was made with, for the record: no part of its id. */
export function versionsInUse(): Readonly<Record<string, string>> {
  return { cesta: ownVersion(), node: process.versions.node };
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? sourcesIn(join(folder, entry.name)) : [join(folder, entry.name)]))
    .filter((file) => /(?<!\.d)\.[tj]s$/.test(file));
}

/** Static and dynamic imports by relative path, and files named beside the module, such as threads and tables. Types decide nothing. */
const specifiers = [
  /^[ \t]*(?:import|export)\s(?!\s*type\s)[^'";]*?from\s*['"](\.[^'"]+)['"]/gm,
  /^[ \t]*import\s*['"](\.[^'"]+)['"]/gm,
  /\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g,
  /\bnew URL\(\s*['"]([^'"]+)['"]\s*,\s*import\.meta\.url/g,
];

function importsOf(entries: readonly string[]): readonly string[] {
  const found = new Set(entries);
  // A set hands out what is added while it is gone through.
  for (const file of found) {
    if (!/\.[tj]s$/.test(file)) continue;
    const text = readFileSync(file, 'utf8');
    for (const pattern of specifiers) {
      for (const [, specifier] of text.matchAll(pattern)) {
        const path = join(dirname(file), specifier);
        if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) found.add(path);
      }
    }
  }
  return [...found];
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
