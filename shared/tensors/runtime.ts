/**
 * TensorFlow.js behind one loader: which backend trains is decided once a process, the fastest that is there and passes
 * the probe. Tensors live inside one training step; parameters are typed arrays everywhere else.
 */
import type * as TensorFlow from '@tensorflow/tfjs';
import { CestaError } from '../protocol/errors.ts';
import { backendKinds, type BackendKind, type ChosenBackend, type PassedOver, type WasmPaths } from './backend-kinds.ts';
import { importNative } from './native-library.ts';
import { installPlainKernels } from './plain-kernels.ts';
import { probe } from './probe.ts';
import { codeMissingOperations } from './replace-kernel.ts';
import { installWasmKernels } from './wasm-kernels.ts';

export interface TensorRuntime extends ChosenBackend {
  readonly tf: typeof TensorFlow;
}

export interface TensorOptions {
  /** This backend or none; absent: the fastest that works. */
  readonly backend?: BackendKind;
  readonly wasmPaths?: WasmPaths;
  /** `stock`: without the project's own kernels, as a yardstick. */
  readonly kernels?: 'own' | 'stock';
}

/** How each package is had. */
export interface TensorImports {
  readonly native: () => Promise<typeof TensorFlow>;
  readonly wasm: () => Promise<{ setWasmPaths(paths: WasmPaths): void }>;
  readonly plain: () => Promise<typeof TensorFlow>;
}

const packages: TensorImports = {
  native: importNative,
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  plain: () => import('@tensorflow/tfjs'),
};

let settings: TensorOptions = {};
let loading: Promise<TensorRuntime> | undefined;
let loaded: TensorRuntime | null = null;

/**
 * Says what the runtime of this process shall be, before anything has loaded it.
 * @throws CestaError `backend.unavailable` when it is loaded already
 */
export function configureTensors(options: TensorOptions): void {
  if (loading !== undefined) throw new CestaError('backend.unavailable', 'backend: expected to be chosen before the first training, got a choice after it');
  settings = options;
}

/**
 * The runtime of this process: the same one for every caller.
 * @throws CestaError `backend.unavailable`
 */
export function loadTensors(): Promise<TensorRuntime> {
  return (loading ??= openTensors(settings).then((runtime) => (loaded = runtime)));
}

/** The runtime of this process, once somebody has awaited it. */
export function loadedTensors(): TensorRuntime | null {
  return loaded;
}

/**
 * Tries the backends in turn. The backend of TensorFlow.js is global: the last one opened computes for all.
 * @throws CestaError `backend.unavailable` when the one asked for, or every one, fails
 */
export async function openTensors(options: TensorOptions, imports: TensorImports = packages): Promise<TensorRuntime> {
  const { backend } = options;
  const passedOver: PassedOver[] = [];
  for (const kind of backend === undefined ? backendKinds : [backend]) {
    try {
      const { tf, simd } = await openers[kind](imports, options);
      const fault = await probe(tf);
      if (fault === null) {
        codeMissingOperations(tf);
        return { tf, backend: kind, simd, passedOver };
      }
      passedOver.push({ backend: kind, reason: fault });
    } catch (thrown) {
      passedOver.push({ backend: kind, reason: firstLine(thrown) });
    }
  }
  throw new CestaError('backend.unavailable', `backend: expected ${backend ?? 'one'} to work, got ${passedOver.map(({ backend: kind, reason }) => `${kind}: ${reason}`).join('; ')}`);
}

type Opener = (imports: TensorImports, options: TensorOptions) => Promise<Pick<TensorRuntime, 'tf' | 'simd'>>;

const openers: Readonly<Record<BackendKind, Opener>> = {
  async native(imports) {
    const tf = await imports.native();
    await activate(tf, 'tensorflow');
    return { tf, simd: false };
  },
  async wasm(imports, { wasmPaths, kernels }) {
    if (typeof WebAssembly === 'undefined') throw new Error('no WebAssembly here');
    const [tf, wasm] = [await imports.plain(), await imports.wasm()];
    if (wasmPaths !== undefined) wasm.setWasmPaths(wasmPaths);
    await activate(tf, 'wasm');
    return { tf, simd: kernels !== 'stock' && installWasmKernels(tf) };
  },
  async plain(imports, { kernels }) {
    const tf = await imports.plain();
    await activate(tf, 'cpu');
    // Otherwise its first tensor prints an advice to install the native library; `passedOver` says why that is not used.
    Reflect.set(tf.backend(), 'firstUse', false);
    if (kernels !== 'stock') installPlainKernels(tf);
    return { tf, simd: false };
  },
};

async function activate(tf: typeof TensorFlow, name: string): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js has no backend ${name} that starts`);
}

function firstLine(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0];
}
