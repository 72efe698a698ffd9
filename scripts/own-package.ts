/** This package as it is installed: in a checkout or below somebody's node_modules. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** The nearest folder around this one that is a package. */
export function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}

const packageSchema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

/** As installed: `npm ci` keeps to these exactly. */
export function packageVersions(root: string): z.output<typeof packageSchema> {
  return packageSchema.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
}

export function ownVersion(): string {
  return packageVersions(packageRoot(fileURLToPath(new URL('.', import.meta.url)))).version;
}
