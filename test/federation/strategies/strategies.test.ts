import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fedAdagrad } from '../../../shared/federation/strategies/fedadagrad.ts';
import { fedAdam } from '../../../shared/federation/strategies/fedadam.ts';
import { fedAvg } from '../../../shared/federation/strategies/fedavg.ts';
import { fedAvgM } from '../../../shared/federation/strategies/fedavgm.ts';
import { fedProx, proximalWeight } from '../../../shared/federation/strategies/fedprox.ts';
import { fedYogi } from '../../../shared/federation/strategies/fedyogi.ts';
import { correctionOf, nextOwnControl, scaffold } from '../../../shared/federation/strategies/scaffold.ts';
import { decodeState, encodeState } from '../../../shared/federation/strategies/state-tensors.ts';
import { strategyKinds, strategySchema, type Strategy, type StrategyState } from '../../../shared/federation/strategies/strategy.ts';
import { codeOf } from '../../recommender/fixtures.ts';

/** The steps and states that a strategy makes of one coordinate's mean changes. */
function run(strategy: Strategy, means: readonly number[], participants: readonly number[] = []): { steps: number[]; states: StrategyState[] } {
  let state = strategy.init(1);
  const states: StrategyState[] = [];
  const steps = means.map((mean, round) => {
    const next = strategy.apply(state, Float64Array.of(mean), { participants: participants[round] ?? 1 });
    state = next.state;
    states.push(state);
    // Zero has no sign here.
    return next.step[0] + 0;
  });
  return { steps, states };
}

/** Moments are kept in single precision. */
function close(got: readonly number[], wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 6));
}

describe('steps worked out by hand', () => {
  it('FedAvg: x + eta mean', () => {
    close(run(fedAvg({ learningRate: 0.5 }), [2, -4]).steps, [1, -2]);
  });

  it('FedAvgM: v = 2, 0.5 2 + 4 = 5, 0.5 5 - 2 = 0.5, half of each a step', () => {
    const { steps, states } = run(fedAvgM({ learningRate: 0.5, momentum: 0.5 }), [2, 4, -2]);
    close(steps, [1, 2.5, 0.25]);
    close(states.map(({ momentum }) => momentum[0]), [2, 5, 0.5]);
  });

  it('FedAdagrad: v = 0.25 + 1, + 4, + 1, steps 0.1 d / (sqrt v + 0.5)', () => {
    const { steps, states } = run(fedAdagrad({ learningRate: 0.1, tau: 0.5 }), [1, 2, -1]);
    close(states.map(({ secondMoment }) => secondMoment[0]), [1.25, 5.25, 6.25]);
    // 0.1 / (1.1180340 + 0.5); 0.2 / (2.2912878 + 0.5); -0.1 / (2.5 + 0.5).
    close(steps, [0.0618034, 0.0716515, -0.0333333]);
  });

  it('FedAdam: d = 1, 3, 0 and v = 0.75 + 0.25, 0.75 + 0.25 9, 0.75 3', () => {
    const { steps, states } = run(fedAdam({ learningRate: 0.1, beta1: 0.5, beta2: 0.75, tau: 1 }), [2, 5, -3]);
    close(states.map(({ momentum }) => momentum[0]), [1, 3, 0]);
    close(states.map(({ secondMoment }) => secondMoment[0]), [1, 3, 2.25]);
    // 0.1 / (1 + 1); 0.3 / (1.7320508 + 1); nothing.
    close(steps, [0.05, 0.1098076, 0]);
  });

  it('FedYogi: v = 1, 1 + 0.25 9 where d^2 is above it, 3.25 - 0.25 0.25 where it is below', () => {
    const { steps, states } = run(fedYogi({ learningRate: 0.1, beta1: 0.5, beta2: 0.75, tau: 1 }), [2, 5, -4]);
    close(states.map(({ secondMoment }) => secondMoment[0]), [1, 3.25, 3.1875]);
    // 0.1 / 2; 0.3 / (1.8027756 + 1); -0.05 / (1.7853571 + 1).
    close(steps, [0.05, 0.1070367, -0.017951]);
  });

  it('SCAFFOLD with K eta = 1 and 2, 4 and 4 of 4 shops: c = 1, 1 - (1 - 1), 1 - (1 + 3)', () => {
    const { steps, states } = run(scaffold({ learningRate: 1 }, { localSteps: 2, localRate: 0.5, shops: 4 }), [-2, -1, 3], [2, 4, 4]);
    close(states.map(({ control }) => control[0]), [1, 1, -3]);
    close(steps, [-2, -1, 3]);
  });

  it('SCAFFOLD at a shop: corrects by c - c_i = 1 - 3, and has 3 - 1 + 2 / (2 0.25) afterwards', () => {
    expect(correctionOf(Float32Array.of(1), Float32Array.of(3))).toEqual(Float32Array.of(-2));
    expect(nextOwnControl(Float32Array.of(1), Float32Array.of(3), { change: Float32Array.of(-2), steps: 2, learningRate: 0.25 })).toEqual(Float32Array.of(6));
  });
});

const anyMeans = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 6 });

describe('a strategy', () => {
  it('FedAvgM without momentum and FedProx are FedAvg, step by step', () => {
    fc.assert(fc.property(anyMeans, fc.double({ min: 0.01, max: 10, noNaN: true }), (means, learningRate) => {
      const { steps } = run(fedAvg({ learningRate }), means);
      expect(run(fedAvgM({ learningRate, momentum: 0 }), means).steps).toEqual(steps);
      expect(run(fedProx({ learningRate, mu: 0.1 }), means).steps).toEqual(steps);
    }));
  });

  it('FedAdam without memory makes steps that hardly depend on the size of the change', () => {
    const strategy = fedAdam({ learningRate: 0.01, beta1: 0, beta2: 0, tau: 1e-6 });
    for (const mean of [1e-2, 1, 1e4, -1]) expect(run(strategy, [mean]).steps[0]).toBeCloseTo(0.01 * Math.sign(mean), 5);
  });

  it('FedYogi and FedAdam start alike when the change is as large as tau says', () => {
    const terms = { learningRate: 0.1, beta1: 0, beta2: 0.5, tau: 2 };
    expect(run(fedYogi(terms), [2]).steps).toEqual(run(fedAdam(terms), [2]).steps);
  });

  it('keeps a second moment above zero, and no state in place of the one before', () => {
    for (const strategy of [fedAdam({ learningRate: 0.1, beta1: 0.9, beta2: 0.5, tau: 0.1 }), fedYogi({ learningRate: 0.1, beta1: 0.9, beta2: 0.5, tau: 0.1 }), fedAdagrad({ learningRate: 0.1, tau: 0.1 })]) {
      fc.assert(fc.property(anyMeans, (means) => {
        const before = strategy.init(1);
        const kept = JSON.stringify(before);
        strategy.apply(before, Float64Array.of(means[0]), { participants: 1 });
        expect(JSON.stringify(before)).toBe(kept);
        for (const { secondMoment } of run(strategy, means).states) expect(secondMoment[0]).toBeGreaterThanOrEqual(0);
      }));
    }
  });

  it('goes on from the tensors of a release exactly as without a break', () => {
    const strategy = fedAdam({ learningRate: 0.02, beta1: 0.9, beta2: 0.99, tau: 1e-3 });
    fc.assert(fc.property(anyMeans, fc.double({ min: -5, max: 5, noNaN: true }), (means, last) => {
      const state = run(strategy, means).states.at(-1) ?? {};
      const read = decodeState(strategy, encodeState(state), 1);
      expect(strategy.apply(read, Float64Array.of(last), { participants: 1 })).toEqual(strategy.apply(state, Float64Array.of(last), { participants: 1 }));
    }));
  });

  it('refuses tensors that are missing, of another length, or not finite', () => {
    const strategy = fedAdam({ learningRate: 0.02, beta1: 0.9, beta2: 0.99, tau: 1e-3 });
    const good = encodeState(strategy.init(2));
    expect(Object.keys(good)).toEqual(['strategy/momentum', 'strategy/secondMoment']);
    for (const bad of [{}, encodeState(strategy.init(3)), { ...good, 'strategy/momentum': { shape: [2], data: Float32Array.of(1, NaN) } }, { ...good, 'strategy/secondMoment': { shape: [2], data: Float32Array.of(1, -1) } }]) {
      expect(codeOf(() => decodeState(strategy, bad, 2))).toBe('release.untrusted');
    }
  });
});

describe('the settings of a strategy', () => {
  it('have defaults, and none that the strategy does not know', () => {
    for (const kind of strategyKinds) expect(strategySchema.safeParse({ kind, ...(kind === 'scaffold' ? { localSteps: 5 } : {}) }).success).toBe(true);
    expect(strategySchema.parse({ kind: 'fedadam' })).toEqual({ kind: 'fedadam', learningRate: 0.01, beta1: 0.9, beta2: 0.99, tau: 1e-3 });
    for (const bad of [{ kind: 'fedavg', momentum: 0.9 }, { kind: 'fedadam', beta1: 1 }, { kind: 'scaffold' }, { kind: 'newton' }]) expect(strategySchema.safeParse(bad).success).toBe(false);
    expect([proximalWeight(strategySchema.parse({ kind: 'fedprox', mu: 0.3 })), proximalWeight(strategySchema.parse({ kind: 'fedavg' })), proximalWeight(undefined)]).toEqual([0.3, 0, 0]);
  });
});
