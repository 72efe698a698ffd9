/**
 * How much Gaussian noise a plan needs: the inverse of the accountant.
 */
import { bracketedRoot } from '../../numerics/quadrature.ts';
import { invalid, requireDelta, requireFraction, requireInteger, requirePositive } from '../checks.ts';
import { epsilonOf } from './epsilon.ts';
import { gaussianSigma } from './gaussian.ts';
import { rdpEpsilon } from './rdp.ts';

export interface NoiseTarget {
  readonly epsilon: number;
  readonly delta: number;
  /** Releases that together spend (epsilon, delta). */
  readonly rounds: number;
  /** Rate of the secret Poisson sample of every round; 1 is no sampling. */
  readonly sampling: number;
}

/**
 * The smallest noise multiplier (standard deviation over L2 sensitivity) with which `rounds` Gaussian releases are
 * (epsilon, delta)-DP; rounded up by at most 1e-6, so that `epsilonOf` of the result never exceeds the target.
 * @param accountant `tight` (default) or `rdp`, which needs a little more noise and allows an adaptive filter.
 * @throws CestaError `privacy.invalid`
 * @example
 * noiseMultiplierFor({ epsilon: 2, delta: 1e-5, rounds: 1000, sampling: 0.01 }); // 0.95910
 */
export function noiseMultiplierFor(target: NoiseTarget, accountant: 'tight' | 'rdp' = 'tight'): number {
  const { epsilon, delta, rounds, sampling } = target;
  requirePositive('epsilon', epsilon);
  requireDelta('delta', delta);
  requireInteger('rounds', rounds);
  requireFraction('sampling', sampling);
  if (sampling === 0) throw invalid('sampling', 'a rate above 0', sampling);
  if (sampling === 1 && accountant === 'tight') return gaussianSigma({ epsilon, delta }) * Math.sqrt(rounds) * (1 + 1e-12);
  const byRdp = smallestSigma((sigma) => rdpEpsilon([{ kind: 'gaussian', sigma, sampling, count: rounds }], delta).epsilon, epsilon, 1);
  if (accountant === 'rdp') return byRdp;
  return smallestSigma((sigma) => epsilonOf([{ kind: 'gaussian', sigma, sampling, count: rounds }], delta, { crossCheck: false }).epsilon, epsilon, byRdp);
}

/** Inverts a falling epsilon(sigma), to the private side. `near` starts the search. */
function smallestSigma(epsilonAt: (sigma: number) => number, epsilon: number, near: number): number {
  // Compared in logs, where the curve is nearly straight, and capped where epsilon is 0 or infinite.
  const excess = (logSigma: number): number => Math.min(50, Math.max(-50, Math.log(epsilonAt(Math.exp(logSigma)) / epsilon)));
  let [low, high] = [Math.log(near), Math.log(near)];
  while (excess(low) <= 0) low -= 0.25;
  while (excess(high) > 0) high += 0.25;
  let sigma = Math.exp(low === high ? low : bracketedRoot(excess, low, high, 1e-8));
  while (epsilonAt(sigma) > epsilon) sigma *= 1 + 1e-7;
  return sigma;
}
