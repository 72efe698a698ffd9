import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { continuesFrom, nextModel, withFirstCount } from '../../shared/federation/stages.ts';
import { parseTaskSpec, type TaskSpec } from '../../shared/federation/task.ts';

function task(kind: string, hyperParameters: object = {}): TaskSpec {
  return parseTaskSpec({
    name: 'main',
    model: { kind, hyperParameters },
    privacy: { mode: 'local', epsilon: 3, delta: 1e-5, rounds: 2 },
    cohort: { minParticipants: 1, targetParticipants: 1 },
    deadlines: { recruitingMs: 1, trainingMs: 1 },
  });
}

const untitled = createCatalogue(Array.from({ length: 600 }, (_, index) => ({ id: `sku-${String(index).padStart(3, '0')}`, title: '' })));
const titled = createCatalogue([{ id: 'a', title: 'red mug' }, { id: 'b', title: 'blue mug' }]);

describe('the model of the next round', () => {
  it('is the task\'s own where the catalogue says enough, at no further round', () => {
    for (const [spec, catalogue] of [[task('neighbours'), titled], [task('popularity'), untitled], [task('neighbours', { topItems: [1, 2] }), untitled]] as const) {
      expect(withFirstCount(spec, catalogue)).toBe(spec);
      expect(nextModel(spec, catalogue, null)).toBe(spec.model);
    }
  });

  it('is a private count first where it does not, then the pairs among the items on top, and stays so', () => {
    const spec = task('neighbours');
    expect(withFirstCount(spec, untitled).privacy.rounds).toBe(3);
    const count = nextModel(spec, untitled, null);
    expect(count).toEqual({ kind: 'popularity', hyperParameters: {} });
    const popularity = Float32Array.from({ length: 600 }, (_, item) => (item >= 100 ? item : -item));
    const pairs = nextModel(spec, untitled, { model: count, params: { popularity } });
    const topItems = pairs.hyperParameters['topItems'] as number[];
    expect(topItems).toHaveLength(447);
    expect(topItems[0]).toBe(153);
    expect(topItems.at(-1)).toBe(599);
    expect(nextModel(spec, untitled, { model: pairs, params: {} })).toBe(pairs);
    expect(continuesFrom(pairs, { model: count, params: {} })).toBe(false);
    expect(continuesFrom(pairs, { model: pairs, params: {} })).toBe(true);
  });
});
