/**
 * Amplification of any RDP curve by secret Poisson sampling. Paper: Zhu and Wang 2019, "Poisson subsampled
 * Renyi differential privacy", whose bound holds at integer orders.
 * It is void when the observer knows or chooses who was sampled.
 */
import { log1mExp, logAddExp, logBinomial, logSumExp } from '../../numerics/special.ts';
import { requireFraction, requireInteger } from '../checks.ts';

/**
 * RDP at an integer order of a mechanism with curve `rdp` run on a Poisson sample of rate `sampling`; never more
 * than the unsampled curve. Edge cases: rate 0 gives 0, rate 1 the curve itself.
 * A = (1-q)^(a-1) (aq - q + 1) + C(a,2) q^2 (1-q)^(a-2) e^rdp(2) + 3 sum_(l>=3) C(a,l) q^l (1-q)^(a-l) e^((l-1) rdp(l)).
 * The first term is the binomial distribution's mass at 0 and 1, so A - 1 is a sum of positive terms: it keeps its
 * digits at rates at which A itself would round to 1.
 */
export function subsampledRdp(order: number, sampling: number, rdp: (order: number) => number): number {
  requireInteger('order', order, 2);
  requireFraction('sampling', sampling);
  if (sampling === 0) return 0;
  const unsampled = rdp(order);
  if (sampling === 1) return unsampled;
  const logIn = Math.log(sampling);
  const logOut = Math.log1p(-sampling);
  const terms = new Float64Array(order - 1);
  for (let l = 2; l <= order; l += 1) {
    // log(w - 1) with w = e^rdp(2), and 3 e^((l - 1) rdp(l)) from l = 3 on.
    const exponent = (l === 2 ? 0 : Math.log(3)) + (l - 1) * rdp(l);
    terms[l - 2] = logBinomial(order, l) + l * logIn + (order - l) * logOut + exponent + log1mExp(-exponent);
  }
  return Math.min(unsampled, logAddExp(0, logSumExp(terms)) / (order - 1));
}
