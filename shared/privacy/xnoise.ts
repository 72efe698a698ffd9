/**
 * Noise that survives dropouts exactly: every participant adds more than its share, in components, and the sum of
 * those that turn out unnecessary is removed again by revealing their seeds. Paper: Jiang, Wang and Chen 2024
 * ("Dordis", EuroSys). The reveal must follow a survivor set that participants have signed, or two sets
 * could be asked for.
 */
import { requireInteger, requirePositive } from './checks.ts';

export interface NoiseShares {
  /** Variance of the base share, never removed: central / n. */
  readonly base: number;
  /** Variance of component k = 1..tolerated: central / ((n - k + 1) (n - k)). */
  readonly components: readonly number[];
}

/**
 * Shares of a central noise variance for `participants`, of whom up to `tolerated` may drop out. A participant's base
 * and components together have variance central / (participants - tolerated).
 * Guarantee: after any d <= tolerated dropouts, and the removal of components beyond d, the sum carries exactly the
 * central variance; Skellam noise makes that exact in integers as well. To withstand c colluding participants, plan
 * for c fewer.
 * @throws CestaError `privacy.invalid`
 */
export function noiseShares({ participants, tolerated, centralVariance }: { participants: number; tolerated: number; centralVariance: number }): NoiseShares {
  requireInteger('participants', participants);
  requireInteger('tolerated', tolerated, 0, participants - 1);
  requirePositive('centralVariance', centralVariance);
  return {
    base: centralVariance / participants,
    components: Array.from({ length: tolerated }, (_, i) => centralVariance / ((participants - i) * (participants - i - 1))),
  };
}

/** Variance left in the survivors' sum after the removal: the central variance, up to rounding. A ledger charges this. */
export function residualVariance({ participants, shares, dropped }: { participants: number; shares: NoiseShares; dropped: number }): number {
  requireInteger('dropped', dropped, 0, shares.components.length);
  const kept = shares.components.slice(0, dropped).reduce((sum, variance) => sum + variance, shares.base);
  return (participants - dropped) * kept;
}

/** Variance of the survivors' sum with base shares alone: what a plan without components falls to. */
export function shortfallVariance({ participants, shares, dropped }: { participants: number; shares: NoiseShares; dropped: number }): number {
  requireInteger('dropped', dropped, 0, participants);
  return (participants - dropped) * shares.base;
}
