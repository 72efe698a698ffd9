// Dot products of rows with a query, four rows at a time: one pass over the table, limited by memory.

// @ts-ignore: decorator
@inline
function across(sums: v128): f32 {
  return (f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 2)) + (f32x4.extract_lane(sums, 1) + f32x4.extract_lane(sums, 3));
}

/** `out[row] = table[row] . query` for `rows` rows of `width` numbers. Lane j adds the positions j, j + 4, ... in order. */
export function dots(table: usize, rows: i32, width: i32, query: usize, out: usize): void {
  const bytes: usize = <usize>width << 2;
  const vectors: usize = <usize>(width & ~3) << 2;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const first = table + <usize>row * bytes;
    const second = first + bytes;
    const third = second + bytes;
    const fourth = third + bytes;
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (let at: usize = 0; at < vectors; at += 16) {
      const q = v128.load(query + at);
      a = f32x4.add(a, f32x4.mul(v128.load(first + at), q));
      b = f32x4.add(b, f32x4.mul(v128.load(second + at), q));
      c = f32x4.add(c, f32x4.mul(v128.load(third + at), q));
      d = f32x4.add(d, f32x4.mul(v128.load(fourth + at), q));
    }
    let sumA = across(a);
    let sumB = across(b);
    let sumC = across(c);
    let sumD = across(d);
    for (let at = vectors; at < bytes; at += 4) {
      const q = load<f32>(query + at);
      sumA += load<f32>(first + at) * q;
      sumB += load<f32>(second + at) * q;
      sumC += load<f32>(third + at) * q;
      sumD += load<f32>(fourth + at) * q;
    }
    const target = out + (<usize>row << 2);
    store<f32>(target, sumA);
    store<f32>(target, sumB, 4);
    store<f32>(target, sumC, 8);
    store<f32>(target, sumD, 12);
  }
  for (; row < rows; row += 1) {
    const first = table + <usize>row * bytes;
    let a = f32x4.splat(0);
    for (let at: usize = 0; at < vectors; at += 16) a = f32x4.add(a, f32x4.mul(v128.load(first + at), v128.load(query + at)));
    let sum = across(a);
    for (let at = vectors; at < bytes; at += 4) sum += load<f32>(first + at) * load<f32>(query + at);
    store<f32>(out + (<usize>row << 2), sum);
  }
}
