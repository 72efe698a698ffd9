import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { hasText, similarPairs, type Affinity } from '../../shared/recommender/text-similarity.ts';

const titled = (titles: readonly string[]) => createCatalogue(titles.map((title, index) => ({ id: String(1000 + index), title })));
const pairsOf = ({ items, starts, partners, similarity }: ReturnType<typeof similarPairs>): Map<string, number> => {
  const found = new Map<string, number>();
  for (let item = 0; item < items; item += 1) for (let pair = starts[item]; pair < starts[item + 1]; pair += 1) found.set(`${item}-${partners[pair]}`, similarity[pair]);
  return found;
};

describe('similar pairs', () => {
  it('are those that share terms, most similar for equal titles', () => {
    const pairs = pairsOf(similarPairs(titled(['red tea cup', 'red tea cup', 'red tea pot', 'garden gnome'])));
    expect([...pairs.keys()]).toEqual(['0-1', '0-2', '1-2']);
    expect(pairs.get('0-1')).toBeCloseTo(1, 6);
    expect(pairs.get('0-2')).toBeLessThan(1);
  });

  it('are the union of each item\'s nearest by affinity: against a direct search', () => {
    const word = fc.constantFrom('red', 'blue', 'tea', 'cup', 'pot', 'cake', 'stand', 'gnome');
    const titles = fc.array(fc.array(word, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 25 });
    // Multiples of an eighth keep affinities of different items apart or exactly equal.
    const factor = (first: number, second: number): number => (1 + ((first * second) % 8)) / 8;
    const affinity: Affinity = (similarity, first, second) => similarity * factor(first, second);
    fc.assert(fc.property(titles, fc.integer({ min: 1, max: 4 }), (words, perItem) => {
      const catalogue = titled(words.map((title) => title.join(' ')));
      const all = pairsOf(similarPairs(catalogue, 1000));
      const expected = new Set<string>();
      for (let item = 0; item < words.length; item += 1) {
        const others = Array.from(words.keys())
          .map((other) => ({ other, key: item < other ? `${item}-${other}` : `${other}-${item}` }))
          .filter(({ key }) => all.has(key))
          .map(({ other, key }) => ({ key, other, value: Math.fround((all.get(key) ?? 0) * factor(item, other)) }))
          .sort((a, b) => b.value - a.value || a.other - b.other);
        // Affinities that differ by rounding alone may fall either way: only clear ones are asked for.
        const cut = others[perItem - 1]?.value ?? 0;
        for (const { key, value } of others) if (value > cut * (1 + 1e-5)) expected.add(key);
        const found = pairsOf(similarPairs(catalogue, perItem, affinity));
        for (const key of expected) expect(found.has(key)).toBe(true);
        expect(found.size).toBeLessThanOrEqual(perItem * words.length);
      }
    }), { numRuns: 60 });
  });

  it('do not depend on prices, which alone are no text', () => {
    const priced = (price: number) => createCatalogue([{ id: 'a', title: 'tea cup', price }, { id: 'b', title: 'tea pot', price: 1 }, { id: 'c', title: 'gnome', price: 1 }]);
    expect(similarPairs(priced(1))).toEqual(similarPairs(priced(99)));
    expect(hasText(createCatalogue([{ id: 'a', title: '', price: 3 }]))).toBe(false);
    expect(hasText(createCatalogue([{ id: 'a', title: '', category: 'mugs' }]))).toBe(true);
  });
});
