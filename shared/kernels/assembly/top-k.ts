// The best rows of a table without a list of all scores: scores of one block at a time, insertion into a short sorted list.
import { dots } from './dots';

const blockRows: i32 = 1024;

/**
 * Writes indexes and scores of at most `k` best rows, best first, ties by lower index; returns how many. NaN is never ranked.
 * `excluded`: a byte a row, or 0 for none. `scores`: room for 1024 numbers.
 */
export function topRows(table: usize, rows: i32, width: i32, query: usize, excluded: usize, k: i32, scores: usize, bestIndexes: usize, bestScores: usize): i32 {
  let size = 0;
  let worst: f32 = -Infinity;
  if (k <= 0) return 0;
  for (let start = 0; start < rows; start += blockRows) {
    const count = min(blockRows, rows - start);
    dots(table + <usize>start * (<usize>width << 2), count, width, query, scores);
    for (let at = 0; at < count; at += 1) {
      if (size === k) {
        // Most scores are below the worst of the best: four are passed over at once.
        const limit = f32x4.splat(worst);
        while (at + 4 <= count && !v128.any_true(f32x4.gt(v128.load(scores + (<usize>at << 2)), limit))) at += 4;
        if (at >= count) break;
      }
      const score = load<f32>(scores + (<usize>at << 2));
      if (size === k ? !(score > worst) : score !== score) continue;
      const index = start + at;
      if (excluded !== 0 && load<u8>(excluded + <usize>index) !== 0) continue;
      if (size < k) size += 1;
      let position = size - 1;
      for (; position > 0; position -= 1) {
        const before = load<f32>(bestScores + (<usize>(position - 1) << 2));
        if (!(score > before)) break;
        store<f32>(bestScores + (<usize>position << 2), before);
        store<i32>(bestIndexes + (<usize>position << 2), load<i32>(bestIndexes + (<usize>(position - 1) << 2)));
      }
      store<f32>(bestScores + (<usize>position << 2), score);
      store<i32>(bestIndexes + (<usize>position << 2), index);
      worst = load<f32>(bestScores + (<usize>(size - 1) << 2));
    }
  }
  return size;
}
