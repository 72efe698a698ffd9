import { describe, expect, it } from 'vitest';
import { exclusiveCoordinates, membershipScore, subtractionScore } from '../../../shared/evaluation/attacks/membership.ts';
import { expectOthers, populationOf, type GridVector } from '../../../shared/evaluation/attacks/views.ts';

const vector = (entries: Record<number, number>): GridVector => ({ indexes: Int32Array.from(Object.keys(entries), Number), steps: Int32Array.from(Object.values(entries)) });
const sum = (length: number, ...vectors: GridVector[]): Int32Array => {
  const total = new Int32Array(length);
  for (const { indexes, steps } of vectors) indexes.forEach((index, entry) => (total[index] += steps[entry]));
  return total;
};

const victim = vector({ 0: 30, 3: 40 });
const others = [vector({ 0: 10, 1: 20 }), vector({ 2: 50 }), vector({ 1: 5, 3: 7 })];

describe('membership in a sum', () => {
  it('is certain to whoever can subtract the others, however many there are', () => {
    expect(subtractionScore(sum(4, victim, ...others), victim, others)).toBe(1);
    expect(subtractionScore(sum(4, ...others), victim, others)).toBe(0);
    expect(subtractionScore(sum(4), vector({}), [])).toBe(0);
  });

  it('is likelier when the sum exceeds what ordinary shoppers explain where the shopper is', () => {
    const expected = expectOthers(populationOf(others, 4), 3, { noiseStd: 0, gridScale: 1 });
    expect(membershipScore(sum(4, victim, ...others), victim, expected)).toBeGreaterThan(0);
    expect(membershipScore(sum(4, others[1], ...others), victim, expected)).toBeLessThan(0);
  });

  it('is doubted in proportion to the noise', () => {
    const noisy = expectOthers(populationOf(others, 4), 0, { noiseStd: 10, gridScale: 2 });
    expect(noisy.precision[0]).toBeCloseTo(1 / 401, 12);
    expect(noisy.mean[0]).toBe(0);
  });
});

describe('the coordinates of one participant alone', () => {
  it('are counted among those that anybody touched', () => {
    expect(exclusiveCoordinates(others, 0, 4)).toEqual({ share: 3 / 4, touched: 4 });
    expect(exclusiveCoordinates([victim, ...others], 0, 4)).toEqual({ share: 1 / 4, touched: 4 });
    expect(exclusiveCoordinates(others, 2, 3)).toEqual({ share: 1, touched: 1 });
    expect(exclusiveCoordinates([], 0, 4)).toEqual({ share: 0, touched: 0 });
  });
});
