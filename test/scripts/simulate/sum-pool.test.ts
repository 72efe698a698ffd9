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
  it('give what one thread gives, whatever is asked first and however uneven participants are', async () => {
    pool = createSumPool(catalogue, 2, 1_000);
    const here = createSumPool(catalogue, 0, 1_000);
    const alone = await here.sum(terms, members);
    expect(await pool.sum(terms, members)).toEqual(alone);
    expect(await pool.sum(terms, members.slice(1))).not.toEqual(alone);
    const large = { ...terms, plan: { ...terms.plan, bounds: { ...terms.plan.bounds, maxShoppersPerShop: 400 } } };
    const uneven = [400, 1, 0, 30, 2].map((size, index) => ({ index, histories: Array.from({ length: size }, (_, place) => history(place % 3)) }));
    for (const shops of [uneven, uneven.toReversed(), uneven.slice(2, 3), []]) expect(await pool.sum(large, shops)).toEqual(await here.sum(large, shops));
    expect((await pool.sum(large, uneven)).contributions).toBe(433);
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
