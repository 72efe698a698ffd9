/**
 * The ring Z_2^b, b in 16..32. Because 2^b divides 2^32, sums are computed in an Int32Array, whose addition is that
 * of Z_2^32, and high bits are dropped on the wire only. A coordinate travels in b bits rounded up to whole bytes,
 * little-endian. Security: overflow is not detected here; whoever makes the plan chooses b for the worst sum.
 */
import { invalid, requireLength } from './bytes.ts';

export function bytesPerCoordinate(modulusBits: number): number {
  return Math.ceil(modulusBits / 8);
}

/** The wire form of a vector, modulo 2^b. */
export function packVector(vector: Int32Array, modulusBits: number): Uint8Array {
  const width = bytesPerCoordinate(modulusBits);
  const mask = modulusBits === 32 ? -1 : (1 << modulusBits) - 1;
  const packed = new Uint8Array(vector.length * width);
  for (let i = 0, offset = 0; i < vector.length; i += 1, offset += width) {
    const word = vector[i] & mask;
    packed[offset] = word;
    packed[offset + 1] = word >>> 8;
    if (width > 2) packed[offset + 2] = word >>> 16;
    if (width > 3) packed[offset + 3] = word >>> 24;
  }
  return packed;
}

/** Throws unless `packed` is the one wire form of a vector of `length`: spare bits are zero. */
export function requirePacked(packed: Uint8Array, length: number, modulusBits: number): void {
  const width = bytesPerCoordinate(modulusBits);
  requireLength('vector', packed, length * width);
  const spare = 256 - (1 << (modulusBits - 8 * (width - 1)));
  if (spare === 0) return;
  for (let i = width - 1; i < packed.length; i += width) {
    if ((packed[i] & spare) !== 0) throw invalid(`vector[${(i + 1) / width - 1}]`, `a number below 2^${modulusBits}`, 'spare bits that are set');
  }
}

/** Adds a packed vector that passed {@link requirePacked}. */
export function addPacked(into: Int32Array, packed: Uint8Array, modulusBits: number): void {
  const width = bytesPerCoordinate(modulusBits);
  if (width === 4) return addWords(into, littleEndianWords(packed), 1);
  for (let i = 0, offset = 0; i < into.length; i += 1, offset += width) {
    let word = packed[offset] | (packed[offset + 1] << 8);
    if (width > 2) word |= packed[offset + 2] << 16;
    into[i] += word;
  }
}

/** Adds `vector` or, with `sign` -1, subtracts it. */
export function addWords(into: Int32Array, words: Int32Array, sign: 1 | -1): void {
  const { length } = into;
  if (words.length !== length) throw invalid('words', `${length} words`, words.length);
  // Four at a time, and told to be integers: masks are mostly additions, and these take two thirds of the time.
  let i = 0;
  if (sign === 1) {
    for (; i + 3 < length; i += 4) {
      into[i] = (into[i] + words[i]) | 0;
      into[i + 1] = (into[i + 1] + words[i + 1]) | 0;
      into[i + 2] = (into[i + 2] + words[i + 2]) | 0;
      into[i + 3] = (into[i + 3] + words[i + 3]) | 0;
    }
    for (; i < length; i += 1) into[i] += words[i];
  } else {
    for (; i + 3 < length; i += 4) {
      into[i] = (into[i] - words[i]) | 0;
      into[i + 1] = (into[i + 1] - words[i + 1]) | 0;
      into[i + 2] = (into[i + 2] - words[i + 2]) | 0;
      into[i + 3] = (into[i + 3] - words[i + 3]) | 0;
    }
    for (; i < length; i += 1) into[i] -= words[i];
  }
}

/** Reads every element modulo 2^b as a two's-complement number of b bits, in place. */
export function signExtend(vector: Int32Array, modulusBits: number): Int32Array {
  const shift = 32 - modulusBits;
  for (let i = 0; i < vector.length; i += 1) vector[i] = (vector[i] << shift) >> shift;
  return vector;
}

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Little-endian words of bytes whose number is a multiple of 4. A view where alignment allows: the bytes are not shared. */
export function littleEndianWords(bytes: Uint8Array): Int32Array {
  if (isLittleEndian && bytes.byteOffset % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i, true));
}
