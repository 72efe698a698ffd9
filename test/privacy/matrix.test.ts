import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../shared/numerics/random.ts';
import { bltCoefficients, bltStrategy, correlatedSensitivity, nextCorrelatedNoise, startCorrelatedNoise } from '../../shared/privacy/correlated-noise.ts';
import { inverseStrategy, prefixError, squareRootStrategy, toeplitzSensitivitySquared } from '../../shared/privacy/accounting/toeplitz.ts';
import { restartedTreeRho, treeRho, treeSensitivitySquared } from '../../shared/privacy/accounting/tree.ts';
import { skellamSampler } from '../../shared/privacy/skellam-sampler.ts';

/** All sets of at most `most` rounds, at least `gap` apart. */
function patterns(rounds: number, most: number, gap: number, from = 0): number[][] {
  if (most === 0) return [[]];
  const found: number[][] = [[]];
  for (let first = from; first < rounds; first += 1) {
    for (const rest of patterns(rounds, most - 1, gap, first + gap)) found.push([first, ...rest]);
  }
  return found;
}

/** Sum over the dyadic blocks inside 0..rounds-1 of (members inside)^2. */
function blockSquares(pattern: readonly number[], rounds: number): number {
  let sum = 0;
  for (let size = 1; size <= rounds; size *= 2) {
    for (let start = 0; start + size <= rounds; start += size) sum += pattern.filter((round) => round >= start && round < start + size).length ** 2;
  }
  return sum;
}

describe('tree sensitivity', () => {
  it('is the worst participation pattern, by comparison with all of them', () => {
    for (const rounds of [1, 2, 5, 8, 11, 13]) {
      for (const maxParticipations of [1, 2, 3, 5]) {
        for (const minSeparation of [0, 1, 3]) {
          const worst = Math.max(...patterns(rounds, maxParticipations, minSeparation + 1).map((pattern) => blockSquares(pattern, rounds)));
          expect(treeSensitivitySquared({ rounds, maxParticipations, minSeparation }), `${rounds} ${maxParticipations} ${minSeparation}`).toBe(worst);
        }
      }
    }
  });

  it('of one participation is the depth of the tree', () => {
    for (const rounds of [1, 2, 3, 64, 1000]) expect(treeSensitivitySquared({ rounds, maxParticipations: 1, minSeparation: 0 })).toBe(Math.floor(Math.log2(rounds)) + 1);
    expect(treeRho({ rounds: 64, maxParticipations: 1, minSeparation: 0 }, 2)).toBe(7 / 8);
    expect(restartedTreeRho([63, 64, 65], 1.5)).toBeCloseTo(20 / 4.5, 12);
  });

  it('rises with participations and falls with separation', () => {
    const at = (maxParticipations: number, minSeparation: number): number => treeSensitivitySquared({ rounds: 100, maxParticipations, minSeparation });
    expect(at(3, 20)).toBeGreaterThan(at(2, 20));
    expect(at(3, 5)).toBeGreaterThan(at(3, 40));
  });

  it('refuses what it cannot count', () => {
    expect(() => treeSensitivitySquared({ rounds: 0, maxParticipations: 1, minSeparation: 0 })).toThrow('rounds');
    expect(() => treeSensitivitySquared({ rounds: 4, maxParticipations: 0, minSeparation: 0 })).toThrow('maxParticipations');
    expect(() => treeSensitivitySquared({ rounds: 4, maxParticipations: 1, minSeparation: -1 })).toThrow('minSeparation');
    expect(() => restartedTreeRho([], 1)).toThrow('epochRounds');
  });
});

describe('Toeplitz strategies', () => {
  it('the inverse undoes the strategy', () => {
    const coefficients = squareRootStrategy(40, 7);
    const inverse = inverseStrategy(coefficients);
    for (let t = 0; t < 40; t += 1) {
      let product = 0;
      for (let j = 0; j <= t; j += 1) product += coefficients[j] * inverse[t - j];
      expect(product).toBeCloseTo(t === 0 ? 1 : 0, 12);
    }
  });

  it('sensitivity is the worst pattern of participations at least a period apart', () => {
    const coefficients = squareRootStrategy(12);
    const column = (start: number): number[] => Array.from({ length: 12 }, (_, t) => (t < start ? 0 : coefficients[t - start]));
    for (const [period, maxParticipations] of [[1, 1], [3, 2], [4, 3], [5, 2]]) {
      const worst = Math.max(...patterns(12, maxParticipations, period).map((pattern) => {
        const columns = pattern.map(column);
        return Array.from({ length: 12 }, (_, t) => columns.reduce((sum, entries) => sum + entries[t], 0) ** 2).reduce((a, b) => a + b, 0);
      }));
      expect(toeplitzSensitivitySquared(coefficients, { period, maxParticipations })).toBeCloseTo(worst, 12);
    }
  });

  it('bands no wider than the period make participations orthogonal: sensitivity^2 is k ||c||^2', () => {
    const coefficients = squareRootStrategy(256, 16);
    const one = coefficients.reduce((sum, value) => sum + value * value, 0);
    expect(toeplitzSensitivitySquared(coefficients, { period: 16, maxParticipations: 16 })).toBeCloseTo(16 * one, 10);
  });

  it('refuses coefficients for which its formula is no bound', () => {
    expect(() => toeplitzSensitivitySquared(Float64Array.of(1, -0.5), { period: 1, maxParticipations: 1 })).toThrow('coefficients');
    expect(() => toeplitzSensitivitySquared(Float64Array.of(0.5, 1), { period: 1, maxParticipations: 1 })).toThrow('coefficients');
  });
});

describe('BLT noise', () => {
  it('the shipped strategies are within 0.6 % of the square-root strategy', () => {
    for (const rounds of [16, 64, 256, 1024, 4096]) {
      const error = (coefficients: Float64Array): number =>
        Math.sqrt(prefixError(coefficients).maxSquared * toeplitzSensitivitySquared(coefficients, { period: rounds, maxParticipations: 1 }));
      const ratio = error(bltCoefficients(bltStrategy(rounds), rounds)) / error(squareRootStrategy(rounds));
      expect(ratio).toBeLessThan(1.006);
      expect(ratio).toBeGreaterThan(1);
    }
  });

  it('streams C^-1 of its base noise, up to half a grid step a round', () => {
    const strategy = bltStrategy(16);
    const inverse = inverseStrategy(bltCoefficients(strategy, 16));
    const sampler = skellamSampler({ variance: 1e6, kind: 'fast' });
    const random = seededRandom(3, 'blt');
    let state = startCorrelatedNoise(strategy, 20);
    const bases: Int32Array[] = [];
    for (let t = 0; t < 16; t += 1) {
      const base = new Int32Array(20);
      sampler.fill(base, random);
      bases.push(base);
      const next = nextCorrelatedNoise(state, base);
      state = next.state;
      for (let j = 0; j < 20; j += 1) {
        let exact = 0;
        for (let k = 0; k <= t; k += 1) exact += inverse[k] * bases[t - k][j];
        // Roundings of half a step pass through C^-1, whose coefficients sum to at most 2 in magnitude.
        expect(Math.abs(next.noise[j] - exact)).toBeLessThan(1);
      }
    }
  });

  it('prefix sums of its noise are far smaller than those of independent noise', () => {
    const rounds = 256;
    const length = 200;
    const strategy = bltStrategy(rounds);
    const sensitivity = Math.sqrt(toeplitzSensitivitySquared(bltCoefficients(strategy, rounds), { period: rounds, maxParticipations: 1 }));
    const sampler = skellamSampler({ variance: (1000 * sensitivity) ** 2, kind: 'fast' });
    const random = seededRandom(4, 'prefix');
    let state = startCorrelatedNoise(strategy, length);
    const prefix = new Float64Array(length);
    for (let t = 0; t < rounds; t += 1) {
      const base = new Int32Array(length);
      sampler.fill(base, random);
      const next = nextCorrelatedNoise(state, base);
      state = next.state;
      next.noise.forEach((value, j) => { prefix[j] += value; });
    }
    const rms = Math.sqrt(prefix.reduce((sum, value) => sum + value * value, 0) / length) / 1000;
    // 2.83 for the strategy, 16 for independent noise; the band is that of 200 normal values at 1e-6.
    expect(rms).toBeGreaterThan(2.1);
    expect(rms).toBeLessThan(3.6);
  });

  it('charges the rounding to the sensitivity', () => {
    expect(correlatedSensitivity({ gridScale: 1024, clipNorm: 2, sensitivity: 1.5, rounds: 4, length: 25 })).toBeCloseTo(1024 * 3 + 10, 3);
  });

  it('refuses strategies that do not fit', () => {
    expect(() => startCorrelatedNoise({ decays: [1], weights: [0.1] }, 3)).toThrow('decays');
    expect(() => startCorrelatedNoise({ decays: [0.5], weights: [] }, 3)).toThrow('weights');
    expect(() => nextCorrelatedNoise(startCorrelatedNoise(bltStrategy(16), 3), new Int32Array(2))).toThrow('base: expected a length of 3');
  });
});
