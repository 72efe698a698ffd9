/** Dense inversion by Gauss-Jordan with pivoting: slow, plain, and unlike what it is compared with. */
export function denseInverse(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, index) => [...row, ...Array.from({ length: size }, (_, column) => (column === index ? 1 : 0))]);
  for (let column = 0; column < size; column += 1) {
    const pivot = rows.slice(column).reduce((best, row, offset) => (Math.abs(row[column]) > Math.abs(rows[best][column]) ? column + offset : best), column);
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    const scale = rows[column][column];
    rows[column] = rows[column].map((value) => value / scale);
    rows.forEach((row, index) => {
      if (index !== column) rows[index] = row.map((value, position) => value - row[column] * rows[column][position]);
    });
  }
  return rows.map((row) => row.slice(size));
}

export const product = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] => a.map((row) => b[0].map((_, column) => row.reduce((sum, value, inner) => sum + value * b[inner][column], 0)));
export const transposed = (a: readonly (readonly number[])[]): number[][] => a[0].map((_, column) => a.map((row) => row[column]));
export const combined = (a: readonly (readonly number[])[], b: readonly (readonly number[])[], ofA: number, ofB: number): number[][] => a.map((row, i) => row.map((value, j) => ofA * value + ofB * b[i][j]));
export const identityOf = (size: number): number[][] => Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => (i === j ? 1 : 0)));
