/**
 * The TensorFlow C library in Node, where it is installed. It calls functions of `util` that newer versions of Node have
 * removed; those are put back before it is imported.
 */
import type * as TensorFlow from '@tensorflow/tfjs';

/** Not a literal, so that no bundler looks for a package that browsers cannot have. */
const nativePackage: string = ['@tensorflow', 'tfjs-node'].join('/');

export async function importNative(): Promise<typeof TensorFlow> {
  const util = builtinModule('util');
  if (util !== null) restoreRemoved(util);
  try {
    return (await import(nativePackage)) as typeof TensorFlow;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND') throw new Error('not installed', { cause });
    throw cause;
  }
}

const removed: Readonly<Record<string, (value: unknown) => boolean>> = {
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNull: (value) => value === null,
  isUndefined: (value) => value === undefined,
  isArray: (value) => Array.isArray(value),
  isString: (value) => typeof value === 'string',
  isNumber: (value) => typeof value === 'number',
  isBoolean: (value) => typeof value === 'boolean',
  isFunction: (value) => typeof value === 'function',
  isObject: (value) => value !== null && typeof value === 'object',
};

/** Adds what is missing; what is there stays. */
export function restoreRemoved(util: Record<string, unknown>): void {
  for (const [name, test] of Object.entries(removed)) {
    if (util[name] === undefined) util[name] = test;
  }
}

/** A module of Node, looked up without an import that browsers would fail at; null where there is none. */
function builtinModule(name: string): Record<string, unknown> | null {
  const host = (globalThis as { readonly process?: { readonly getBuiltinModule?: (name: string) => Record<string, unknown> | undefined } }).process;
  return host?.getBuiltinModule?.(name) ?? null;
}
