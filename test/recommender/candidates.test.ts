import { describe, expect, it } from 'vitest';
import { createCatalogue, type Catalogue, type Product } from '../../shared/commerce/catalogue.ts';
import { candidatePairs, candidateSource, maxUntitledPairs } from '../../shared/recommender/candidates.ts';
import { allPairsAmong, createPairs } from '../../shared/recommender/item-pairs.ts';
import { hasText, similarPairs } from '../../shared/recommender/text-similarity.ts';
import { codeOf, wordless } from './fixtures.ts';

const catalogueOf = (...products: Partial<Product>[]): Catalogue => createCatalogue(products.map((product, index) => ({ title: '', ...product, id: String(index) })));

describe('text similarity by hand', () => {
  it('is the cosine of TF-IDF over words, bigrams and character 4-grams at half weight', () => {
    // In two titles or more, of four: the word `ab` (0, 1, 2); the word `cd`, the bigram `ab cd` and the 4-grams
    // `ab c` and `b cd` (0 and 1). Title 2 is `ab` alone.
    const pairs = similarPairs(catalogueOf({ title: 'AB cd' }, { title: 'ab, cd!' }, { title: 'ab' }, { title: 'xy' }));
    const [common, rare] = [Math.log(4 / 3), Math.log(2)];
    const norm = Math.sqrt(common ** 2 + 2 * rare ** 2 + 2 * (rare / 2) ** 2);
    expect([...pairs.starts]).toEqual([0, 2, 3, 3, 3]);
    expect([...pairs.partners]).toEqual([1, 2, 2]);
    expect([...pairs.similarity]).toEqual([1, common / norm, common / norm].map((value) => expect.closeTo(value, 6) as number));
  });

  it('counts a repeated word 1 + ln tf times', () => {
    // Shared: ab (0, 1) and xy (0, 2), equally rare; no shared bigram or 4-gram.
    const pairs = similarPairs(catalogueOf({ title: 'ab ab xy' }, { title: 'ab zz' }, { title: 'xy' }, { title: 'qq' }));
    const tf = 1 + Math.log(2);
    expect([...pairs.similarity]).toEqual([tf / Math.hypot(tf, 1), 1 / Math.hypot(tf, 1)].map((value) => expect.closeTo(value, 6) as number));
  });

  it('joins category and brand to the title, and leaves prices out', () => {
    const { partners, starts } = similarPairs(catalogueOf(
      { title: 'one', category: 'Home > Tea' }, { title: 'two', category: 'home>kitchen' },
      { title: 'three', brand: 'Acme', price: 9 }, { title: 'four', brand: 'ACME' }, { title: 'five', price: 9 },
    ));
    // 0 and 1 share a category part, 2 and 3 a brand, 2 and 4 nothing but their price.
    expect([...starts]).toEqual([0, 1, 1, 2, 2, 2]);
    expect([...partners]).toEqual([1, 3]);
  });

  it('keeps equal neighbours of lower index', () => {
    const { starts, partners } = similarPairs(catalogueOf({ title: 'ab' }, { title: 'ab' }, { title: 'ab' }, { title: 'ab' }, { title: 'other' }), 1);
    // 0 takes 1; 1, 2 and 3 take 0.
    expect([...starts]).toEqual([0, 3, 3, 3, 3, 3]);
    expect([...partners]).toEqual([1, 2, 3]);
  });

  it('needs words: ids and prices are none', () => {
    expect(hasText(wordless(3))).toBe(false);
    expect(hasText(catalogueOf({ price: 3 }, { title: '--- !' }))).toBe(false);
    expect(hasText(catalogueOf({ brand: 'Acme' }))).toBe(true);
  });
});

describe('candidate pairs', () => {
  it('are all pairs of a small catalogue without text', () => {
    expect(candidateSource(wordless(447))).toEqual({ kind: 'all-pairs' });
    expect(candidatePairs(wordless(4), 20, []).partners.length).toBe(6);
  });

  it('are those among top items of a large one, as many as the limit says', () => {
    const large = wordless(1000);
    expect(candidateSource(large)).toEqual({ kind: 'top-items', limit: 447 });
    expect((447 * 446) / 2).toBeLessThanOrEqual(maxUntitledPairs);
    expect((448 * 447) / 2).toBeGreaterThan(maxUntitledPairs);
    expect(codeOf(() => candidatePairs(large, 20, []))).toBe('model.unusable');
    const { starts, partners } = candidatePairs(large, 20, [900, 3, 7]);
    expect([...partners]).toEqual([7, 900, 900]);
    expect([starts[3], starts[4], starts[8], starts[1000]]).toEqual([0, 2, 3, 3]);
  });

  it('refuse top items outside the catalogue, or too many', () => {
    expect(codeOf(() => candidatePairs(wordless(5), 20, [5]))).toBe('config.invalid');
    expect(codeOf(() => candidatePairs(wordless(1000), 20, Array.from({ length: 448 }, (_, item) => item)))).toBe('config.invalid');
  });

  it('stand in one layout, however they were found', () => {
    const ordered = createPairs(4, [0, 0, 1], [1, 3, 2], [0.1, 0.2, 0.3]);
    expect(createPairs(4, [1, 0, 0, 1], [2, 3, 1, 2], [0.3, 0.2, 0.1, 0.3])).toEqual(ordered);
    expect([...ordered.starts]).toEqual([0, 2, 3, 3, 3]);
    expect(codeOf(() => createPairs(4, [2], [1], [0]))).toBe('internal');
    expect(allPairsAmong(4, [2, 0, 2])).toEqual(createPairs(4, [0], [2], [0]));
  });
});
