/**
 * The SIMD kernels as WebAssembly, where there is such a thing: compiled once, instantiated on any memory. Everything
 * they compute, the plain twins in `plain/` compute to the same bit.
 */
import { decodeBase64 } from '../ledger/base64.ts';
import { simdModuleBase64 } from './simd-module.ts';

/** Addresses are in bytes, lengths in numbers. Numbers are 32-bit floats unless said otherwise. */
export interface SimdKernels {
  dots(table: number, rows: number, width: number, query: number, out: number): void;
  /** `excluded`: a byte a row, or 0 for none. `scores`: room for `topRowsScratch` numbers. @returns how many were found */
  topRows(table: number, rows: number, width: number, query: number, excluded: number, k: number, scores: number, indexes: number, bestScores: number): number;
  matMul(a: number, aStep: number, b: number, bStep: number, c: number, batch: number, rows: number, inner: number, columns: number, transposeA: number, transposeB: number, scratch: number): void;
  matMulScratchBytes(): number;
  segmentSum(values: number, segments: number, rows: number, width: number, count: number, out: number): void;
  sgd(weights: number, gradients: number, length: number, rate: number): void;
  adagrad(weights: number, squares: number, gradients: number, length: number, rate: number, epsilon: number): void;
  adam(weights: number, means: number, squares: number, gradients: number, length: number, rate: number, shareMean: number, shareSquare: number, epsilon: number): void;
}

export const topRowsScratch = 1024;
const pageBytes = 65_536;

let compiled: WebAssembly.Module | null | undefined;

/** `plain`: no WebAssembly, no SIMD, or a policy of the page that forbids to compile. The results are the same. */
export type KernelKind = 'simd' | 'plain';

/** What large tables of rows are multiplied with here; small ones never leave plain code. */
export function kernelKind(): KernelKind {
  return moduleHere() === null ? 'plain' : 'simd';
}

/** The kernels on this memory; null where WebAssembly or SIMD is missing, or a policy of the page forbids to compile. */
export function simdKernelsOn(memory: WebAssembly.Memory): SimdKernels | null {
  const module = moduleHere();
  if (module === null) return null;
  try {
    return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as SimdKernels;
  } catch {
    // A memory that is shared between threads is another type.
    return null;
  }
}

export interface OwnedKernels {
  readonly kernels: SimdKernels;
  readonly memory: WebAssembly.Memory;
}

/**
 * The kernels on a new memory of at least `bytes`, which never grows, so that views of it stay valid. It is freed with
 * the last reference. Null where there is no SIMD, or no such memory is to be had.
 */
export function ownSimdKernels(bytes: number): OwnedKernels | null {
  if (typeof WebAssembly === 'undefined') return null;
  try {
    const pages = Math.ceil(bytes / pageBytes);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const kernels = simdKernelsOn(memory);
    return kernels === null ? null : { kernels, memory };
  } catch {
    // Engines set address space aside for each memory, and bound how much.
    return null;
  }
}

function moduleHere(): WebAssembly.Module | null {
  if (typeof WebAssembly === 'undefined') return null;
  // What was refused once is not tried for every table.
  if (compiled === undefined) compiled = compile();
  return compiled;
}

function compile(): WebAssembly.Module | null {
  const bytes = decodeBase64(simdModuleBase64) as Uint8Array<ArrayBuffer>;
  if (!WebAssembly.validate(bytes)) return null;
  try {
    return new WebAssembly.Module(bytes);
  } catch {
    return null;
  }
}
