/**
 * Dot products of rows with a query, in the order of the SIMD kernel: lane j adds the positions j, j + 4, ... of the whole
 * groups of four, the lanes are added crosswise, the rest one by one. Every step is rounded to 32 bits, so both agree to the bit.
 */
export function dots(table: Float32Array, width: number, query: Float32Array, into: Float32Array): void {
  const { fround } = Math;
  const rows = table.length / width;
  const vectors = width - (width % 4);
  for (let row = 0, at = 0; row < rows; row += 1) {
    let [a, b, c, d] = [0, 0, 0, 0];
    let k = 0;
    for (; k < vectors; k += 4, at += 4) {
      a = fround(a + fround(table[at] * query[k]));
      b = fround(b + fround(table[at + 1] * query[k + 1]));
      c = fround(c + fround(table[at + 2] * query[k + 2]));
      d = fround(d + fround(table[at + 3] * query[k + 3]));
    }
    let sum = fround(fround(a + c) + fround(b + d));
    for (; k < width; k += 1, at += 1) sum = fround(sum + fround(table[at] * query[k]));
    into[row] = sum;
  }
}
