/** Products of batches of matrices: every entry is summed in the order of the inner index and rounded to 32 bits, as in the SIMD kernel. */

export interface MatMulShape {
  readonly batch: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** Numbers from one matrix to the next; 0 takes the same one again. */
  readonly aStep: number;
  readonly bStep: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** `into = a b`, where `a` is rows by inner and `b` inner by columns, or the other way round where transposed. */
export function matMul(a: Float32Array, b: Float32Array, into: Float32Array, shape: MatMulShape): void {
  const { fround } = Math;
  const { batch, rows, inner, columns, aStep, bStep, transposeA, transposeB } = shape;
  const [aRow, aInner] = transposeA ? [1, rows] : [inner, 1];
  const [bColumn, bInner] = transposeB ? [inner, 1] : [1, columns];
  let target = 0;
  for (let pair = 0; pair < batch; pair += 1) {
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1, target += 1) {
        let sum = 0;
        let left = pair * aStep + row * aRow;
        let right = pair * bStep + column * bColumn;
        for (let k = 0; k < inner; k += 1, left += aInner, right += bInner) sum = fround(sum + fround(a[left] * b[right]));
        into[target] = sum;
      }
    }
  }
}
