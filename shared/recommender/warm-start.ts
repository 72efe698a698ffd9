/** Where rows of items start, from the public catalogue alone: like titles alike, which costs no privacy. */
import type { Catalogue } from '../commerce/catalogue.ts';
import { seededRandom } from '../numerics/random.ts';
import { hasText, similarPairs } from './text-similarity.ts';

/** Passes of smoothing over the graph of like titles: neighbours of neighbours of neighbours count. */
const warmPasses = 3;
/** What every item keeps of its own random start: items that started equal would stay equal, whoever buys them. */
const ownShare = 0.3;

/**
 * Items by width, row-major, rows of norm 1: random signs smoothed over the graph of like titles. Without text they stay
 * at random.
 * @param stream names the random signs: models that start from the same catalogue need not start alike
 */
export function warmStart(catalogue: Catalogue, width: number, stream: string): Float32Array {
  const items = catalogue.products.length;
  const random = seededRandom(0, stream);
  const own = Float64Array.from({ length: items * width }, () => ((random.nextUint32() & 1) === 0 ? 1 : -1) / Math.sqrt(width));
  let rows = own;
  if (hasText(catalogue)) {
    const { starts, partners, similarity } = similarPairs(catalogue);
    for (let pass = 0; pass < warmPasses; pass += 1) {
      const smoothed = rows.slice();
      for (let first = 0; first < items; first += 1) {
        for (let entry = starts[first]; entry < starts[first + 1]; entry += 1) {
          for (let k = 0; k < width; k += 1) {
            smoothed[first * width + k] += similarity[entry] * rows[partners[entry] * width + k];
            smoothed[partners[entry] * width + k] += similarity[entry] * rows[first * width + k];
          }
        }
      }
      rows = unitRows(smoothed, width);
    }
    rows = unitRows(rows.map((value, at) => value + ownShare * own[at]), width);
  }
  return Float32Array.from(rows);
}

function unitRows(rows: Float64Array<ArrayBuffer>, width: number): Float64Array<ArrayBuffer> {
  for (let start = 0; start < rows.length; start += width) {
    let square = 0;
    for (let k = 0; k < width; k += 1) square += rows[start + k] ** 2;
    const scale = square === 0 ? 0 : 1 / Math.sqrt(square);
    for (let k = 0; k < width; k += 1) rows[start + k] *= scale;
  }
  return rows;
}
