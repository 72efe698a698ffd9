/**
 * Training on a data set without sockets, round after round, with noise that can be repeated: what evaluations, comparisons
 * and benchmarks rank with.
 */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { ofShoppers, type ShopperHistory } from '../shared/commerce/history.ts';
import { byHash } from '../shared/datasets/partitions.ts';
import type { Dataset } from '../shared/datasets/dataset.ts';
import { trainInRounds } from '../shared/evaluation/local-rounds.ts';
import { simulatedNoise, type NoiseKind } from '../shared/evaluation/simulated-noise.ts';
import { simulateRound, type SimulatedBase, type SimulatedRound } from '../shared/evaluation/simulated-round.ts';
import type { Split } from '../shared/evaluation/splits.ts';
import { continuesFrom, nextModel, withFirstCount, type StageModel } from '../shared/federation/stages.ts';
import type { AskedLocalTerms } from '../shared/federation/local-terms.ts';
import type { Plan } from '../shared/federation/plan.ts';
import type { RobustSpec } from '../shared/federation/robust/rule.ts';
import { foldSum } from '../shared/federation/strategies/fold.ts';
import { makePlan, parseTaskSpec, type TaskSpec } from '../shared/federation/task.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import { createModel } from '../shared/recommender/registry.ts';

/**
 * `central`: one party holds all orders and adds the noise once. `local`: each of `shops` shops adds all of it.
 * `distributed`: each adds its share, as in a masked round that nobody leaves. `none`: no noise.
 */
export type SimulationMode = 'none' | 'central' | 'local' | 'distributed';

export interface SimulatedPrivacy {
  readonly mode: SimulationMode;
  readonly epsilon?: number;
  readonly delta?: number;
  readonly clipNorm?: number;
  readonly shops: number;
  readonly rounds: number;
  readonly sampling?: number;
  readonly encoding?: 'sparse' | 'rotated';
  readonly adaptiveClip?: number;
  readonly robust?: RobustSpec;
  readonly noise: NoiseKind;
}

export interface Trained {
  readonly model: AnyFederatedModel;
  readonly params: unknown;
  readonly samplerDelta: number;
}

/** What stays the same over the rounds and seeds of an evaluation. */
interface Simulation {
  readonly task: TaskSpec;
  readonly catalogue: Catalogue;
  readonly shops: readonly (readonly ShopperHistory[])[];
  readonly noise: NoiseKind;
}

/**
 * One training per noise seed: as many rounds as asked for, and the first count that a catalogue without text needs. A
 * model that trains locally does so where no noise hides single shoppers, if nothing is said of how.
 */
export async function trainings(dataset: Dataset, { training }: Split, { stage: wanted, privacy, local, seeds }: { stage: StageModel; privacy: SimulatedPrivacy; local: AskedLocalTerms; seeds: number }): Promise<Trained[]> {
  const { catalogue } = dataset;
  const positions = new Map(dataset.shoppers.map((shopper, index) => [shopper, index]));
  const shops = byHash(privacy.shops)(dataset, 0).map((group) => ofShoppers(group.map((shopper) => training[positions.get(shopper) ?? 0])));
  const model = createModel(wanted.kind, catalogue, wanted.hyperParameters);
  if (privacy.mode === 'none' && model.local !== undefined && Object.keys(local).length === 0) {
    return [{ model, params: await trainInRounds(model, shops, { rounds: privacy.rounds, seed: 1, pause: () => Promise.resolve() }), samplerDelta: 0 }];
  }
  const simulation = { task: withFirstCount(simulationTask(wanted, privacy, shops, local), catalogue), catalogue, shops, noise: privacy.noise };
  // The first round is the same for every seed, but for its noise.
  const first = startStage(simulation, { stage: nextModel(simulation.task, catalogue, null), number: 1, base: null, clipNorm: null });
  const trained: Trained[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) trained.push(await trainOnce(simulation, first, seed));
  return trained;
}

interface StartedRound {
  readonly model: AnyFederatedModel;
  readonly plan: Plan;
  readonly base: SimulatedBase;
  readonly round: SimulatedRound;
}

function startStage({ task, catalogue, shops, noise }: Simulation, { stage, number, base: before, clipNorm }: { stage: StageModel; number: number; base: SimulatedBase | null; clipNorm: number | null }): StartedRound {
  const model = createModel(stage.kind, catalogue, stage.hyperParameters);
  const base = before ?? { params: model.initial(), strategy: null };
  const plan = makePlan(task, { model, catalogue, roundNumber: number, baseRelease: null, clipNorm });
  const { rounds } = task.privacy;
  // Correlated noise is for shoppers that take part once: each is dealt to one round.
  const taking = noise === 'correlated' ? shops.map((histories) => histories.filter((_, index) => index % rounds === number - 1)) : shops;
  return { model, plan, base, round: simulateRound(plan, model, base, taking) };
}

async function trainOnce(simulation: Simulation, first: StartedRound, seed: number): Promise<Trained> {
  const { task, catalogue } = simulation;
  const noise = simulatedNoise(simulation.noise);
  let started = first;
  for (let number = 1; ; number += 1) {
    const { model, plan, base, round } = started;
    const { aggregate, participants, owns } = await round.sum(seed, noise);
    const folded = foldSum(model, base, { plan, aggregate, participants });
    const { params } = folded;
    if (number === task.privacy.rounds) return { model, params, samplerDelta: noise.samplerDelta(started.plan) };
    const current = { model: { kind: model.kind, hyperParameters: model.hyperParameters }, params };
    const stage = nextModel(task, catalogue, current);
    const continues = continuesFrom(stage, current);
    started = startStage(simulation, { stage, number: number + 1, base: continues ? { ...folded, owns } : null, clipNorm: continues ? aggregate.nextClipNorm : null });
  }
}

/** Parameters from all histories in one place, without noise. */
export async function trainCentrally(model: AnyFederatedModel, catalogue: Catalogue, histories: readonly ShopperHistory[]): Promise<unknown> {
  const task = simulationTask({ kind: model.kind, hyperParameters: model.hyperParameters }, { mode: 'none', shops: 1, rounds: 1, noise: 'skellam' }, [histories]);
  const plan = makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
  const base = { params: model.initial(), strategy: null };
  const { aggregate, participants } = await simulateRound(plan, model, base, [ofShoppers(histories)]).sum(0);
  return foldSum(model, base, { plan, aggregate, participants }).params;
}

function simulationTask(model: StageModel, privacy: SimulatedPrivacy, shops: readonly (readonly ShopperHistory[])[], local: AskedLocalTerms = {}): TaskSpec {
  const { mode, epsilon, delta, clipNorm, rounds, sampling, encoding, adaptiveClip, robust } = privacy;
  const optional = {
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(sampling === undefined ? {} : { sampling: { rate: sampling, drawnBy: 'shop' } }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(adaptiveClip === undefined ? {} : { adaptiveClip: { expectedShoppers: adaptiveClip } }),
  };
  return parseTaskSpec({
    name: 'simulation',
    model,
    // Central noise is what one shop that holds all orders would add by itself.
    privacy: mode === 'none' ? { mode, rounds } : { mode: mode === 'distributed' ? mode : 'local', epsilon, delta, rounds, ...optional },
    ...(robust === undefined ? {} : { robust }),
    cohort: { minParticipants: quorumOf(mode, robust, shops.length), targetParticipants: shops.length, overSelection: 1 },
    deadlines: { recruitingMs: 1, trainingMs: 1 },
    maxShoppersPerShop: Math.max(1, ...shops.map(({ length }) => length)),
    ...local,
  });
}

/** Four fifths where noise is shared. Nobody leaves: a rule has the reports of all. */
function quorumOf(mode: SimulationMode, robust: RobustSpec | undefined, shops: number): number {
  if (mode === 'distributed') return Math.ceil(0.8 * shops);
  return robust === undefined ? 1 : shops;
}
