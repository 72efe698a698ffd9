/** A table of item rows that queries are multiplied with: all scores of a query, or its best rows. */

export interface RowTable {
  readonly rows: number;
  readonly width: number;
  /** Writes the dot product of every row with the query. `query` has `width` numbers, `into` one for each row. */
  scores(query: Float32Array, into: Float32Array): void;
}

/** @param data rows by width, row-major; must not change afterwards */
export function createRowTable(data: Float32Array, width: number): RowTable {
  const rows = data.length / width;
  return {
    rows,
    width,
    scores(query, into) {
      for (let row = 0; row < rows; row += 1) {
        let product = 0;
        for (let k = 0, at = row * width; k < width; k += 1, at += 1) product += data[at] * query[k];
        into[row] = product;
      }
    },
  };
}
