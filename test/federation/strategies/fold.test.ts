import { describe, expect, it } from 'vitest';
import { simulateRound, type SimulatedBase } from '../../../shared/evaluation/simulated-round.ts';
import { foldSum } from '../../../shared/federation/strategies/fold.ts';
import { controlIn } from '../../../shared/federation/strategies/state-tensors.ts';
import type { StrategyInput } from '../../../shared/federation/strategies/strategy.ts';
import { makePlan, parseTaskSpec } from '../../../shared/federation/task.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';
import { buyer, quadraticCatalogue as catalogue, quadraticItems, quadraticModel, type QuadraticParams } from '../quadratic.ts';

const model = quadraticModel() as AnyFederatedModel;
const shops = [[buyer(0), buyer(0, 1)], [buyer(2), buyer(2), buyer(3)], [buyer(0, 0, 4)]];

/** What rounds of a task arrive at without noise, each with the mean of the shops' own control variates. */
async function train(rounds: number, strategy?: StrategyInput): Promise<{ base: SimulatedBase; meanOwn: number[] | null }> {
  const task = parseTaskSpec({ name: 'main', model: { kind: 'sequence' }, privacy: { mode: 'none', rounds }, cohort: { minParticipants: 1, targetParticipants: shops.length, overSelection: 1 }, deadlines: { recruitingMs: 1, trainingMs: 1 }, unit: 'shop', ...(strategy === undefined ? {} : { strategy }) });
  let base: SimulatedBase = { params: model.initial(), strategy: null };
  let meanOwn: number[] | null = null;
  for (let round = 1; round <= rounds; round += 1) {
    const plan = makePlan(task, { model, catalogue, roundNumber: round, baseRelease: null });
    const { aggregate, participants, owns } = await simulateRound(plan, model, base, shops).sum(1);
    base = { ...foldSum(model, base, { plan, aggregate, participants }), owns };
    meanOwn = owns[0] === null ? null : Array.from({ length: quadraticItems }, (_, i) => owns.reduce((sum, own) => sum + (own?.[i] ?? NaN), 0) / owns.length);
  }
  return { base, meanOwn };
}

const weightsOf = ({ params }: SimulatedBase): number[] => [...(params as QuadraticParams).weights];

describe('a sum is folded into parameters', () => {
  it('the same by no strategy and by plain averaging', async () => {
    expect(weightsOf((await train(3, { kind: 'fedavg' })).base)).toEqual(weightsOf((await train(3)).base));
    expect((await train(1)).base.strategy).toEqual({});
  });

  it('by a step whose size does not depend on that of the change, with FedAdam from its own state', async () => {
    const { base } = await train(1, { kind: 'fedadam', learningRate: 0.1, beta1: 0, beta2: 0, tau: 1e-6 });
    for (const weight of weightsOf(base)) expect(weight).toBeCloseTo(0.1, 4);
    expect(Object.keys(base.strategy ?? {})).toEqual(['strategy/momentum', 'strategy/secondMoment']);
  });

  it('from the state of the base alone: without it nothing is updated', async () => {
    const { base } = await train(1, { kind: 'fedavg' });
    const plan = { strategy: { kind: 'fedavgm', learningRate: 1, momentum: 0.5 } as const, cohort: { minParticipants: 1, targetParticipants: 3, maxParticipants: 3 } };
    const aggregate = { sum: new Float64Array(quadraticItems), shoppers: 3, noiseStd: 0 };
    expect(() => foldSum(model, base, { plan, aggregate, participants: 3 })).toThrow(/strategy\/momentum: expected Float32Array, got none/);
  });

  it('with the control variate that the shops\' own have the mean of, though none of them reports it', async () => {
    for (const rounds of [1, 2, 5]) {
      const { base, meanOwn } = await train(rounds, { kind: 'scaffold', localSteps: 3 });
      const control = controlIn(base.strategy ?? {}, quadraticItems);
      meanOwn?.forEach((own, i) => expect(control[i]).toBeCloseTo(own, 5));
      expect(Math.max(...control.map(Math.abs))).toBeGreaterThan(0.01);
    }
  });
});
