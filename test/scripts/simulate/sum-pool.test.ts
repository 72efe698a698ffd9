import { afterEach, describe, expect, it } from 'vitest';
import { createSumPool, type SumPool } from '../../../scripts/simulate/sum-pool.ts';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import type { ShopperHistory } from '../../../shared/commerce/history.ts';
import type { Contributor, SumTerms } from '../../../shared/evaluation/member-sums.ts';
import { makePlan, parseTaskSpec } from '../../../shared/federation/task.ts';
import { createModel } from '../../../shared/recommender/registry.ts';

const catalogue = createCatalogue(['cup', 'pot', 'lid'].map((id) => ({ id, title: id })));
const model = createModel('popularity', catalogue, {});
const task = parseTaskSpec({ name: 'simulation', model: { kind: 'popularity' }, maxShoppersPerShop: 4, privacy: { mode: 'none' }, cohort: { minParticipants: 3, targetParticipants: 3 }, deadlines: { recruitingMs: 1_000, trainingMs: 1_000 } });
const terms: SumTerms = { plan: makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null }), model, base: { params: model.initial(), strategy: null }, seed: 1 };

function history(item: number): ShopperHistory {
  return { items: Int32Array.of(item), visitStarts: Int32Array.of(0), visitTimes: Float64Array.of(1) };
}

const members: readonly Contributor[] = [0, 1, 2, 0].map((item, index) => ({ index, histories: [history(item)] }));

let pool: SumPool | null = null;
afterEach(() => pool?.close());

describe('threads that sum', () => {
  it('give what one thread gives, whatever is asked first', async () => {
    pool = createSumPool(catalogue, 2, 1_000);
    const alone = await createSumPool(catalogue, 0, 1_000).sum(terms, members);
    expect(await pool.sum(terms, members)).toEqual(alone);
    expect(await pool.sum(terms, members.slice(1))).not.toEqual(alone);
  });

  it('fail with the code that a model fails with', async () => {
    pool = createSumPool(catalogue, 1, 1_000);
    const unknown = { ...model, hyperParameters: { moon: 1 } };
    await expect(pool.sum({ ...terms, model: unknown }, members)).rejects.toMatchObject({ code: 'config.invalid' });
  });

  it('say so when one of them is gone, even if nothing was asked of it then', async () => {
    pool = createSumPool(catalogue, 1, 1_000);
    await pool.sum(terms, members);
    await pool.close();
    await expect(pool.sum(terms, members)).rejects.toMatchObject({ code: 'internal', message: expect.stringMatching(/expected a sum from a thread, got its end/) as string });
  });
});
