/** A script of the project as a process or a thread of its own: TypeScript needs a loader in it, what is compiled does not. */
import { fileURLToPath } from 'node:url';
import { asItStands, isCompiled } from '../server/web/source-files.ts';

/** Options of Node that such a script needs. */
export function scriptExecArgv(): readonly string[] {
  return isCompiled ? [] : ['--import', import.meta.resolve('tsx')];
}

/**
 * @param source named as in a checkout: `./shop-host.ts`
 * @param beside `import.meta.url` of whoever names it
 */
export function scriptPath(source: string, beside: string): string {
  return fileURLToPath(new URL(asItStands(source), beside));
}
