/** `npm run build:kernels`. */
import { writeFile } from 'node:fs/promises';
import { compileKernels, simdModuleFile, simdModuleText } from './compile.ts';

await writeFile(simdModuleFile, simdModuleText(await compileKernels()));
