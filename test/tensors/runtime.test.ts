import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { openTensors, type TensorImports } from '../../shared/tensors/runtime.ts';
import { withoutWebAssembly } from '../kernels/without-web-assembly.ts';

const missing = (): Promise<never> => Promise.reject(new Error('not installed'));
const imports: TensorImports = { native: missing, wasm: () => import('@tensorflow/tfjs-backend-wasm'), plain: () => Promise.resolve(tf) };

/** TensorFlow.js whose `op` gives what nobody expects. */
function broken(op: 'matMul' | 'gather' | 'softmax' | 'grad'): typeof tf {
  return { ...tf, setBackend: () => Promise.resolve(true), [op]: op === 'grad' ? () => () => tf.tensor([Number.NaN, 0]) : () => tf.tensor([1, 2]) };
}

describe('the choice of a backend', () => {
  it('takes WebAssembly where the native library is missing, and says so', async () => {
    const { backend, passedOver } = await openTensors({}, imports);
    expect(backend).toBe('wasm');
    expect(passedOver).toEqual([{ backend: 'native', reason: 'not installed' }]);
  });

  it('takes the native library where it computes rightly', async () => {
    const native = { ...tf, setBackend: () => Promise.resolve(true) } as typeof tf;
    expect(await openTensors({}, { ...imports, native: () => Promise.resolve(native) })).toMatchObject({ backend: 'native', passedOver: [] });
  });

  it.each(['matMul', 'gather', 'softmax', 'grad'] as const)('passes over a library whose %s computes wrongly', async (op) => {
    const { backend, passedOver } = await openTensors({}, { ...imports, native: () => Promise.resolve(broken(op)) });
    expect(backend).toBe('wasm');
    expect(passedOver[0].reason).toMatch(/expected .*, got /);
  });

  it('falls to plain JavaScript without WebAssembly', async () => {
    await withoutWebAssembly(async () => {
      const { backend, passedOver } = await openTensors({}, imports);
      expect(backend).toBe('plain');
      expect(passedOver).toEqual([{ backend: 'native', reason: 'not installed' }, { backend: 'wasm', reason: 'no WebAssembly here' }]);
    });
  });

  it('is an error, never another backend, when the one asked for is not there', async () => {
    await expect(openTensors({ backend: 'native' }, imports)).rejects.toMatchObject({ code: 'backend.unavailable', message: 'backend: expected native to work, got native: not installed' });
    await expect(openTensors({ backend: 'native' }, { ...imports, native: () => Promise.resolve(broken('matMul')) })).rejects.toMatchObject({ code: 'backend.unavailable' });
  });

  it('names all reasons when none works', async () => {
    await expect(openTensors({}, { native: missing, wasm: missing, plain: missing })).rejects.toThrow('native: not installed; wasm: not installed; plain: not installed');
  });
});
