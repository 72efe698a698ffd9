/**
 * How the mean change that a round arrives at becomes a step of the parameters (Reddi et al. 2021, "Adaptive federated
 * optimization", algorithm 2), and what a participant's local training adds to its loss. A strategy sees one flat vector
 * and never what its entries mean. It works on a private sum: post-processing, and free of charge.
 */
import * as z from 'zod';

const rate = z.number().finite().positive();
const decay = z.number().min(0).lt(1);
/** Smallest denominator of an adaptive step. */
const tau = rate.max(1);

export const strategySchema = z.discriminatedUnion('kind', [
  /** McMahan et al. 2017: the mean change, times `learningRate`. */
  z.strictObject({ kind: z.literal('fedavg'), learningRate: rate.default(1) }),
  /** Hsu et al. 2019: with momentum at the server. */
  z.strictObject({ kind: z.literal('fedavgm'), learningRate: rate.default(1), momentum: decay.default(0.9) }),
  z.strictObject({ kind: z.literal('fedadagrad'), learningRate: rate.default(0.1), tau: tau.default(1e-3) }),
  z.strictObject({ kind: z.literal('fedadam'), learningRate: rate.default(0.01), beta1: decay.default(0.9), beta2: decay.default(0.99), tau: tau.default(1e-3) }),
  z.strictObject({ kind: z.literal('fedyogi'), learningRate: rate.default(0.01), beta1: decay.default(0.9), beta2: decay.default(0.99), tau: tau.default(1e-3) }),
  /** Li et al. 2020: local losses gain mu / 2 times the squared distance from where the round started. */
  z.strictObject({ kind: z.literal('fedprox'), learningRate: rate.default(1), mu: rate.default(0.01) }),
  /**
   * Karimireddy et al. 2020, option II: local gradients are corrected by control variates. Unit `shop` only. `shops`: how
   * many the federation has; absent: as many as the cohort wants, which take part in every round then.
   */
  z.strictObject({
    kind: z.literal('scaffold'),
    learningRate: rate.default(1),
    localSteps: z.number().int().positive().max(100_000),
    shops: z.number().int().positive().max(1_000_000).optional(),
  }),
]);

export type StrategySpec = Readonly<z.output<typeof strategySchema>>;
/** As a task names it, with defaults left out. */
export type StrategyInput = Readonly<z.input<typeof strategySchema>>;
export type StrategyKind = StrategySpec['kind'];
/** One strategy with its settings. */
export type StrategyOf<Kind extends StrategyKind> = Extract<StrategySpec, { kind: Kind }>;

export const strategyKinds = ['fedavg', 'fedavgm', 'fedadagrad', 'fedadam', 'fedyogi', 'fedprox', 'scaffold'] as const satisfies readonly StrategyKind[];

/** What a strategy keeps from round to round, by name; all as long as the statistic. */
export type StrategyState = Readonly<Record<string, Float32Array>>;

/** What is public about a round beside its mean change. */
export interface StepInfo {
  /** Reports in the sum. */
  readonly participants: number;
}

/** What is added to the parameters, and what the next round starts from. */
export interface Step {
  readonly state: StrategyState;
  readonly step: Float64Array;
}

/** The server's half of a strategy. Pure: nothing is changed in place. */
export interface Strategy {
  /** Before the first round. */
  init(length: number): StrategyState;
  /** @param meanChange noised mean over contributions of local weights at the end minus those at the start */
  apply(state: StrategyState, meanChange: Float64Array, info: StepInfo): Step;
}
