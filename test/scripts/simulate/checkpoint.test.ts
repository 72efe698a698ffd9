import { describe, expect, it } from 'vitest';
import { openCheckpoint, sealCheckpoint, startState, type SimulationState } from '../../../scripts/simulate/checkpoint.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';
import { createPopularity } from '../../../shared/recommender/popularity.ts';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import { parseScenario } from '../../../shared/simulation/scenario.ts';

const catalogue = createCatalogue([{ id: 'cup', title: '' }, { id: 'pot', title: '' }]);
const model = createPopularity(catalogue) as AnyFederatedModel;
const of = { scenario: parseScenario({}), dataHash: 'of these orders' };

describe('a checkpoint of a simulation', () => {
  it('has parameters, the state of the strategy, control variates and charges in it', () => {
    const state: SimulationState = {
      ...startState,
      round: 2,
      clipNorm: 0.1 + 0.2,
      charges: [{ round: 'simulation-1', events: [{ kind: 'skellam', l2: 1.1, l1: 2, variance: 3, sampling: 1, count: 2 }] }],
      served: {
        model: { kind: 'popularity', hyperParameters: {} },
        params: model.update(model.initial(), { sum: Float64Array.of(3, 1), shoppers: 3, noiseStd: 0 }),
        strategy: { 'strategy/momentum': { shape: [2], data: Float32Array.of(0.5, -0.25) } },
        owns: new Map([[7, Float32Array.of(1, 2)], [0, Float32Array.of(3, 4)]]),
      },
    };
    const opened = openCheckpoint(sealCheckpoint(of, state, model), of, () => model);
    expect({ ...opened, served: { ...opened.served, owns: [...(opened.served?.owns ?? [])].sort(([a], [b]) => a - b) } })
      .toEqual({ ...state, served: { ...state.served, owns: [[0, Float32Array.of(3, 4)], [7, Float32Array.of(1, 2)]] } });
  });

  it('is refused over other data, and where it is none', () => {
    const sealed = sealCheckpoint(of, { ...startState, round: 1 }, null);
    expect(openCheckpoint(sealed, of, () => model).served).toBeNull();
    expect(() => openCheckpoint(sealed, { ...of, dataHash: 'of others' }, () => model)).toThrow(/resume: expected a checkpoint over the same data/);
    expect(() => openCheckpoint({ round: 1, bytes: new Uint8Array(100) }, of, () => model)).toThrow(/expected/);
  });
});
