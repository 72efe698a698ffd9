import { describe, expect, it } from 'vitest';
import { historyOf } from '../../../shared/commerce/history.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { createModel, deploymentDefaults } from '../../../shared/recommender/registry.ts';
import { batchOf } from '../../../shared/recommender/sequence/batch.ts';
import { windowsOf, type SequenceWindow, type WindowRules } from '../../../shared/recommender/sequence/windows.ts';
import { teaCatalogue } from '../fixtures.ts';

const day = 86_400;
const history = historyOf([{ time: 10 * day, items: [0] }, { time: 20 * day, items: [1] }, { time: 30 * day, items: [2] }]);
const windowOf = (rules: Partial<WindowRules>): SequenceWindow[] => windowsOf(history, { items: 9, positions: 8, basketOrder: 'kept', asOf: null, halfLifeDays: 10, ...rules }, seededRandom(1, 'windows'));
const sharesOf = (rules: Partial<WindowRules>): number[] => windowOf(rules).flatMap(({ shares }) => [...shares]);

describe('targets of a history', () => {
  it('count half for every half-life before today', () => {
    expect(sharesOf({ asOf: 40 * day })).toEqual([0.25, 0.5]);
    expect(sharesOf({ asOf: 40 * day, halfLifeDays: 20 })[1]).toBeCloseTo(Math.SQRT1_2, 6);
  });

  it('count alike where nobody says what day it is, and no more than in full where they come after it', () => {
    expect(sharesOf({})).toEqual([1, 1]);
    expect(sharesOf({ asOf: 20 * day })).toEqual([1, 1]);
  });

  it('keep their shares in a window that is cut short', () => {
    expect(windowOf({ asOf: 40 * day, positions: 1 }).map(({ inputs, targets, shares }) => [inputs[0], targets[0], shares[0]])).toEqual([[1, 2, 0.5], [0, 1, 0.25]]);
  });

  it('are weighed by their shares in a batch, beside padding that counts nothing', () => {
    const long = windowOf({ asOf: 40 * day });
    const short = windowOf({ asOf: 30 * day, positions: 1 }).slice(0, 1);
    const { weights } = batchOf([...long, ...short], { items: 9, loss: 'softmax', negatives: 2 }, seededRandom(1, 'batch'));
    [0.25 / 3, 0.5 / 3, 0, 1 / 3].forEach((weight, place) => expect(weights[place]).toBeCloseTo(weight, 6));
  });

  it('are reckoned back from the day a deployment asks for a model', () => {
    expect(createModel('sequence', teaCatalogue(3), deploymentDefaults('sequence', { asOf: 40 * day })).hyperParameters).toMatchObject({ asOf: 40 * day });
  });
});
