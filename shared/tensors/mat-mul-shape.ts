/** The shape of a product of tensors of matrices. */
import type { MatMulShape } from '../kernels/plain/mat-mul.ts';

export interface BatchedProduct extends Omit<MatMulShape, 'transposeA' | 'transposeB'> {
  readonly out: readonly number[];
}

/** Null for shapes that do not fit, and for batches that only fit by repeating parts of both. */
export function matMulShape(a: readonly number[], b: readonly number[], transposeA: boolean, transposeB: boolean): BatchedProduct | null {
  const [aBatch, bBatch] = [a.slice(0, -2), b.slice(0, -2)];
  const [rows, inner] = oriented(a, transposeA);
  const [inner2, columns] = oriented(b, transposeB);
  if (a.length < 2 || b.length < 2 || inner !== inner2) return null;
  const [aCount, bCount] = [sizeOf(aBatch), sizeOf(bBatch)];
  const isShared = aCount === 1 || bCount === 1;
  if (!isShared && aBatch.join() !== bBatch.join()) return null;
  const rank = Math.max(aBatch.length, bBatch.length);
  const longer = [aBatch, bBatch].map((sides) => [...Array.from({ length: rank - sides.length }, () => 1), ...sides]);
  const outBatch = longer[0].map((side, at) => (side === 1 ? longer[1][at] : side));
  return {
    batch: sizeOf(outBatch), rows, inner, columns,
    aStep: aCount === 1 ? 0 : rows * inner,
    bStep: bCount === 1 ? 0 : inner * columns,
    out: [...outBatch, rows, columns],
  };
}

function oriented(shape: readonly number[], isTransposed: boolean): [number, number] {
  const [first, second] = shape.slice(-2);
  return isTransposed ? [second, first] : [first, second];
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
