// Sums rows that go to the same segment, in the order they come.

/** `out[segments[row]] += values[row]`; rows of a segment outside `0..count-1` are dropped. `out` is cleared first. */
export function segmentSum(values: usize, segments: usize, rows: i32, width: i32, count: i32, out: usize): void {
  const bytes = <usize>width << 2;
  const vectors: usize = <usize>(width & ~3) << 2;
  memory.fill(out, 0, <usize>count * bytes);
  for (let row = 0; row < rows; row += 1) {
    const segment = load<i32>(segments + (<usize>row << 2));
    if (<u32>segment >= <u32>count) continue;
    const source = values + <usize>row * bytes;
    const target = out + <usize>segment * bytes;
    let at: usize = 0;
    for (; at < vectors; at += 16) v128.store(target + at, f32x4.add(v128.load(target + at), v128.load(source + at)));
    for (; at < bytes; at += 4) store<f32>(target + at, load<f32>(target + at) + load<f32>(source + at));
  }
}
