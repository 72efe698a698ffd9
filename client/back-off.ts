/**
 * Exponential back-off with jitter: after a coordinator's restart its shops must not all return in the same
 * instant. Half of each delay is fixed, half is random, so that no delay is zero.
 */

export interface BackOff {
  readonly firstMs: number;
  readonly limitMs: number;
}

export const defaultBackOff: BackOff = { firstMs: 500, limitMs: 30_000 };

/** Milliseconds before try `attempt` (1 for the first one after a loss); `uniform` is in [0, 1). */
export function backOffMs(attempt: number, uniform: number, { firstMs, limitMs }: BackOff = defaultBackOff): number {
  // 2^30 is beyond every limit: a larger exponent would overflow after weeks without a coordinator.
  const ceiling = Math.min(limitMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * uniform);
}
