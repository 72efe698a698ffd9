/** A simulator that simulates nothing: every round follows from the seed and the round before, through its checkpoints. */
import { seededRandom } from '../../../shared/numerics/random.ts';
import type { Simulate } from '../../../scripts/experiment/perform-run.ts';
import type { RoundRecord, SimulateOptions } from '../../../scripts/simulate/simulation.ts';

export interface Double {
  readonly simulate: Simulate;
  /** First round of every call, by the scenario's seed. */
  readonly calls: { readonly seed: number; readonly from: number }[];
}

/** @param failsAt a round in which the simulation breaks, after its record and before its checkpoint */
export function simulatorDouble({ failsAt, beforeRound = () => Promise.resolve() }: { readonly failsAt?: number; readonly beforeRound?: (round: number) => Promise<void> } = {}): Double {
  const calls: { seed: number; from: number }[] = [];
  const simulate = async ({ scenario, resume, onRound, onCheckpoint, signal }: SimulateOptions): ReturnType<Simulate> => {
    let state = resume === undefined ? scenario.seed : Number(new TextDecoder().decode(resume.bytes));
    const from = (resume?.round ?? 0) + 1;
    calls.push({ seed: scenario.seed, from });
    const rounds = scenario.baseline === undefined ? scenario.rounds : 0;
    for (let round = from; round <= rounds; round += 1) {
      await beforeRound(round);
      signal?.throwIfAborted();
      state = seededRandom(state, `round ${round}`).nextFloat();
      await onRound?.(recordOf(round, state));
      if (round === failsAt) throw new Error('broken');
      await onCheckpoint?.({ round, bytes: new TextEncoder().encode(String(state)) });
    }
    return {
      scenario, rounds: [], metrics: { 'ndcg@10': state }, epsilon: scenario.privacy.epsilon, delta: scenario.privacy.delta, dataHash: 'of what was read',
      tests: { ndcg10: Float64Array.of(state, 0), recall10: Float64Array.of(state, 1), shops: Int32Array.of(0, 1) },
      model: scenario.baseline === undefined ? Uint8Array.of(1, 2, scenario.seed) : null,
    };
  };
  return { simulate, calls };
}

function recordOf(round: number, state: number): RoundRecord {
  return {
    round, outcome: 'released', reason: null, virtualSeconds: round * 3600, invited: 20, joined: 20, reported: 20, left: 0, late: 0, shoppers: 100.5,
    bytesUp: 1000, bytesDown: 2000, clipFraction: null, noiseStd: 0.5, sumNorm: 3, signalToNoise: 2, meanNorm: 0.1, clipNorm: 1, epsilon: 0.1 * round, metrics: { 'ndcg@10': state },
  };
}
