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
  /** Karimireddy et al. 2020, option II: local gradients are corrected by control variates. Unit `shop` only. */
  z.strictObject({ kind: z.literal('scaffold'), learningRate: rate.default(1), localSteps: z.number().int().positive().max(100_000) }),
]);

export type StrategySpec = Readonly<z.output<typeof strategySchema>>;
