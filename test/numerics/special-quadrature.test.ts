import { describe, expect, it } from 'vitest';
import { fourierTransform } from '../../shared/numerics/fft.ts';
import { bracketedRoot, gaussLegendre, goldenMinimum, integrate } from '../../shared/numerics/quadrature.ts';
import { seededRandom } from '../../shared/numerics/random.ts';

describe('quadrature and search', () => {
  it('a Gauss-Legendre rule of n points integrates polynomials of degree 2n - 1 exactly', () => {
    const rule = gaussLegendre(5);
    for (let degree = 0; degree <= 9; degree += 1) {
      expect(integrate(rule, 0, 2, (x) => x ** degree)).toBeCloseTo(2 ** (degree + 1) / (degree + 1), 10);
    }
    expect(Math.abs(integrate(rule, 0, 2, (x) => x ** 12) - 2 ** 13 / 13)).toBeGreaterThan(1e-4);
  });

  it('a bracketed root is found to rounding', () => {
    expect(bracketedRoot((x) => x ** 3 - 2, 0, 2)).toBeCloseTo(Math.cbrt(2), 14);
    expect(bracketedRoot((x) => 1 - Math.exp(x - 30), 0, 1000)).toBeCloseTo(30, 12);
    expect(bracketedRoot((x) => x, -1, 1)).toBe(0);
  });

  it('a bracket without a change of sign, or with NaN, is refused', () => {
    expect(() => bracketedRoot((x) => x * x + 1, -1, 1)).toThrow('change of sign');
    expect(() => bracketedRoot(() => NaN, -1, 1)).toThrow('change of sign');
  });

  it('golden section finds the minimum of a unimodal function', () => {
    expect(goldenMinimum((x) => (x - 3) ** 2, 0, 10, 1e-9).at).toBeCloseTo(3, 6);
  });
});

describe('the Fourier transform', () => {
  it.each([2, 8, 4096])('agrees with the sum that defines it at %i points', (size) => {
    const random = seededRandom(1, 'fft');
    const real = Float64Array.from({ length: size }, () => random.nextFloat() - 0.5);
    const imaginary = Float64Array.from({ length: size }, () => random.nextFloat() - 0.5);
    const [re, im] = [real.slice(), imaginary.slice()];
    fourierTransform(size).forward(re, im);
    for (const k of [0, 1, Math.floor(size / 3), size - 1]) {
      let [a, b] = [0, 0];
      for (let j = 0; j < size; j += 1) {
        const angle = (-2 * Math.PI * ((j * k) % size)) / size;
        a += real[j] * Math.cos(angle) - imaginary[j] * Math.sin(angle);
        b += real[j] * Math.sin(angle) + imaginary[j] * Math.cos(angle);
      }
      expect(re[k]).toBeCloseTo(a, 10);
      expect(im[k]).toBeCloseTo(b, 10);
    }
  });

  it('is undone by its inverse', () => {
    const real = Float64Array.from({ length: 2048 }, (_, i) => Math.sin(i));
    const imaginary = new Float64Array(2048);
    const transform = fourierTransform(2048);
    transform.forward(real, imaginary);
    transform.inverse(real, imaginary);
    real.forEach((value, i) => expect(value).toBeCloseTo(Math.sin(i), 13));
  });

  it('refuses sizes that are no power of two', () => {
    expect(() => fourierTransform(12)).toThrow('power of two');
  });
});
