/**
 * Correlated noise for a trusted aggregator that releases every round: buffered linear Toeplitz (BLT) strategies,
 * which stream with a few buffers of the model's size. Papers: Dvijotham, McMahan, Pillutla, Steinke and Thakurta 2024
 * ("Efficient and near-optimal noise generation for streaming differential privacy"); McMahan, Xu and Zhang 2024 ("A
 * hassle-free algorithm for private learning in practice with BLT").
 * Central mode only: a share of correlated noise would have to remember its past. The base noise must be secure; the
 * buffers hold noise and must be kept as secret as it.
 */
import { invalid, requireInteger, requirePositive } from './checks.ts';

/** C's coefficients are 1 and, from k = 1 on, sum_i weights_i decays_i^(k-1). */
export interface BltStrategy {
  readonly decays: readonly number[];
  readonly weights: readonly number[];
}

/**
 * Strategies optimised numerically, for one participation a shopper, to the largest error of a prefix sum over so
 * many rounds. Each is within 0.5 % of the square-root strategy, which needs as many buffers as rounds.
 */
const strategies: readonly { readonly rounds: number; readonly strategy: BltStrategy }[] = [
  { rounds: 16, strategy: { decays: [0.53168407, 0.95437919], weights: [0.22718312, 0.27098361] } },
  { rounds: 64, strategy: { decays: [0.46752397, 0.8753639, 0.98942681], weights: [0.18230483, 0.18259541, 0.13432204] } },
  { rounds: 256, strategy: { decays: [0.62277238, 0.9474127, 0.99664075], weights: [0.26042347, 0.15481611, 0.07812846] } },
  { rounds: 1024, strategy: { decays: [0.7432835, 0.97855966, 0.99897286], weights: [0.31138902, 0.12054549, 0.04444099] } },
  { rounds: 4096, strategy: { decays: [0.82636605, 0.99100301, 0.99968201], weights: [0.33154387, 0.09095341, 0.02552967] } },
];

/** The shipped strategy for a number of rounds: the next larger one, or the largest. */
export function bltStrategy(rounds: number): BltStrategy {
  requireInteger('rounds', rounds, 1, 1 << 20);
  return (strategies.find((entry) => entry.rounds >= rounds) ?? strategies[strategies.length - 1]).strategy;
}

/** The first `rounds` coefficients of C, for `toeplitzSensitivitySquared` and `prefixError`. */
export function bltCoefficients({ decays, weights }: BltStrategy, rounds: number): Float64Array {
  checkStrategy({ decays, weights });
  requireInteger('rounds', rounds, 1, 1 << 24);
  const coefficients = new Float64Array(rounds);
  coefficients[0] = 1;
  for (let k = 1; k < rounds; k += 1) coefficients[k] = decays.reduce((sum, decay, i) => sum + weights[i] * decay ** (k - 1), 0);
  return coefficients;
}

function checkStrategy({ decays, weights }: BltStrategy): void {
  if (decays.length === 0 || decays.length !== weights.length) throw invalid('weights', `as many as decays, and at least one`, weights.length);
  for (const decay of decays) if (!(decay >= 0 && decay < 1)) throw invalid('decays', 'numbers in 0..1, 1 excluded', decay);
  for (const weight of weights) requirePositive('weights', weight);
}

/** Buffers of a stream: noise, to be kept secret. Plain data. */
export interface CorrelatedState {
  readonly strategy: BltStrategy;
  readonly buffers: readonly Float64Array[];
}

export function startCorrelatedNoise(strategy: BltStrategy, length: number): CorrelatedState {
  checkStrategy(strategy);
  requireInteger('length', length, 0);
  return { strategy, buffers: strategy.decays.map(() => new Float64Array(length)) };
}

/**
 * The noise of the next round from fresh base noise z on the integer grid: x = z - round(sum_i w_i B_i), then
 * B_i <- d_i B_i + x.
 * Guarantee: adding x to every round's sum is as private as releasing C (sum) + z, up to the rounding that
 * {@link correlatedSensitivity} charges: with base noise from `discreteGaussianSampler` all rounds together are
 * correlatedSensitivity^2 / (2 variance)-zCDP (Canonne, Kamath and Steinke 2020, Theorem 4).
 */
export function nextCorrelatedNoise(state: CorrelatedState, base: Int32Array): { readonly noise: Int32Array; readonly state: CorrelatedState } {
  const { strategy: { decays, weights }, buffers } = state;
  if (base.length !== buffers[0].length) throw invalid('base', `a length of ${buffers[0].length}`, base.length);
  const noise = new Int32Array(base.length);
  for (let j = 0; j < noise.length; j += 1) {
    let remembered = 0;
    for (let i = 0; i < buffers.length; i += 1) remembered += weights[i] * buffers[i][j];
    // Whole grid steps: a real number beside the integers would betray them in its last bits.
    noise[j] = base[j] - Math.round(remembered);
  }
  const next = buffers.map((buffer, i) => buffer.map((value, j) => decays[i] * value + noise[j]));
  return { noise, state: { strategy: state.strategy, buffers: next } };
}

/**
 * L2 sensitivity of the base noise, in grid steps: gridScale clipNorm sensitivity, and sqrt(rounds length) for the
 * rounding, which differs by less than one step a coordinate and round between neighbours.
 * @param sensitivity of C, from `toeplitzSensitivitySquared`'s root.
 */
export function correlatedSensitivity(
  { gridScale, clipNorm, sensitivity, rounds, length }: { gridScale: number; clipNorm: number; sensitivity: number; rounds: number; length: number },
): number {
  requirePositive('gridScale', gridScale);
  requirePositive('clipNorm', clipNorm);
  requirePositive('sensitivity', sensitivity);
  requireInteger('rounds', rounds);
  requireInteger('length', length);
  return gridScale * clipNorm * sensitivity + Math.sqrt(rounds * length) * (1 + 1e-6);
}
