/** `npm run build:package`: what the package ships, in `dist/package`: the sources as JavaScript, and types of what is exported. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compileInto, root } from './compiled.ts';
import { declarationsOf } from './declarations.ts';
import { packageEntries, packageFolder } from './entries.ts';

const folder = join(root, packageFolder);
await rm(folder, { recursive: true, force: true });
await compileInto(folder);
for (const [path, text] of await declarationsOf([...packageEntries().values()])) {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, `${path}.d.ts`), text);
}
