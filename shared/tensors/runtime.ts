/**
 * TensorFlow.js behind one loader: which backend trains is decided once a process. Tensors live inside one training step;
 * parameters are typed arrays everywhere else.
 */
import type * as TensorFlow from '@tensorflow/tfjs';

export const backendKinds = ['native', 'wasm', 'plain'] as const;
/** `native`: the TensorFlow C library in Node; `wasm`: WebAssembly; `plain`: JavaScript. */
export type BackendKind = (typeof backendKinds)[number];

export interface TensorRuntime {
  readonly tf: typeof TensorFlow;
  readonly backend: BackendKind;
}

let loading: Promise<TensorRuntime> | undefined;

/** The runtime of this process: the same one for every caller. */
export function loadTensors(): Promise<TensorRuntime> {
  return (loading ??= load());
}

async function load(): Promise<TensorRuntime> {
  const tf = await import('@tensorflow/tfjs');
  await tf.setBackend('cpu');
  return { tf, backend: 'plain' };
}
