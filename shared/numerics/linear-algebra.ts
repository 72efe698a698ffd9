/**
 * Dense linear algebra in Float64 on one core: the inverse of a symmetric positive-definite matrix by blocked
 * Cholesky (Golub and Van Loan 2013, sections 4.2 and 3.1) and the matrix product. Matrices are square, row-major.
 * The work is cut into square tiles that fit the first-level cache; each tile product runs on a 4 x 2 block of
 * scalars, which is what the registers of a 64-bit machine hold without spilling.
 */
import { CestaError } from '../protocol/errors.ts';

const tileSide = 64;
const tileArea = tileSide * tileSide;
const rowsOfA = 4;
const rowsOfB = 2;

/** A square matrix as tiles; `tile(i, j)` is absent where the structure makes it zero or redundant. */
type Tiles = Float64Array[][];

/**
 * The inverse of a symmetric positive-definite matrix, in the memory of the matrix. Only the lower triangle is read;
 * both are written. Costs size^3 / 2 multiplications and as much memory again as the matrix.
 * @returns The matrix given, overwritten by its inverse.
 * @throws CestaError `model.unusable`, with the matrix unchanged, when a pivot is not positive and finite.
 * @example
 * invertPositiveDefinite(2, Float64Array.of(4, 2, 2, 3)); // [0.375, -0.25, -0.25, 0.5]
 */
export function invertPositiveDefinite(size: number, matrix: Float64Array): Float64Array {
  const tiles = lowerTiles(matrix, size);
  const inverseFactor = invertFactor(tiles, factorise(tiles));
  gramOfFactor(inverseFactor, tiles);
  for (let row = 0; row < size; row += 1) {
    const tileRow = tiles[Math.floor(row / tileSide)];
    for (let column = 0; column <= row; column += 1) {
      const value = tileRow[Math.floor(column / tileSide)][(row % tileSide) * tileSide + (column % tileSide)];
      matrix[row * size + column] = value;
      matrix[column * size + row] = value;
    }
  }
  return matrix;
}

/**
 * The product of two square matrices.
 * @example multiplySquare(2, Float64Array.of(1, 2, 3, 4), Float64Array.of(0, 1, 1, 0)); // [2, 1, 4, 3]
 */
export function multiplySquare(size: number, a: Float64Array, b: Float64Array): Float64Array {
  const count = Math.ceil(size / tileSide);
  const product = new Float64Array(size * size);
  const leftTiles: Float64Array[] = [];
  const right = new Float64Array(tileArea);
  const sum = new Float64Array(tileArea);
  const packedRight: Tiles = Array.from({ length: count }, (_, inner) => Array.from({ length: count }, (__, column) => {
    readTile(b, size, inner, column, right);
    return packB(transpose(right));
  }));
  for (let row = 0; row < count; row += 1) {
    for (let inner = 0; inner < count; inner += 1) {
      readTile(a, size, row, inner, sum);
      leftTiles[inner] = packA(sum);
    }
    for (let column = 0; column < count; column += 1) {
      sum.fill(0);
      for (let inner = 0; inner < count; inner += 1) addProduct(sum, leftTiles[inner], packedRight[inner][column]);
      writeTile(sum, row, column, product, size);
    }
  }
  return product;
}

/** The lower triangle as tiles, padded with the identity, which changes neither factor nor inverse inside. */
function lowerTiles(matrix: Float64Array, size: number): Tiles {
  const count = Math.ceil(size / tileSide);
  return Array.from({ length: count }, (_, row) => Array.from({ length: row + 1 }, (__, column) => {
    const tile = new Float64Array(tileArea);
    readTile(matrix, size, row, column, tile);
    if (row === column) {
      for (let index = Math.max(0, size - row * tileSide); index < tileSide; index += 1) tile[index * tileSide + index] = 1;
    }
    return tile;
  }));
}

/**
 * Cholesky in place: tiles of A = L L^T become tiles of L below the diagonal, in the packed order of `packA`.
 * Returns the inverses of L's diagonal tiles.
 */
function factorise(tiles: Tiles): Float64Array[] {
  const inverseDiagonal: Float64Array[] = [];
  for (let step = 0; step < tiles.length; step += 1) {
    factoriseTile(tiles[step][step]);
    inverseDiagonal.push(invertLowerTile(tiles[step][step]));
    const packedInverse = packB(inverseDiagonal[step]);
    const columnAsB: Float64Array[] = [];
    for (let row = step + 1; row < tiles.length; row += 1) {
      const solved = new Float64Array(tileArea);
      addProduct(solved, packA(tiles[row][step]), packedInverse);
      tiles[row][step] = packA(solved);
      columnAsB[row] = packB(negate(solved));
    }
    for (let row = step + 1; row < tiles.length; row += 1) {
      for (let column = step + 1; column <= row; column += 1) addProduct(tiles[row][column], tiles[row][step], columnAsB[column]);
    }
  }
  return inverseDiagonal;
}

/** The transposed tiles of M = L^-1: M_ij = -L_ii^-1 sum_k L_ik M_kj for j <= k < i. */
function invertFactor(factor: Tiles, inverseDiagonal: readonly Float64Array[]): Tiles {
  const count = factor.length;
  const inverse: Tiles = inverseDiagonal.map(() => []);
  const packedDiagonal = inverseDiagonal.map((tile) => packA(negate(tile.slice())));
  for (let column = 0; column < count; column += 1) {
    const packed: Float64Array[] = [];
    inverse[column][column] = transpose(inverseDiagonal[column]);
    packed[column] = packB(inverse[column][column]);
    for (let row = column + 1; row < count; row += 1) {
      const sum = new Float64Array(tileArea);
      for (let inner = column; inner < row; inner += 1) addProduct(sum, factor[row][inner], packed[inner]);
      const tile = new Float64Array(tileArea);
      addProduct(tile, packedDiagonal[row], packB(transpose(sum)));
      inverse[row][column] = transpose(tile);
      packed[row] = packB(inverse[row][column]);
    }
  }
  return inverse;
}

/** Overwrites `product` by M^T M, given the transposed tiles of the lower triangular M. */
function gramOfFactor(transposed: Tiles, product: Tiles): void {
  for (const row of product) for (const tile of row) tile.fill(0);
  for (const [inner, tiles] of transposed.entries()) {
    const asA = tiles.map(packA);
    const asB = tiles.map(packB);
    for (let row = 0; row <= inner; row += 1) {
      for (let column = 0; column <= row; column += 1) addProduct(product[row][column], asA[row], asB[column]);
    }
  }
}

/** Adds A B^T, with A packed by fours of rows and B by twos. */
function addProduct(sum: Float64Array, a: Float64Array, b: Float64Array): void {
  for (let row = 0; row < tileSide; row += rowsOfA) {
    for (let column = 0; column < tileSide; column += rowsOfB) {
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
      let positionB = column * tileSide;
      const end = (row + rowsOfA) * tileSide;
      for (let positionA = row * tileSide; positionA < end; positionA += rowsOfA, positionB += rowsOfB) {
        const b0 = b[positionB];
        const b1 = b[positionB + 1];
        const a0 = a[positionA];
        s00 += a0 * b0;
        s01 += a0 * b1;
        const a1 = a[positionA + 1];
        s10 += a1 * b0;
        s11 += a1 * b1;
        const a2 = a[positionA + 2];
        s20 += a2 * b0;
        s21 += a2 * b1;
        const a3 = a[positionA + 3];
        s30 += a3 * b0;
        s31 += a3 * b1;
      }
      const corner = row * tileSide + column;
      sum[corner] += s00;
      sum[corner + 1] += s01;
      sum[corner + tileSide] += s10;
      sum[corner + tileSide + 1] += s11;
      sum[corner + 2 * tileSide] += s20;
      sum[corner + 2 * tileSide + 1] += s21;
      sum[corner + 3 * tileSide] += s30;
      sum[corner + 3 * tileSide + 1] += s31;
    }
  }
}

function packA(tile: Float64Array): Float64Array {
  return packRows(tile, rowsOfA);
}

function packB(tile: Float64Array): Float64Array {
  return packRows(tile, rowsOfB);
}

/** Interleaves groups of rows, so that the inner loop reads memory in order. */
function packRows(tile: Float64Array, together: number): Float64Array {
  const packed = new Float64Array(tileArea);
  let position = 0;
  for (let group = 0; group < tileSide; group += together) {
    for (let column = 0; column < tileSide; column += 1) {
      for (let row = group; row < group + together; row += 1) packed[position++] = tile[row * tileSide + column];
    }
  }
  return packed;
}

/** Unblocked Cholesky of one tile in place; the upper triangle becomes zero. */
function factoriseTile(tile: Float64Array): void {
  for (let column = 0; column < tileSide; column += 1) {
    for (let row = 0; row < tileSide; row += 1) {
      if (row < column) {
        tile[row * tileSide + column] = 0;
        continue;
      }
      let value = tile[row * tileSide + column];
      for (let inner = 0; inner < column; inner += 1) value -= tile[row * tileSide + inner] * tile[column * tileSide + inner];
      if (row === column) {
        if (!(value > 0) || value === Infinity) throw new CestaError('model.unusable', `matrix: expected positive definite, got pivot ${value}`);
        tile[row * tileSide + column] = Math.sqrt(value);
      } else {
        tile[row * tileSide + column] = value / tile[column * tileSide + column];
      }
    }
  }
}

function invertLowerTile(tile: Float64Array): Float64Array {
  const inverse = new Float64Array(tileArea);
  for (let column = 0; column < tileSide; column += 1) {
    inverse[column * tileSide + column] = 1 / tile[column * tileSide + column];
    for (let row = column + 1; row < tileSide; row += 1) {
      let value = 0;
      for (let inner = column; inner < row; inner += 1) value -= tile[row * tileSide + inner] * inverse[inner * tileSide + column];
      inverse[row * tileSide + column] = value / tile[row * tileSide + row];
    }
  }
  return inverse;
}

function transpose(tile: Float64Array): Float64Array {
  const result = new Float64Array(tileArea);
  for (let row = 0; row < tileSide; row += 1) {
    for (let column = 0; column < tileSide; column += 1) result[column * tileSide + row] = tile[row * tileSide + column];
  }
  return result;
}

function negate(tile: Float64Array): Float64Array {
  for (let index = 0; index < tile.length; index += 1) tile[index] = -tile[index];
  return tile;
}

/** Copies one tile out of a matrix; what lies outside the matrix is zero. */
function readTile(matrix: Float64Array, size: number, tileRow: number, tileColumn: number, into: Float64Array): void {
  into.fill(0);
  const width = Math.min(tileSide, size - tileColumn * tileSide);
  for (let row = 0; row < tileSide && tileRow * tileSide + row < size; row += 1) {
    const start = (tileRow * tileSide + row) * size + tileColumn * tileSide;
    into.set(matrix.subarray(start, start + width), row * tileSide);
  }
}

function writeTile(tile: Float64Array, tileRow: number, tileColumn: number, matrix: Float64Array, size: number): void {
  const width = Math.min(tileSide, size - tileColumn * tileSide);
  for (let row = 0; row < tileSide && tileRow * tileSide + row < size; row += 1) {
    matrix.set(tile.subarray(row * tileSide, row * tileSide + width), (tileRow * tileSide + row) * size + tileColumn * tileSide);
  }
}
