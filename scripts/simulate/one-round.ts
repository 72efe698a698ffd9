/** One round of a simulated federation: budget, plan, cohort, sum, step. */
import { ofShoppers } from '../../shared/commerce/history.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { continuesFrom, nextModel, type StageModel } from '../../shared/federation/stages.ts';
import { foldSum, type FoldBase } from '../../shared/federation/strategies/fold.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { tensorsDigest } from '../../shared/protocol/tensors.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { drawCohort } from '../../shared/simulation/cohort.ts';
import type { SimulatedOutcome } from '../../shared/simulation/round-outcome.ts';
import { asksFollowingDays, type Scenario } from '../../shared/simulation/scenario.ts';
import { pretendedHistories, spoilOf } from './attack.ts';
import { admit, settled } from './charges.ts';
import type { Served, SimulationState } from './checkpoint.ts';
import type { Federation } from './federation.ts';
import { isTestedAfter, isTold, measure, testedModel } from './measure.ts';
import { recordOf } from './records.ts';
import type { Moment } from './schedule.ts';
import type { Measured, SimulateOptions } from './simulation.ts';
import type { RunRound } from './sums-runner.ts';

/** What a round starts from. */
interface Opened {
  readonly number: number;
  readonly moment: Moment;
  readonly stage: StageModel;
  readonly model: AnyFederatedModel;
  readonly plan: Plan;
  /** By which noise is drawn: the plan, unless it stands for a larger cohort. */
  readonly drawn: Plan;
  readonly base: Served;
  /** Of the release that members fetch first. */
  readonly releaseBytes: number;
}

export interface RoundRunner {
  readonly run: RunRound;
  readonly onTimed: NonNullable<SimulateOptions['onTimed']> | null;
  /** Of the release that is served after this round. */
  readonly onMeasured?: (measured: Measured, round: number) => void;
}

/** The state after the next round, or null where the task's budget does not hold it: then it is not opened. */
export async function simulateOneRound(federation: Federation, state: SimulationState, { run, onTimed, onMeasured }: RoundRunner): Promise<SimulationState | null> {
  const opened = openNext(federation, state);
  const { number, plan, moment } = opened;
  const reserved = admit(federation.task, state.charges, plan);
  if (reserved === null) return null;
  const started = performance.now();
  const outcome = await run(inputOf(federation, opened));
  const release = releaseOf(opened, outcome, state);
  // A round is over when its release is a file: making it is part of what is timed.
  federation.sealed(release.served);
  onTimed?.({ round: number, seconds: (performance.now() - started) / 1000, clients: outcome.kind === 'summed' ? outcome.reported.length : 0 });
  const { charges, epsilon } = settled(state.charges, reserved, spendAfter(plan, outcome));
  const record = recordOf({ round: number, openedSeconds: moment.opensSeconds, plan, releaseBytes: opened.releaseBytes, epsilon }, outcome);
  const after = { ...state, round: number, charges, ...release };
  const measured = isTestedAfter(federation.world.scenario, number, federation.rounds) ? measure(federation, testedModel(federation, after), number) : null;
  if (measured !== null) onMeasured?.(measured, number);
  const told = measured === null || !isTold(measured) ? [] : [measured];
  const kept = asksFollowingDays(federation.world.scenario) ? told : [];
  return { ...after, records: [...state.records, { ...record, metrics: told[0]?.metrics ?? null }], measured: [...state.measured, ...kept] };
}

export function openNext(federation: Federation, { round, served, clipNorm }: SimulationState): Opened {
  const { world, task, modelOf } = federation;
  const number = round + 1;
  const moment = federation.momentOf(number);
  const stage = federation.stageAt(nextModel(task, world.dataset.catalogue, served), moment.asOf);
  const model = modelOf(stage);
  const continues = served !== null && continuesFrom(stage, served);
  const base = continues ? served : { model: stage, params: model.initial(), strategy: {}, owns: new Map() };
  const baseRelease = continues ? tensorsDigest(modelOf(served.model).encode(served.params)) : null;
  const releaseBytes = continues ? (federation.sealed(served)?.length ?? 0) : 0;
  const plan = federation.planOf({ model, roundNumber: number, baseRelease, clipNorm: continues ? clipNorm : null });
  return { number, moment, stage, model, base, releaseBytes, plan, drawn: noisedPlan(world.scenario.privacy, plan) };
}

function inputOf({ world, attack }: Federation, { number, moment, plan, drawn, model, base }: Opened): Parameters<RunRound>[0] {
  const { scenario: { clients, seed, schedule }, population } = world;
  const members = drawCohort({ population, clients, maxParticipants: plan.cohort.maxParticipants, round: number, seed, timeSeconds: moment.asOf + (schedule.kind === 'calendar' ? 0 : moment.opensSeconds) });
  const histories = pretendedHistories(world, moment.split.training, attack);
  return {
    plan: drawn,
    model,
    base: { ...foldBaseOf(base), owns: base.owns },
    members,
    // Without an order that trains nobody is a shopper: not before the first one, nor of those that a protocol holds out.
    historiesOf: (member) => ofShoppers(histories(member)),
    ...spoilOf(world, plan, attack),
    seed,
  };
}

/**
 * The plan with the noise that stands in this small sum for what a large one has in its own: of n participants instead of N, n / N
 * of the standard deviation, so that the mean over participants is as noisy as in the large federation. In mode `local` the noise
 * of the sum grows as the root of the reports in it: there each of n has sqrt(n / N) of its own. Epsilon is that of the
 * plan as it was made, of the large federation. Idea: McMahan et al. 2018 ("Learning differentially private recurrent
 * language models"); the name is that of Granqvist et al. 2024 ("pfl-research: simulation framework for accelerating research in
 * private federated learning").
 */
function noisedPlan({ noiseCohort, mode }: Scenario['privacy'], plan: Plan): Plan {
  if (noiseCohort === undefined || plan.privacy.mode === 'none') return plan;
  const { privacy: { noiseStd }, bounds: { gridScale }, cohort: { targetParticipants } } = plan;
  const exponent = mode === 'local' ? 0.5 : 1;
  const most = Math.floor(targetParticipants * (noiseStd * gridScale) ** (1 / exponent));
  if (noiseCohort > most) throw new CestaError('privacy.infeasible', `privacy.noiseCohort: expected at most ${most} for ${targetParticipants} participants, beyond which there is less noise than a step of the grid, got ${noiseCohort}`);
  return { ...plan, privacy: { ...plan.privacy, noiseStd: noiseStd * (targetParticipants / noiseCohort) ** exponent } };
}

/**
 * What was charged stays charged, release or not. A reservation is given back where nothing can have left a participant: of
 * reports in the clear before training started, of masked ones before the sum was to be unmasked.
 */
function spendAfter(plan: Plan, outcome: SimulatedOutcome): 'committed' | 'abandoned' {
  if (outcome.kind === 'summed') return 'committed';
  const hasStarted = outcome.traffic.joined >= plan.cohort.minParticipants;
  const isMasked = plan.privacy.mode === 'distributed' && outcome.code === 'secagg.too-few';
  return hasStarted && !isMasked ? 'committed' : 'abandoned';
}

function foldBaseOf({ params, strategy }: Served): FoldBase {
  return { params, strategy: Object.keys(strategy).length === 0 ? null : strategy };
}

/** A failed round changes nothing: the last release stays. */
function releaseOf({ stage, model, plan, base }: Opened, outcome: SimulatedOutcome, { served, clipNorm }: SimulationState): Pick<SimulationState, 'served' | 'clipNorm'> {
  if (outcome.kind === 'failed') return { served, clipNorm };
  const { aggregate, reported, owns } = outcome;
  const { params, strategy } = foldSum(model, foldBaseOf(base), { plan, aggregate, participants: reported.length });
  // What the next round starts from is what was released: the parameters as they are encoded.
  return { served: { model: stage, params: model.decode(model.encode(params)), strategy, owns: new Map([...base.owns, ...owns]) }, clipNorm: aggregate.nextClipNorm };
}
