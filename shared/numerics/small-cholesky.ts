/**
 * Ridge systems of a few unknowns, solved many times: Cholesky without tiles (Golub and Van Loan 2013, section 4.2).
 * For one large matrix see `linear-algebra.ts`.
 */
/**
 * Factorises a symmetric matrix in place: row-major, of its lower triangle alone, which becomes L with A = L L^T.
 * @returns whether it is positive definite; if not, what is in the matrix is of no use.
 */
export function factoriseSmall(size: number, matrix: Float64Array): boolean {
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let value = matrix[row * size + column];
      for (let k = 0; k < column; k += 1) value -= matrix[row * size + k] * matrix[column * size + k];
      if (row > column) matrix[row * size + column] = value / matrix[column * size + column];
      else if (value > 0 && Number.isFinite(value)) matrix[row * size + row] = Math.sqrt(value);
      else return false;
    }
  }
  return true;
}

/** Solves L L^T x = b in the memory of `vector`. */
export function solveFactorised(size: number, factor: Float64Array, vector: Float64Array): Float64Array {
  for (let row = 0; row < size; row += 1) {
    for (let k = 0; k < row; k += 1) vector[row] -= factor[row * size + k] * vector[k];
    vector[row] /= factor[row * size + row];
  }
  for (let row = size - 1; row >= 0; row -= 1) {
    for (let k = row + 1; k < size; k += 1) vector[row] -= factor[k * size + row] * vector[k];
    vector[row] /= factor[row * size + row];
  }
  return vector;
}
