/** One operation of a TensorFlow.js backend computed by another function, which may hand on what it does not do. */
import type * as TensorFlow from '@tensorflow/tfjs';
import { CestaError } from '../protocol/errors.ts';

/** What TensorFlow.js calls a kernel with. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: unknown;
}

export type StockKernel = (call: KernelCall) => TensorFlow.TensorInfo;

const replacements = new WeakSet<object>();

/** @param compute gets the function that the backend came with, or one that says that it lacks the operation */
export function replaceKernel(tf: typeof TensorFlow, kernelName: string, backendName: string, compute: (call: KernelCall, stock: StockKernel) => TensorFlow.TensorInfo): void {
  const stock = tf.getKernel(kernelName, backendName) as TensorFlow.KernelConfig | undefined;
  if (stock !== undefined) {
    if (replacements.has(stock.kernelFunc)) return;
    tf.unregisterKernel(kernelName, backendName);
  }
  const lacking = (): never => {
    throw missing(kernelName, backendName);
  };
  const kernelFunc = ((call: KernelCall) => compute(call, (stock?.kernelFunc as StockKernel | undefined) ?? lacking)) as unknown as TensorFlow.KernelConfig['kernelFunc'];
  replacements.add(kernelFunc);
  // The stock function needs its own setup again when the backend is made anew.
  tf.registerKernel({ ...stock, kernelName, backendName, kernelFunc });
}

const coded = new WeakSet<object>();

/** An operation that the backend in force lacks is from now on an error of its own code, wherever it is asked for. */
export function codeMissingOperations(tf: typeof TensorFlow): void {
  const engine = tf.engine();
  if (coded.has(engine)) return;
  coded.add(engine);
  const run = engine.runKernel.bind(engine);
  engine.runKernel = (kernelName, ...rest) => {
    const { backendName } = engine;
    if ((tf.getKernel(kernelName, backendName) as unknown) === undefined) {
      throw missing(kernelName, backendName);
    }
    return run(kernelName, ...rest);
  };
}

function missing(kernelName: string, backendName: string): CestaError {
  return new CestaError('backend.unavailable', `operation: expected one that backend ${backendName} has, got ${kernelName}`);
}
