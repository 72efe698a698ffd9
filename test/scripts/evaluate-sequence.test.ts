import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../scripts/evaluate.ts';

const [users, movies, days, day] = [60, 20, 6, 86_400];
let folder: string;
let data: string;

/** Everybody watches the movies in one order, from a start of their own, and gives each the worst rating. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cesta-ratings-'));
  data = join(folder, 'ratings.dat');
  const lines = Array.from({ length: users }, (_, user) => Array.from({ length: days }, (_day, step) => `${user + 1}::${((user * 7 + step) % movies) + 1}::1::${978_300_000 + step * day}`));
  await writeFile(data, lines.flat().join('\n'));
});

afterAll(() => rm(folder, { recursive: true }));

describe('an evaluation of sequence', () => {
  // As published for MovieLens 1M, but narrow, and for a few seconds.
  const published = { basketOrder: 'kept', loss: 'bce', blocks: 2, width: 12, positions: 8, dropout: 0, learningRate: 0.005, batch: 16, localEpochs: 30 };
  const asPublished = { data, model: 'sequence', protocol: 'leave-one-out', hyperParameters: published } as const;

  it('trains as published on a file of ratings, every rating counted', async () => {
    const { ndcg10, testShoppers } = await evaluate({ ...asPublished, data, read: { minRating: 0 } });
    expect(testShoppers).toBe(users);
    const popularity = await evaluate({ ...asPublished, data, model: 'popularity', hyperParameters: {}, read: { minRating: 0 } });
    expect(ndcg10).toBeGreaterThan(1.5 * popularity.ndcg10);
    // Without the option these ratings are no sign of liking.
    await expect(evaluate({ ...asPublished, data })).rejects.toMatchObject({ code: 'data.empty' });
  }, 60_000);

  it('ranks among drawn items alone where it is asked to, which is easier', async () => {
    const popular = { data, model: 'popularity', protocol: 'leave-one-out', read: { minRating: 0 } } as const;
    expect((await evaluate({ ...popular, sampledNegatives: 3 })).ndcg10).toBeGreaterThan((await evaluate(popular)).ndcg10);
  });

  it('takes contributions of single shoppers where noise is asked for', async () => {
    const hyperParameters = { architecture: 'two-tower', width: 4, negatives: 8 };
    const { ndcg10, mode } = await evaluate({ ...asPublished, data, read: { minRating: 0 }, hyperParameters, epsilon: 100, rounds: 2, seeds: 1 });
    expect(mode).toBe('central');
    expect(Number.isFinite(ndcg10)).toBe(true);
  }, 60_000);
});
