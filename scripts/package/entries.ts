/** What others may import, as `exports` in package.json says it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from './compiled.ts';

/** Below the project: the compiled tree. */
export const packageFolder = 'dist/package';

const packageSchema = z.object({
  exports: z.record(z.string(), z.union([z.string(), z.strictObject({ types: z.string(), default: z.string() })])),
});

/** The code of the docstring that an entry opens with. */
export function entryExample(source: string): string {
  const example = /@example\n([^]*?) \* @module/.exec(readFileSync(join(root, source), 'utf8'))?.[1];
  return example?.replace(/^ \* ?/gm, '') ?? '';
}

/** Sources below the project, by the name that is imported, such as `cesta/shop`. */
export function packageEntries(): ReadonlyMap<string, string> {
  const { exports } = packageSchema.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  return new Map(Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string' ? [] : [[path.replace('.', 'cesta'), target.default.replace(`./${packageFolder}/`, '').replace(/\.js$/, '.ts')] as const]));
}
