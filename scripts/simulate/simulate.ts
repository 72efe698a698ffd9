/**
 * The simulator: rounds of one federation in one process, in virtual time. Plan, budget, round, sum, step and release are made by
 * the product's own code; who the participants are and what they do is drawn from a seed. Nothing in a result depends on the
 * machine, the time of day or the number of threads.
 *
 * What it is not: noise and samples follow from the seed and protect nobody, and no figure speaks of networks, of crypto or of
 * attacks on them. See sums-runner.ts for what fidelity `sums` leaves out.
 */
import { availableParallelism } from 'node:os';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';
import { simulateBaseline } from './baselines.ts';
import { openCheckpoint, sealCheckpoint, startState, type SimulationState } from './checkpoint.ts';
import { openFederation, type Federation } from './federation.ts';
import { measure, testedModel, together } from './measure.ts';
import { simulateOneRound } from './one-round.ts';
import type { SimulateOptions, SimulationResult } from './simulation.ts';
import { createSumPool } from './sum-pool.ts';
import { sumsRunner, type RunRound } from './sums-runner.ts';
import { openWorld } from './world.ts';

/** All cores but one, which the main thread takes. */
export function usualWorkers(): number {
  return Math.max(1, availableParallelism() - 1);
}

/**
 * Runs a scenario, or goes on with it after a checkpoint, to the same bytes.
 * @throws CestaError whatever reading the data may; `config.invalid`, `plan.invalid` or `privacy.*` for what the scenario asks
 * for and neither product nor simulation can do; `config.invalid` for a checkpoint of another scenario; the reason of an
 * aborted `signal`.
 * @example
 * const { metrics } = await simulate({ scenario: parseScenario({ population: { shops: 20 }, privacy: { epsilon: 3 } }) });
 * metrics['ndcg@10'];
 */
export async function simulate(options: SimulateOptions): Promise<SimulationResult> {
  const { scenario, workers = usualWorkers() } = options;
  const world = await openWorld(scenario, options.read);
  if (scenario.baseline !== undefined) return simulateBaseline(world, scenario.baseline);
  const federation = openFederation(world);
  const pool = createSumPool(world.dataset.catalogue, workers, federation.task.cohort.targetParticipants);
  try {
    const run = await runnerOf(scenario, () => sumsRunner({ pool, isCentral: scenario.privacy.epsilon !== null && scenario.privacy.mode === 'central' }));
    const state = await runRounds(federation, run, options);
    return resultOf(federation, state);
  } finally {
    await pool.close();
  }
}

function runnerOf(scenario: Scenario, sums: () => RunRound): RunRound | Promise<RunRound> {
  switch (scenario.fidelity) {
    case 'sums':
      return sums();
    case 'messages':
      return loadMessages(scenario);
    default:
      return scenario.fidelity satisfies never;
  }
}

/** @throws CestaError `config.invalid` for what participants that speak the protocol cannot do */
async function loadMessages({ privacy }: Scenario): Promise<RunRound> {
  if (privacy.epsilon !== null && privacy.mode === 'central') throw new CestaError('config.invalid', 'fidelity: expected sums in mode central, whose noise no participant adds, got messages');
  return (await import('./messages/run-message-round.ts')).runMessageRound;
}

async function runRounds(federation: Federation, run: RunRound, { resume, onRound, onCheckpoint, onTimed, signal }: SimulateOptions): Promise<SimulationState> {
  const { world, rounds } = federation;
  let state = resume === undefined ? startState : openCheckpoint(resume, world, federation.modelOf);
  while (state.round < rounds) {
    signal?.throwIfAborted();
    const next = await simulateOneRound(federation, state, { run, onTimed: onTimed ?? null });
    // Its budget does not hold another round: the task has stopped for good.
    if (next === null) break;
    state = next;
    await onRound?.(state.records[state.records.length - 1]);
    await onCheckpoint?.(sealCheckpoint(world, state, state.served === null ? null : federation.modelOf(state.served.model)));
  }
  return state;
}

function resultOf(federation: Federation, state: SimulationState): SimulationResult {
  const { world } = federation;
  const { scenario, dataHash } = world;
  const { metrics, tests } = state.measured.length > 0 ? together(state.measured) : measure(federation, testedModel(federation, state), Math.max(1, state.round));
  const { epsilon, delta, noiseCohort } = scenario.privacy;
  return {
    scenario,
    rounds: state.records,
    metrics,
    epsilon: epsilon === null ? null : (state.records.at(-1)?.epsilon ?? 0),
    delta: epsilon === null ? null : delta,
    ...(noiseCohort === undefined ? {} : { noiseCohort }),
    tests,
    model: federation.sealed(state.served),
    dataHash,
  };
}
