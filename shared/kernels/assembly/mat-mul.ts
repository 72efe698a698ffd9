// Products of batches of matrices. Both factors are packed into panels that stay in the caches (Goto and van de Geijn 2008,
// "Anatomy of high-performance matrix multiplication"), four rows by eight columns are summed in registers. Every entry is
// summed in the order of the inner index, so the result does not depend on the blocking.

const innerBlock: i32 = 256;
const columnBlock: i32 = 128;
const panelColumns: i32 = 8;
const tileRows: i32 = 4;

// Within the scratch space: packed columns, packed rows, one tile.
const rowsAt: usize = 256 * 128 * 4;
const tileAt: usize = rowsAt + 256 * 4 * 4;

/** Bytes that `matMul` needs as scratch space. */
export function matMulScratchBytes(): i32 {
  return <i32>tileAt + 4 * 8 * 4;
}

// @ts-ignore: decorator
@inline
function transposeFour(from: usize, rowBytes: usize, to: usize, toBytes: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + rowBytes);
  const c = v128.load(from + 2 * rowBytes);
  const d = v128.load(from + 3 * rowBytes);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to + toBytes, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
  v128.store(to + 2 * toBytes, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(to + 3 * toBytes, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}

/** Copies `lanes` lines of `inner` numbers side by side: `to[position][lane]`, lanes beyond the last filled with zero. */
function pack(from: usize, laneBytes: usize, positionBytes: usize, lanes: i32, inner: i32, to: usize, toLanes: i32): void {
  const toBytes = <usize>toLanes << 2;
  if (lanes === toLanes && laneBytes === 4) {
    for (let position = 0; position < inner; position += 1) {
      for (let lane: usize = 0; lane < toBytes; lane += 16) v128.store(to + lane, v128.load(from + lane));
      from += positionBytes;
      to += toBytes;
    }
    return;
  }
  let position = 0;
  if (lanes === toLanes && positionBytes === 4) {
    for (; position + 4 <= inner; position += 4) {
      for (let lane: usize = 0; lane < <usize>lanes; lane += 4) {
        transposeFour(from + lane * laneBytes + (<usize>position << 2), laneBytes, to + <usize>position * toBytes + (lane << 2), toBytes);
      }
    }
  }
  for (; position < inner; position += 1) {
    const source = from + <usize>position * positionBytes;
    const target = to + <usize>position * toBytes;
    for (let lane = 0; lane < toLanes; lane += 1) {
      store<f32>(target + (<usize>lane << 2), lane < lanes ? load<f32>(source + <usize>lane * laneBytes) : 0);
    }
  }
}

/** Adds the product of a packed strip of four rows and a packed panel of eight columns to a tile, or sets it. */
function multiplyTile(strip: usize, panel: usize, inner: i32, tile: usize, tileBytes: usize, isFirst: bool): void {
  const second = tile + tileBytes;
  const third = second + tileBytes;
  const fourth = third + tileBytes;
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let c0 = f32x4.splat(0);
  let c1 = f32x4.splat(0);
  let d0 = f32x4.splat(0);
  let d1 = f32x4.splat(0);
  if (!isFirst) {
    a0 = v128.load(tile);
    a1 = v128.load(tile, 16);
    b0 = v128.load(second);
    b1 = v128.load(second, 16);
    c0 = v128.load(third);
    c1 = v128.load(third, 16);
    d0 = v128.load(fourth);
    d1 = v128.load(fourth, 16);
  }
  const end = strip + (<usize>inner << 4);
  for (; strip < end; strip += 16, panel += 32) {
    const left = v128.load(panel);
    const right = v128.load(panel, 16);
    const a = v128.load32_splat(strip);
    a0 = f32x4.add(a0, f32x4.mul(a, left));
    a1 = f32x4.add(a1, f32x4.mul(a, right));
    const b = v128.load32_splat(strip, 4);
    b0 = f32x4.add(b0, f32x4.mul(b, left));
    b1 = f32x4.add(b1, f32x4.mul(b, right));
    const c = v128.load32_splat(strip, 8);
    c0 = f32x4.add(c0, f32x4.mul(c, left));
    c1 = f32x4.add(c1, f32x4.mul(c, right));
    const d = v128.load32_splat(strip, 12);
    d0 = f32x4.add(d0, f32x4.mul(d, left));
    d1 = f32x4.add(d1, f32x4.mul(d, right));
  }
  v128.store(tile, a0);
  v128.store(tile, a1, 16);
  v128.store(second, b0);
  v128.store(second, b1, 16);
  v128.store(third, c0);
  v128.store(third, c1, 16);
  v128.store(fourth, d0);
  v128.store(fourth, d1, 16);
}

function copyTile(from: usize, fromBytes: usize, to: usize, toBytes: usize, rows: i32, columns: i32): void {
  for (let row = 0; row < rows; row += 1) memory.copy(to + <usize>row * toBytes, from + <usize>row * fromBytes, <usize>columns << 2);
}

/**
 * `c = a b` for `batch` pairs: `a` is rows by inner, `b` inner by columns, or the other way round where transposed.
 * Steps are in numbers from one matrix to the next; 0 takes the same one again.
 */
export function matMul(a: usize, aStep: i32, b: usize, bStep: i32, c: usize, batch: i32, rows: i32, inner: i32, columns: i32, transposeA: bool, transposeB: bool, scratch: usize): void {
  const strip = scratch + rowsAt;
  const tile = scratch + tileAt;
  const aRowBytes: usize = transposeA ? 4 : <usize>inner << 2;
  const aInnerBytes: usize = transposeA ? <usize>rows << 2 : 4;
  const bColumnBytes: usize = transposeB ? <usize>inner << 2 : 4;
  const bInnerBytes: usize = transposeB ? 4 : <usize>columns << 2;
  const cRowBytes = <usize>columns << 2;
  const cBytes = <usize>rows * cRowBytes;
  if (inner === 0) memory.fill(c, 0, <usize>batch * cBytes);
  for (let pair = 0; pair < batch; pair += 1) {
    const aStart = a + (<usize>pair * <usize>aStep << 2);
    const bStart = b + (<usize>pair * <usize>bStep << 2);
    const cStart = c + <usize>pair * cBytes;
    for (let column = 0; column < columns; column += columnBlock) {
      const blockColumns = min(columnBlock, columns - column);
      for (let at = 0; at < inner; at += innerBlock) {
        const blockInner = min(innerBlock, inner - at);
        const panelBytes = <usize>blockInner << 5;
        for (let j = 0; j < blockColumns; j += panelColumns) {
          pack(bStart + <usize>(column + j) * bColumnBytes + <usize>at * bInnerBytes, bColumnBytes, bInnerBytes, min(panelColumns, blockColumns - j), blockInner, scratch + <usize>(j >> 3) * panelBytes, panelColumns);
        }
        for (let row = 0; row < rows; row += tileRows) {
          const liveRows = min(tileRows, rows - row);
          pack(aStart + <usize>row * aRowBytes + <usize>at * aInnerBytes, aRowBytes, aInnerBytes, liveRows, blockInner, strip, tileRows);
          for (let j = 0; j < blockColumns; j += panelColumns) {
            const liveColumns = min(panelColumns, blockColumns - j);
            const target = cStart + <usize>row * cRowBytes + (<usize>(column + j) << 2);
            const panel = scratch + <usize>(j >> 3) * panelBytes;
            if (liveRows === tileRows && liveColumns === panelColumns) {
              multiplyTile(strip, panel, blockInner, target, cRowBytes, at === 0);
            } else {
              copyTile(target, cRowBytes, tile, 32, liveRows, liveColumns);
              multiplyTile(strip, panel, blockInner, tile, 32, at === 0);
              copyTile(tile, 32, target, cRowBytes, liveRows, liveColumns);
            }
          }
        }
      }
    }
  }
}
