import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { diversify, intraListDistance } from '../../shared/ranking/diversity.ts';
import { createLikeness, type Likeness } from '../../shared/ranking/item-likeness.ts';

const products = [
  { id: 'a', title: 'Red tea cup', category: 'Home > Kitchen' }, { id: 'b', title: 'Blue tea cup', category: 'Home > Kitchen' },
  { id: 'c', title: 'Garden gnome', category: 'Home > Garden' }, { id: 'd', title: 'Red wine' }, { id: 'e', title: '' },
];

describe('likeness', () => {
  const likeness = createLikeness(products);

  it('is what title and category share', () => {
    expect(likeness(0, 0)).toBeCloseTo(1, 12);
    expect(likeness(0, 1)).toBeCloseTo((2 / 3 + 1) / 2, 12);
    expect(likeness(0, 2)).toBeCloseTo(1 / 4, 12);
    expect(likeness(3, 4)).toBe(0);
  });

  it('is the same both ways and within 0..1', () => {
    for (let a = 0; a < 5; a += 1) for (let b = 0; b < 5; b += 1) {
      expect(likeness(a, b)).toBe(likeness(b, a));
      expect(likeness(a, b)).toBeGreaterThanOrEqual(0);
      expect(likeness(a, b)).toBeLessThanOrEqual(1 + 1e-12);
    }
  });
});

describe('diversity', () => {
  /** Any symmetric likeness, near or far from what products have. */
  const pools = fc.integer({ min: 2, max: 14 }).chain((size) => fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: size * size, maxLength: size * size }).map((values) => ({
    pool: Array.from({ length: size }, (_, at) => at + 100),
    likeness: ((a, b) => values[(Math.min(a, b) - 100) * size + Math.max(a, b) - 100]) satisfies Likeness,
  })));
  const degree = fc.double({ min: 0, max: 1, noNaN: true });

  it('at 0 is the pool in its own order', () => {
    fc.assert(fc.property(pools, fc.integer({ min: 1, max: 14 }), ({ pool, likeness }, limit) => {
      expect(diversify(pool, limit, 0, likeness)).toEqual(pool.slice(0, limit));
    }));
  });

  it('never lowers the distance within a list when it is raised, whatever is alike', () => {
    fc.assert(fc.property(pools, fc.integer({ min: 1, max: 14 }), degree, degree, fc.integer({ min: 0, max: 3 }), ({ pool, likeness }, limit, a, b, pinned) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)].map((diversity) => intraListDistance(diversify(pool, limit, diversity, likeness, Math.min(pinned, limit)), likeness));
      expect(high).toBeGreaterThanOrEqual(low - 1e-12);
    }), { numRuns: 400 });
  });

  it('gives distinct items of the pool, as many as asked for, and leaves pinned ones where they are', () => {
    fc.assert(fc.property(pools, fc.integer({ min: 1, max: 14 }), degree, fc.integer({ min: 0, max: 3 }), ({ pool, likeness }, limit, diversity, pins) => {
      const pinned = Math.min(pins, limit, pool.length);
      const items = diversify(pool, limit, diversity, likeness, pinned);
      expect(items).toHaveLength(Math.min(limit, pool.length));
      expect(new Set(items).size).toBe(items.length);
      expect(items.every((item) => pool.includes(item))).toBe(true);
      expect(items.slice(0, pinned)).toEqual(pool.slice(0, pinned));
    }));
  });

  it('takes something else where the best are all alike', () => {
    const alike: Likeness = (a, b) => (a < 3 && b < 3 ? 1 : 0);
    expect(diversify([0, 1, 2, 3, 4], 3, 0, alike)).toEqual([0, 1, 2]);
    expect(diversify([0, 1, 2, 3, 4], 3, 1, alike)).toEqual([0, 3, 4]);
  });
});
