/** Sums rows that go to the same segment, in the order they come. */

/** `into[segments[row]] += values[row]`, cleared first; rows of a segment outside `into` are dropped. */
export function segmentSum(values: Float32Array, segments: Int32Array, width: number, into: Float32Array): void {
  const count = width === 0 ? 0 : into.length / width;
  into.fill(0);
  for (let row = 0; row < segments.length; row += 1) {
    const segment = segments[row];
    if (segment < 0 || segment >= count) continue;
    for (let k = 0, from = row * width, to = segment * width; k < width; k += 1, from += 1, to += 1) into[to] += values[from];
  }
}
