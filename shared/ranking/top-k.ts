/** The k best of many scores by insertion into a short sorted list: one pass, ties by lower index, the same everywhere. */

/**
 * Indexes of the highest scores, best first; fewer than k when not enough are left. NaN is never ranked.
 * @param excluded One entry an index; nonzero is left out.
 * @example topK(Float32Array.of(1, 3, 3, 2), 2, Uint8Array.of(0, 0, 1, 0)); // Int32Array [1, 3]
 */
export function topK(scores: Float32Array, k: number, excluded?: Uint8Array): Int32Array {
  const best = new Int32Array(Math.max(0, Math.min(k, scores.length)));
  if (best.length === 0) return best;
  let size = 0;
  let worst = -Infinity;
  for (let index = 0; index < scores.length; index += 1) {
    const score = scores[index];
    // Indexes rise, so an equal score never displaces an earlier one.
    if (size === best.length ? !(score > worst) : Number.isNaN(score)) continue;
    if (excluded !== undefined && excluded[index] !== 0) continue;
    if (size < best.length) size += 1;
    let position = size - 1;
    for (; position > 0 && score > scores[best[position - 1]]; position -= 1) best[position] = best[position - 1];
    best[position] = index;
    worst = scores[best[size - 1]];
  }
  return best.subarray(0, size);
}
