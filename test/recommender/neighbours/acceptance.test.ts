/** On real orders, through the whole of a round but its sockets. Slow: the one test here that trains on all data. */
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../scripts/evaluate.ts';

describe('on the last baskets of Online Retail', () => {
  it('popularity reaches what counts alone can', async () => {
    const { ndcg10, testShoppers } = await evaluate({ data: 'online-retail', model: 'popularity' });
    expect(testShoppers).toBeGreaterThan(2400);
    expect(ndcg10).toBeGreaterThan(0.033);
    expect(ndcg10).toBeLessThan(0.036);
  });

  it('neighbours without noise is well above the best model that needs no pairs from text', async () => {
    const { ndcg10 } = await evaluate({ data: 'online-retail', model: 'neighbours' });
    expect(ndcg10).toBeGreaterThanOrEqual(0.095);
  });

  it('neighbours at epsilon 3 keeps most of it', async () => {
    const { ndcg10 } = await evaluate({ data: 'online-retail', model: 'neighbours', epsilon: 3, seeds: 2 });
    expect(ndcg10).toBeGreaterThanOrEqual(0.09);
  });
});
