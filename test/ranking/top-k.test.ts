import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topK } from '../../shared/ranking/top-k.ts';

describe('the k best', () => {
  it('come best first, equal scores by lower index', () => {
    expect([...topK(Float32Array.of(1, 3, 2, 3, 3), 3)]).toEqual([1, 3, 4]);
    expect([...topK(Float32Array.of(0, 0, 0), 2)]).toEqual([0, 1]);
  });

  it('leave out what is excluded, and are fewer when not enough is left', () => {
    expect([...topK(Float32Array.of(5, 4, 3), 2, Uint8Array.of(1, 0, 1))]).toEqual([1]);
    expect([...topK(Float32Array.of(5, 4), 9)]).toEqual([0, 1]);
    expect([...topK(Float32Array.of(5, 4), 0)]).toEqual([]);
    expect([...topK(new Float32Array(), 3)]).toEqual([]);
  });

  it('rank -Infinity last and NaN never', () => {
    expect([...topK(Float32Array.of(NaN, -Infinity, NaN, 1, -1), 4)]).toEqual([3, 4, 1]);
    expect([...topK(Float32Array.of(NaN, 2, NaN, 3), 1)]).toEqual([3]);
  });

  it('are the head of a stable sort', () => {
    const anyScores = fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 40 });
    fc.assert(fc.property(anyScores, fc.nat(45), fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (scores, k, flags) => {
      const excluded = Uint8Array.from(scores, (_, index) => Number(flags[index]));
      const sorted = [...scores.keys()].filter((index) => !flags[index]).sort((a, b) => scores[b] - scores[a] || a - b);
      expect([...topK(Float32Array.from(scores), k, excluded)]).toEqual(sorted.slice(0, k));
    }));
  });
});
