import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matMul } from '../../shared/kernels/plain/mat-mul.ts';
import { adagrad, adam, sgd } from '../../shared/kernels/plain/optimisers.ts';
import { createStepVectors, plainStepVectors } from '../../shared/kernels/step-vectors.ts';
import { segmentSum } from '../../shared/kernels/plain/segment-sum.ts';
import { ownSimdKernels, type OwnedKernels } from '../../shared/kernels/simd.ts';
import { seededRandom } from '../../shared/numerics/random.ts';

function owned(bytes: number): OwnedKernels {
  const made = ownSimdKernels(bytes);
  if (made === null) throw new Error('these tests need an engine with SIMD');
  return made;
}

/** Numbers of many sizes, some of them not finite. */
function numbers(length: number, seed: number, strange = 0): Float32Array {
  const random = seededRandom(seed, 'parity');
  return Float32Array.from({ length }, () => (random.nextFloat() < strange ? [Number.NaN, Infinity, -Infinity, -0][Math.floor(random.nextFloat() * 4)] : (random.nextFloat() - 0.5) * 10 ** Math.floor(random.nextFloat() * 4)));
}

/** Lays arrays out one after the other and says where. */
function place({ memory }: OwnedKernels, arrays: readonly (Float32Array | Int32Array)[]): number[] {
  let at = 0;
  return arrays.map((array) => {
    new Uint8Array(memory.buffer).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
    return at - array.byteLength;
  });
}

const read = ({ memory }: OwnedKernels, at: number, length: number): Float32Array => new Float32Array(memory.buffer, at, length).slice();

const matrices = fc.record({
  batch: fc.integer({ min: 1, max: 3 }), rows: fc.integer({ min: 1, max: 19 }), inner: fc.oneof(fc.integer({ min: 0, max: 21 }), fc.integer({ min: 250, max: 520 })),
  columns: fc.oneof(fc.integer({ min: 1, max: 35 }), fc.integer({ min: 120, max: 140 })), transposeA: fc.boolean(), transposeB: fc.boolean(), shareA: fc.boolean(), shareB: fc.boolean(), seed: fc.nat(),
  strange: fc.constantFrom(0, 0, 0.05),
});

describe('the SIMD kernels and their plain twins agree to the bit:', () => {
  it('products of matrices of any shape, transposed, shared in a batch, with NaN and infinities', () => {
    fc.assert(fc.property(matrices, ({ batch, rows, inner, columns, transposeA, transposeB, shareA, shareB, seed, strange }) => {
      const [aStep, bStep] = [shareA ? 0 : rows * inner, shareB ? 0 : inner * columns];
      const a = numbers(rows * inner * (shareA ? 1 : batch), seed, strange);
      const b = numbers(inner * columns * (shareB ? 1 : batch), seed + 1, strange);
      const expected = new Float32Array(batch * rows * columns);
      matMul(a, b, expected, { batch, rows, inner, columns, aStep, bStep, transposeA, transposeB });
      const fence = Float32Array.of(77);
      const run = owned(2 ** 20 + (a.length + b.length + expected.length) * 4);
      const [atA, atB, atC, atFence, scratch] = place(run, [a, b, new Float32Array(expected.length).fill(5), fence, fence]);
      run.kernels.matMul(atA, aStep, atB, bStep, atC, batch, rows, inner, columns, Number(transposeA), Number(transposeB), scratch);
      expect(read(run, atC, expected.length)).toEqual(expected);
      expect(read(run, atFence, 1)).toEqual(fence);
    }), { numRuns: 120 });
  });

  it('sums of segments, dropping what belongs to none', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 9 }), fc.nat(), (rows, width, count, seed) => {
      const values = numbers(rows * width, seed, 0.02);
      const random = seededRandom(seed, 'segments');
      const segments = Int32Array.from({ length: rows }, () => Math.floor(random.nextFloat() * (count + 4)) - 2);
      const expected = new Float32Array(count * width).fill(3);
      segmentSum(values, segments, width, expected);
      const run = owned(65_536);
      const [atValues, atSegments, atOut] = place(run, [values, segments, new Float32Array(expected.length).fill(5)]);
      run.kernels.segmentSum(atValues, atSegments, rows, width, count, atOut);
      expect(read(run, atOut, expected.length)).toEqual(expected);
    }));
  });

  it('steps of SGD, Adagrad and Adam', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 40 }), fc.nat(), fc.constantFrom(0, 0.05), (length, seed, strange) => {
      const [rate, epsilon, shareMean, shareSquare] = [0.05, 1e-7, 0.1, 0.001].map(Math.fround);
      const start = { weights: numbers(length, seed), means: numbers(length, seed + 1), squares: numbers(length, seed + 2).map(Math.abs), gradients: numbers(length, seed + 3, strange) };
      const run = owned(65_536);
      const both = (plain: (own: typeof start) => void, simd: (at: Record<keyof typeof start, number>) => void): void => {
        const own = { weights: start.weights.slice(), means: start.means.slice(), squares: start.squares.slice(), gradients: start.gradients };
        plain(own);
        const [weights, means, squares, gradients] = place(run, [start.weights, start.means, start.squares, start.gradients]);
        simd({ weights, means, squares, gradients });
        expect([weights, means, squares].map((at) => read(run, at, length))).toEqual([own.weights, own.means, own.squares]);
      };
      both((own) => sgd(own.weights, own.gradients, rate), (at) => run.kernels.sgd(at.weights, at.gradients, length, rate));
      both((own) => adagrad(own.weights, own.squares, own.gradients, { rate, epsilon }), (at) => run.kernels.adagrad(at.weights, at.squares, at.gradients, length, rate, epsilon));
      both((own) => adam(own.weights, own.means, own.squares, own.gradients, { rate, epsilon, shareMean, shareSquare }), (at) => run.kernels.adam(at.weights, at.means, at.squares, at.gradients, length, rate, shareMean, shareSquare, epsilon));
    }));
  });
});

describe('vectors that optimisers step on', () => {
  it('change alike with SIMD and without, within a range and nowhere else', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(), fc.nat(), (length, seed, cut) => {
      const [from, to] = [cut % length, length - (seed % (length - (cut % length)))];
      const both = [createStepVectors(length), plainStepVectors(length)];
      const start = numbers(length, seed);
      for (const vectors of both) {
        vectors.weights.set(start);
        vectors.gradients.set(numbers(length, seed + 1));
        vectors.squares.fill(1e-6);
        vectors.sgd(from, to, 0.1);
        vectors.adagrad(from, to, { rate: 0.05, epsilon: 0 });
        vectors.adam(from, to, { rate: 0.01, epsilon: 1e-8, shareMean: 0.1, shareSquare: 0.001 });
      }
      const [simd, plain] = both;
      expect([simd.weights, simd.means, simd.squares]).toEqual([plain.weights, plain.means, plain.squares]);
      for (let at = 0; at < length; at += 1) if (at < from || at >= to) expect(simd.weights[at]).toBe(start[at]);
    }));
  });
});

describe('a product of matrices', () => {
  it('is what one computes by hand', () => {
    const into = new Float32Array(4);
    matMul(Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8), into, { batch: 1, rows: 2, inner: 2, columns: 2, aStep: 4, bStep: 4, transposeA: true, transposeB: false });
    expect([...into]).toEqual([26, 30, 38, 44]);
  });
});
