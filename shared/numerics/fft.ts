/**
 * A radix-2 fast Fourier transform on two typed arrays, in place (Cooley and Tukey 1965), depth first so that a
 * large one works in cache. Written by hand because the privacy loss accountant needs nothing more, and needs its
 * twiddle factors to full precision at 2^22 points.
 */

export interface FourierTransform {
  readonly size: number;
  /** X_k = sum_j x_j e^(-2 pi i jk / size). */
  forward(real: Float64Array, imaginary: Float64Array): void;
  /** The inverse of `forward`, division by `size` included. */
  inverse(real: Float64Array, imaginary: Float64Array): void;
}

/** Twiddle factors of every level, each level contiguous: entry half + k is e^(-pi i k / half). */
interface Twiddles {
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

/** Transforms of this size and below run level by level: they fit the first-level cache. */
const cachedSize = 1 << 10;

/** A transform of `size` points, a power of two of at least 2. */
export function fourierTransform(size: number): FourierTransform {
  if (!Number.isInteger(Math.log2(size)) || size < 2) throw new RangeError(`size: expected a power of two of at least 2, got ${size}`);
  const twiddles = makeTwiddles(size);
  const forward = (real: Float64Array, imaginary: Float64Array): void => {
    reverseBits(real, imaginary);
    transformRange(real, imaginary, 0, size, twiddles);
  };
  return {
    size,
    forward,
    inverse(real, imaginary) {
      // Exchanging the parts before and after turns one direction into the other.
      forward(imaginary, real);
      for (let i = 0; i < size; i += 1) {
        real[i] /= size;
        imaginary[i] /= size;
      }
    },
  };
}

function makeTwiddles(size: number): Twiddles {
  const cosines = new Float64Array(size);
  const sines = new Float64Array(size);
  const top = size / 2;
  for (let k = 0; k < top; k += 1) {
    const angle = (-Math.PI * k) / top;
    cosines[top + k] = Math.cos(angle);
    sines[top + k] = Math.sin(angle);
  }
  // Entry half + k of a lower level is entry 2 (half + k) of the level above it.
  for (let i = top - 1; i >= 1; i -= 1) {
    cosines[i] = cosines[2 * i];
    sines[i] = sines[2 * i];
  }
  return { cosines, sines };
}

function transformRange(real: Float64Array, imaginary: Float64Array, start: number, size: number, twiddles: Twiddles): void {
  if (size <= cachedSize) {
    for (let half = 1; half < size; half *= 2) {
      for (let at = start; at < start + size; at += 2 * half) butterflies(real, imaginary, at, half, twiddles);
    }
    return;
  }
  transformRange(real, imaginary, start, size / 2, twiddles);
  transformRange(real, imaginary, start + size / 2, size / 2, twiddles);
  butterflies(real, imaginary, start, size / 2, twiddles);
}

function butterflies(real: Float64Array, imaginary: Float64Array, start: number, half: number, { cosines, sines }: Twiddles): void {
  for (let k = 0; k < half; k += 1) {
    const i = start + k;
    const j = i + half;
    const cos = cosines[half + k];
    const sin = sines[half + k];
    const re = real[j] * cos - imaginary[j] * sin;
    const im = real[j] * sin + imaginary[j] * cos;
    real[j] = real[i] - re;
    imaginary[j] = imaginary[i] - im;
    real[i] += re;
    imaginary[i] += im;
  }
}

function reverseBits(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  for (let i = 1, j = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const re = real[i];
      const im = imaginary[i];
      real[i] = real[j];
      imaginary[i] = imaginary[j];
      real[j] = re;
      imaginary[j] = im;
    }
  }
}
