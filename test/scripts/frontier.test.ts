import { describe, expect, it } from 'vitest';
import { evaluate } from '../../scripts/evaluate.ts';
import { frontier } from '../../scripts/frontier.ts';

const data = 'online-retail';

describe('the frontier', () => {
  it('orders epsilons as privacy does, and compares shopper by shopper', async () => {
    const heard: (number | null)[] = [];
    const { popularity, points } = await frontier({ data, model: 'neighbours', seeds: 2 }, [0.25, 8], ({ epsilon }) => heard.push(epsilon));
    expect(heard).toEqual([0.25, 8, null]);
    expect(points[0].ndcg10).toBeLessThan(points[1].ndcg10);
    expect(points[1].ndcg10).toBeLessThan(points[2].ndcg10);
    expect(points[0].overPopularity.difference).toBeCloseTo(points[0].ndcg10 - popularity.ndcg10, 9);
    expect(points[0].overPopularity.low).toBeGreaterThan(0);
    expect(points[0].overNoNoise.high).toBeLessThan(0);
    expect(points[2].overNoNoise.difference).toBe(0);
  }, 120_000);
});

describe('an evaluation', () => {
  it('of several rounds trains a model that needs them', async () => {
    const at = async (rounds: number) => (await evaluate({ data, model: 'als', hyperParameters: { factors: 16 }, rounds, protocol: 'validation' })).ndcg10;
    const [one, four] = [await at(1), await at(4)];
    expect(four).toBeGreaterThan(1.05 * one);
  }, 120_000);

  it('refuses noise that needs a centre where there is none, and samples of shoppers that take part once', async () => {
    for (const stray of [{ clipNorm: 2 }, { sampling: 0.5 }, { adaptiveClip: 9 }, { encoding: 'rotated' }, { noise: 'gaussian' }] as const) {
      await expect(evaluate({ data, model: 'neighbours', ...stray })).rejects.toMatchObject({ code: 'privacy.invalid', message: expect.stringMatching(/^\w+: expected none in mode none/) as string });
    }
    await expect(evaluate({ data, model: 'neighbours', epsilon: 1, mode: 'local', noise: 'gaussian' })).rejects.toMatchObject({ code: 'privacy.invalid' });
    await expect(evaluate({ data, model: 'als', epsilon: 1, noise: 'correlated', sampling: 0.5 })).rejects.toMatchObject({ code: 'privacy.invalid' });
    await expect(evaluate({ data, model: 'neighbours', epsilon: 1, sampling: 2 })).rejects.toMatchObject({ code: 'plan.invalid' });
  }, 120_000);
});
