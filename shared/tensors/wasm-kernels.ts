/**
 * The project's kernels in the WebAssembly backend of TensorFlow.js, on the backend's own memory: SIMD products of matrices
 * of any batch and transposition, which keep nothing between calls, so that weights may change in place; and sums of
 * segments. Where the kernels cannot run, the backend's own products stay.
 */
import type * as TensorFlow from '@tensorflow/tfjs';
import { segmentSum } from '../kernels/plain/segment-sum.ts';
import { CestaError } from '../protocol/errors.ts';
import { simdKernelsOn, type SimdKernels } from '../kernels/simd.ts';
import { matMulShape } from './mat-mul-shape.ts';
import { replaceKernel, type KernelCall, type StockKernel } from './replace-kernel.ts';
import { segmentCall } from './segment-call.ts';

/** What the kernels need of the backend. Its types do not promise all of it, so it is looked at first. */
interface WasmBackend {
  readonly wasm: {
    readonly asm?: { readonly memory?: unknown };
    readonly HEAPU8: Uint8Array<ArrayBuffer>;
    readonly _malloc?: (bytes: number) => number;
  };
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorFlow.TensorInfo;
}

interface Host {
  readonly kernels: SimdKernels;
  /** Scratch space in the backend's memory, kept as long as the backend. */
  readonly scratch: number;
}

/** Whether the backend in force, which is `wasm`, computes with the SIMD kernels from now on. */
export function installWasmKernels(tf: typeof TensorFlow): boolean {
  const backend = tf.backend() as unknown as WasmBackend;
  const host = hostOf(backend);
  // The kernels of a backend are looked up by its name; one that is made again later has another memory.
  const hosts = new WeakMap<WasmBackend, Host | null>([[backend, host]]);
  const hostFor = (of: WasmBackend): Host | null => {
    const known = hosts.get(of);
    if (known !== undefined) return known;
    const made = hostOf(of);
    hosts.set(of, made);
    return made;
  };
  replaceKernel(tf, 'BatchMatMul', 'wasm', (call, stock) => batchMatMul(call, stock, hostFor));
  replaceKernel(tf, 'UnsortedSegmentSum', 'wasm', (call, stock) => unsortedSegmentSum(call, stock, hostFor));
  replaceKernel(tf, '_FusedMatMul', 'wasm', refuseWrongFusion);
  return host !== null;
}

function hostOf({ wasm }: WasmBackend): Host | null {
  const memory = wasm.asm?.memory;
  if (typeof WebAssembly === 'undefined' || !(memory instanceof WebAssembly.Memory) || wasm._malloc === undefined) return null;
  const kernels = simdKernelsOn(memory);
  return kernels === null ? null : { kernels, scratch: wasm._malloc(kernels.matMulScratchBytes()) };
}

function batchMatMul(call: KernelCall, stock: StockKernel, hostFor: (backend: WasmBackend) => Host | null): TensorFlow.TensorInfo {
  const { a, b } = call.inputs as { a: TensorFlow.TensorInfo; b: TensorFlow.TensorInfo };
  const backend = call.backend as WasmBackend;
  const host = hostFor(backend);
  const { transposeA = false, transposeB = false } = call.attrs as { transposeA?: boolean; transposeB?: boolean };
  const shape = matMulShape(a.shape, b.shape, transposeA, transposeB);
  if (shape === null || a.dtype !== 'float32' || b.dtype !== 'float32') {
    throw new CestaError('backend.unavailable', `matMul: expected float32 factors, of batches that are alike or one of which is single, got ${a.dtype} ${a.shape.join(' x ')} and ${b.dtype} ${b.shape.join(' x ')}`);
  }
  if (host === null) return stock(call);
  const out = backend.makeOutput(shape.out, 'float32');
  const [atA, atB, atOut] = [a, b, out].map(({ dataId }) => backend.dataIdMap.get(dataId).memoryOffset);
  const { batch, rows, inner, columns, aStep, bStep } = shape;
  host.kernels.matMul(atA, aStep, atB, bStep, atOut, batch, rows, inner, columns, Number(transposeA), Number(transposeB), host.scratch);
  return out;
}

function unsortedSegmentSum(call: KernelCall, stock: StockKernel, hostFor: (backend: WasmBackend) => Host | null): TensorFlow.TensorInfo {
  const asked = segmentCall(call);
  if (asked === null) return stock(call);
  const { x, segments, rows, width, count, shape } = asked;
  const backend = call.backend as WasmBackend;
  const host = hostFor(backend);
  const out = backend.makeOutput(shape, 'float32');
  const [atX, atSegments, atOut] = [x, segments, out].map(({ dataId }) => backend.dataIdMap.get(dataId).memoryOffset);
  if (host !== null) {
    host.kernels.segmentSum(atX, atSegments, rows, width, count, atOut);
  } else {
    // Only now: making room for the result may have moved the memory.
    const { buffer } = backend.wasm.HEAPU8;
    segmentSum(new Float32Array(buffer, atX, rows * width), new Int32Array(buffer, atSegments, rows), width, new Float32Array(buffer, atOut, count * width));
  }
  return out;
}

/** Fused products are for two matrices as they stand; all others go through `matMul`. */
function refuseWrongFusion(call: KernelCall, stock: StockKernel): TensorFlow.TensorInfo {
  const { a, b } = call.inputs as { a: TensorFlow.TensorInfo; b: TensorFlow.TensorInfo };
  const { transposeA, transposeB } = call.attrs as { transposeA?: boolean; transposeB?: boolean };
  if (transposeA === true || transposeB === true || Math.max(...[a, b].map(({ shape }) => shape.length)) > 3 || [a, b].some(({ shape }) => shape.length === 3 && shape[0] !== 1)) {
    throw new CestaError('backend.unavailable', `fused.matMul: expected two matrices, not transposed, got ${a.shape.join(' x ')} and ${b.shape.join(' x ')}`);
  }
  return stock(call);
}
