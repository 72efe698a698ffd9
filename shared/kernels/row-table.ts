/**
 * A table of item rows that queries are multiplied with: all scores of a query, or its best rows. SIMD where there is
 * WebAssembly, plain otherwise, with the same bits from both: a release ranks alike everywhere.
 */
import { topK } from '../ranking/top-k.ts';
import { dots } from './plain/dots.ts';
import { ownSimdKernels, topRowsScratch, type OwnedKernels } from './simd.ts';

export interface RankedRows {
  /** Rows, best first; ties by lower index. */
  readonly items: Int32Array;
  readonly scores: Float32Array;
}

export interface RowTable {
  readonly rows: number;
  readonly width: number;
  /** Writes the dot product of every row with the query. `query` has `width` numbers, `into` one for each row. */
  scores(query: Float32Array, into: Float32Array): void;
  /**
   * The best k rows; fewer when not enough are left. NaN is never ranked.
   * @param excluded One entry a row; nonzero is left out.
   */
  topK(query: Float32Array, k: number, excluded?: Uint8Array): RankedRows;
}

/** Smaller tables are not worth a memory of their own, for which engines set much address space aside. */
const fewestNumbers = 16_384;

/**
 * @param data rows by width, row-major; must not change afterwards
 * @example createRowTable(Float32Array.of(1, 0, 0, 2, 1, 1), 2).topK(Float32Array.of(1, 1), 2); // items 1 and 2, scores 2 and 2
 */
export function createRowTable(data: Float32Array, width: number): RowTable {
  const rows = data.length / width;
  const owned = data.length < fewestNumbers ? null : ownSimdKernels(layoutOf(rows, width).bytes);
  return owned === null ? plainRowTable(data, width) : simdRowTable(data, width, owned);
}

/** The table without WebAssembly. */
export function plainRowTable(data: Float32Array, width: number): RowTable {
  const rows = data.length / width;
  const all = new Float32Array(rows);
  return {
    rows,
    width,
    scores: (query, into) => dots(data, width, query, into),
    topK(query, k, excluded) {
      dots(data, width, query, all);
      const items = topK(all, k, excluded);
      return { items, scores: Float32Array.from(items, (item) => all[item]) };
    },
  };
}

/** Byte offsets in the memory of a table. */
function layoutOf(rows: number, width: number): { query: number; scores: number; indexes: number; best: number; excluded: number; bytes: number } {
  const query = rows * width * 4;
  // A call either writes all scores, or the scores of one block at a time.
  const scores = query + width * 4;
  const indexes = scores + Math.max(rows, topRowsScratch) * 4;
  const best = indexes + rows * 4;
  const excluded = best + rows * 4;
  return { query, scores, indexes, best, excluded, bytes: excluded + rows };
}

function simdRowTable(data: Float32Array, width: number, { kernels, memory: { buffer } }: OwnedKernels): RowTable {
  const rows = data.length / width;
  const layout = layoutOf(rows, width);
  new Float32Array(buffer).set(data);
  const queryView = new Float32Array(buffer, layout.query, width);
  const scoresView = new Float32Array(buffer, layout.scores, rows);
  const excludedView = new Uint8Array(buffer, layout.excluded, rows);
  return {
    rows,
    width,
    scores(query, into) {
      queryView.set(query);
      kernels.dots(0, rows, width, layout.query, layout.scores);
      into.set(scoresView);
    },
    topK(query, k, excluded) {
      queryView.set(query);
      if (excluded !== undefined) excludedView.set(excluded);
      const found = kernels.topRows(0, rows, width, layout.query, excluded === undefined ? 0 : layout.excluded, Math.min(Math.max(0, k), rows), layout.scores, layout.indexes, layout.best);
      return { items: new Int32Array(buffer, layout.indexes, found).slice(), scores: new Float32Array(buffer, layout.best, found).slice() };
    },
  };
}
