/** How the project's own sources are named where they run: TypeScript in a checkout, JavaScript in the package. */

/** Of this process: whether the sources have been compiled. */
export const isCompiled = import.meta.url.endsWith('.js');

/** The file that a source, named as in a checkout, is here. */
export function asItStands(source: string): string {
  return isCompiled ? source.replace(/\.tsx?$/, '.js') : source;
}
