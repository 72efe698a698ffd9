/**
 * Noise that survives dropouts: every participant adds more than its share, in components, and the sum of
 * those that turn out unnecessary is removed again by revealing their seeds. With a component for each dropout what is left is
 * exactly what was planned; with one for every few of them, a little more at most. Paper: Jiang, Wang and Chen 2024
 * ("Dordis", EuroSys). The reveal must follow a survivor set that participants have signed, or two sets
 * could be asked for.
 */
import { requireInteger, requirePositive } from './checks.ts';

export interface NoiseShares {
  /** Variance of the base share, never removed: central / n. */
  readonly base: number;
  /** Variance of component k, which makes up for dropouts a + 1..b: central (b - a) / ((n - a) (n - b)). */
  readonly components: readonly number[];
}

export interface NoiseToShare {
  readonly participants: number;
  readonly tolerated: number;
  readonly centralVariance: number;
  /** Dropouts to a component, but for the last one, which may have fewer; 1 by default. */
  readonly dropoutStep?: number | undefined;
}

/**
 * Shares of a central noise variance for `participants`, of whom up to `tolerated` may drop out. A participant's base
 * and components together have variance central / (participants - tolerated).
 * Guarantee: after any d <= tolerated dropouts, and the removal of components beyond ceil(d / step), base and remaining
 * components have central / (n - e) each, e = min(tolerated, step ceil(d / step)): d rounded up to a whole component. The n - d
 * survivors together carry central (n - d) / (n - e): at least the central variance, and with step 1 exactly that. Since
 * e - d < step, it is at most 1 + (step - 1) / (n - tolerated) times as much. Skellam noise makes all of that true in integers as
 * well. To withstand c colluding participants, plan for c fewer.
 * @throws CestaError `privacy.invalid`
 */
export function noiseShares({ participants, tolerated, centralVariance, dropoutStep = 1 }: NoiseToShare): NoiseShares {
  requireInteger('participants', participants);
  requireInteger('tolerated', tolerated, 0, participants - 1);
  requirePositive('centralVariance', centralVariance);
  requireInteger('dropoutStep', dropoutStep, 1);
  return {
    base: centralVariance / participants,
    components: Array.from({ length: Math.ceil(tolerated / dropoutStep) }, (_, i) => {
      const [before, after] = [i * dropoutStep, Math.min(tolerated, (i + 1) * dropoutStep)];
      return (centralVariance * (after - before)) / ((participants - before) * (participants - after));
    }),
  };
}

/**
 * Variance left in the survivors' sum after the removal: with step 1 the central variance, up to rounding; otherwise as {@link noiseShares}
 * says. A ledger charges the central one, which is never more.
 */
export function residualVariance({ participants, shares, dropped, dropoutStep = 1 }: { participants: number; shares: NoiseShares; dropped: number; dropoutStep?: number | undefined }): number {
  requireInteger('dropped', dropped, 0, shares.components.length * dropoutStep);
  const kept = shares.components.slice(0, Math.ceil(dropped / dropoutStep)).reduce((sum, variance) => sum + variance, shares.base);
  return (participants - dropped) * kept;
}

/** Variance of the survivors' sum with base shares alone: what a plan without components falls to. */
export function shortfallVariance({ participants, shares, dropped }: { participants: number; shares: NoiseShares; dropped: number }): number {
  requireInteger('dropped', dropped, 0, participants);
  return (participants - dropped) * shares.base;
}
