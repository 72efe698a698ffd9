/**
 * The simulator: rounds of one federation in one process, in virtual time. Plan, budget, round, sum, step and release are made by
 * the product's own code; who the participants are and what they do is drawn from a seed. Nothing in a result depends on the
 * machine, the time of day or the number of threads.
 *
 * What it is not: noise and samples follow from the seed and protect nobody, and no figure speaks of networks, of crypto or of
 * attacks on them. See sums-runner.ts for what fidelity `sums` leaves out.
 */
import { availableParallelism } from 'node:os';
import { simulateBaseline } from './baselines.ts';
import { openCheckpoint, sealCheckpoint, startState, type SimulationState } from './checkpoint.ts';
import { openFederation, type Federation } from './federation.ts';
import { measure, requireTold, testedModel, together } from './measure.ts';
import { simulateOneRound } from './one-round.ts';
import type { Measured, SimulateOptions, SimulationResult } from './simulation.ts';
import { createSumPool, type SumPool } from './sum-pool.ts';
import { sumsRunner, type RunRound } from './sums-runner.ts';
import { openWorld, type World } from './world.ts';

/** All cores but one, which the main thread takes. */
function usualWorkers(): number {
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
  const pool = createSumPool(world.dataset.catalogue, workers, contributorsOf(federation));
  try {
    return resultOf(federation, await runRounds(federation, await runnerOf(world, pool), options));
  } finally {
    await pool.close();
  }
}

async function runnerOf({ scenario }: World, pool: SumPool): Promise<RunRound> {
  const { fidelity, privacy: { epsilon, mode } } = scenario;
  switch (fidelity) {
    case 'sums':
      return sumsRunner({ pool, isCentral: epsilon !== null && mode === 'central' });
    case 'messages':
      // All of the coordinator, which sums do without.
      return (await import('./messages/run-message-round.ts')).runMessageRound;
    default:
      return fidelity satisfies never;
  }
}

/** Of a shop so many are hardly more work than one client with its streams and its place in a round. */
const shoppersOfOneClient = 32;

/** Threads are of use to sums of shoppers alone: of many clients, or of few with many shoppers each. */
function contributorsOf({ world: { scenario, population }, task }: Federation): number {
  if (scenario.fidelity !== 'sums' || scenario.unit !== 'shopper' || task.robust !== undefined) return 0;
  const { targetParticipants } = task.cohort;
  const meanShoppers = scenario.clients.are === 'shops' ? population.shoppers / population.shops : 1;
  return Math.max(targetParticipants, Math.floor((targetParticipants * meanShoppers) / shoppersOfOneClient));
}

interface Finished {
  readonly state: SimulationState;
  /** After the last round, where it was tested in this process. */
  readonly last: Measured | null;
}

async function runRounds(federation: Federation, run: RunRound, { resume, onRound, onCheckpoint, onTimed, signal }: SimulateOptions): Promise<Finished> {
  const { world, rounds } = federation;
  const seen = { round: 0, measured: null as Measured | null };
  const onMeasured = (measured: Measured, round: number): void => void Object.assign(seen, { round, measured });
  let state = resume === undefined ? startState : openCheckpoint(resume, world, federation.modelOf);
  while (state.round < rounds) {
    signal?.throwIfAborted();
    const next = await simulateOneRound(federation, state, { run, onTimed: onTimed ?? null, onMeasured });
    // Its budget does not hold another round: the task has stopped for good.
    if (next === null) break;
    state = next;
    await onRound?.(state.records[state.records.length - 1]);
    await onCheckpoint?.(sealCheckpoint(world, state, state.served === null ? null : federation.modelOf(state.served.model)));
  }
  return { state, last: seen.round === state.round ? seen.measured : null };
}

function resultOf(federation: Federation, { state, last }: Finished): SimulationResult {
  const { world } = federation;
  const { scenario, dataHash } = world;
  const { metrics, tests } = requireTold(state.measured.length > 0 ? together(state.measured) : (last ?? measure(federation, testedModel(federation, state), Math.max(1, state.round))));
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
