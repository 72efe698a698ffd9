/**
 * Amplification of any RDP curve by secret Poisson sampling. Paper: Zhu and Wang 2019, "Poisson subsampled
 * Renyi differential privacy", whose bound holds at integer orders.
 * It is void when the observer knows or chooses who was sampled.
 */
import { logBinomial, logSumExp } from '../../numerics/special.ts';
import { requireFraction, requireInteger } from '../checks.ts';

/**
 * RDP at an integer order of a mechanism with curve `rdp` run on a Poisson sample of rate `sampling`; never more
 * than the unsampled curve. Edge cases: rate 0 gives 0, rate 1 the curve itself.
 * A = (1-q)^(a-1) (aq - q + 1) + C(a,2) q^2 (1-q)^(a-2) e^rdp(2) + 3 sum_(l>=3) C(a,l) q^l (1-q)^(a-l) e^((l-1) rdp(l)).
 */
export function subsampledRdp(order: number, sampling: number, rdp: (order: number) => number): number {
  requireInteger('order', order, 2);
  requireFraction('sampling', sampling);
  if (sampling === 0) return 0;
  if (sampling === 1) return rdp(order);
  const logIn = Math.log(sampling);
  const logOut = Math.log1p(-sampling);
  const terms = new Float64Array(order);
  terms[0] = (order - 1) * logOut + Math.log1p((order - 1) * sampling);
  terms[1] = logBinomial(order, 2) + 2 * logIn + (order - 2) * logOut + rdp(2);
  for (let l = 3; l <= order; l += 1) {
    terms[l - 1] = Math.log(3) + logBinomial(order, l) + l * logIn + (order - l) * logOut + (l - 1) * rdp(l);
  }
  const unsampled = rdp(order);
  return Math.min(unsampled, Math.max(0, logSumExp(terms)) / (order - 1));
}
