import { describe, expect, it } from 'vitest';
import { createChannel, gridVectors } from '../../../shared/evaluation/attacks/views.ts';
import { startStatistic } from '../../../shared/federation/statistic.ts';
import { makePlan, parseTaskSpec } from '../../../shared/federation/task.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { createModel } from '../../../shared/recommender/registry.ts';
import { teaCatalogue, visits } from '../../recommender/fixtures.ts';

const catalogue = teaCatalogue(12);
const model = createModel('neighbours', catalogue, {});
const planOf = (privacy: object) => makePlan(parseTaskSpec({
  name: 'views', model: { kind: 'neighbours' }, privacy,
  cohort: { minParticipants: 1, targetParticipants: 1, overSelection: 1 }, deadlines: { recruitingMs: 1, trainingMs: 1 }, maxShoppersPerShop: 10,
}), { model, catalogue, roundNumber: 1, baseRelease: null });
const noisy = planOf({ mode: 'local', epsilon: 1, delta: 1e-5 });
const histories = [visits([0, 1, 2]), visits([3], [1, 4]), visits([11])];
const length = model.statisticLength();

describe('what a coordinator receives', () => {
  it.each([['without privacy', planOf({ mode: 'none' })], ['clipped', noisy]])('of contributions %s is what a shop sums', (_, plan) => {
    const vectors = gridVectors(plan, model, histories);
    const channel = createChannel({ plan, length, noiseFactor: 0, seed: 1 });
    const shop = startStatistic(model, model.initial(), plan, seededRandom(0));
    for (const history of histories) shop.add(history);
    expect(channel.receive(vectors, 0)).toEqual(Int32Array.from(shop.finish().subarray(0, length)));
    for (const { steps } of vectors) expect(steps.every((value) => value !== 0)).toBe(true);
  });

  it('carries the noise of the plan, once for a sum, other noise in another view', () => {
    const vectors = gridVectors(noisy, model, histories);
    const [clear, noised] = [0, 1].map((noiseFactor) => createChannel({ plan: noisy, length, noiseFactor, seed: 1 }));
    expect(clear.noiseStd).toBe(0);
    let square = 0;
    const views = 400;
    for (let stream = 0; stream < views; stream += 1) {
      const difference = noised.receive(vectors, stream).map((value, at) => value - clear.receive(vectors, stream)[at]);
      square += difference.reduce((sum, value) => sum + value ** 2, 0);
    }
    const samples = views * length;
    const ratio = square / samples / (noised.noiseStd * noised.gridScale) ** 2;
    expect(Math.abs(ratio - 1)).toBeLessThan(5 * Math.sqrt(2 / samples));
    expect(noised.receive(vectors, 1)).not.toEqual(noised.receive(vectors, 2));
  });

  it('cannot be read by item where a rotation mixes the items', () => {
    const rotated = planOf({ mode: 'local', epsilon: 1, delta: 1e-5, encoding: 'rotated' });
    expect(() => gridVectors(rotated, model, histories)).toThrow('encoding: expected sparse, got rotated');
  });
});
