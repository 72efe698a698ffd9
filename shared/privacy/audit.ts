/**
 * Lower bounds of epsilon from attacks: a smoke alarm for a mechanism that leaks more than its ledger says, never a
 * proof that it does not. Papers: Steinke, Nasr and Jagielski 2023 ("Privacy auditing with one training run",
 * Theorem 5.2); Jagielski, Ullman and Oprea 2020 (Clopper-Pearson).
 */
import { bracketedRoot } from '../numerics/quadrature.ts';
import { binomialUpperTail } from '../numerics/special.ts';
import { invalid, requireDelta, requireInteger, requireNonNegative } from './checks.ts';

export interface OneRunAudit {
  /** Canaries, each included by a fair coin. */
  readonly canaries: number;
  /** Canaries the attacker did not abstain on, and how many of those it got right. */
  readonly guesses: number;
  readonly correct: number;
  readonly delta: number;
}

/**
 * Probability bound that an (epsilon, delta)-DP mechanism lets an attacker be this right. With p = 1 / (1 + e^-eps)
 * and b = P[Bin(guesses, p) >= correct]: b + 2 canaries delta max_i (P[Bin >= correct - i] - b) / i.
 */
export function oneRunPValue({ canaries, guesses, correct, delta }: OneRunAudit, epsilon: number): number {
  checkAudit({ canaries, guesses, correct, delta });
  requireNonNegative('epsilon', epsilon);
  const p = 1 / (1 + Math.exp(-epsilon));
  const tail = binomialUpperTail(guesses, p, correct);
  if (delta === 0) return tail;
  let steepest = 0;
  for (let i = 1; i <= correct; i += 1) {
    steepest = Math.max(steepest, (binomialUpperTail(guesses, p, correct - i) - tail) / i);
    // The numerator is at most 1: later terms cannot win.
    if (1 / (i + 1) < steepest) break;
  }
  return Math.min(1, tail + 2 * canaries * delta * steepest);
}

/**
 * The largest epsilon that the audit refutes at this significance; 0 when it refutes none.
 * @throws CestaError `privacy.invalid`
 */
export function oneRunEpsilonLowerBound(audit: OneRunAudit, significance = 0.05): number {
  requireDelta('significance', significance);
  const excess = (epsilon: number): number => oneRunPValue(audit, epsilon) - significance;
  if (excess(0) >= 0) return 0;
  let high = 1;
  while (excess(high) < 0) {
    high *= 2;
    if (high > 1000) return high;
  }
  return bracketedRoot(excess, 0, high, 1e-12);
}

function checkAudit({ canaries, guesses, correct, delta }: OneRunAudit): void {
  requireInteger('canaries', canaries);
  requireInteger('guesses', guesses, 0, canaries);
  requireInteger('correct', correct, 0, guesses);
  if (delta !== 0) requireDelta('delta', delta);
}

/** Clopper-Pearson limits of a success probability: each fails with probability `failure` at most. */
export function clopperPearson(successes: number, trials: number, failure: number): { lower: number; upper: number } {
  requireInteger('trials', trials);
  requireInteger('successes', successes, 0, trials);
  requireDelta('failure', failure);
  const lower = successes === 0 ? 0 : bracketedRoot((p) => binomialUpperTail(trials, p, successes) - failure, 0, 1, 1e-13);
  const upper = successes === trials ? 1 : bracketedRoot((p) => 1 - binomialUpperTail(trials, p, successes + 1) - failure, 0, 1, 1e-13);
  return { lower, upper };
}

export interface MembershipAttack {
  /** Runs with and without the target, and how often the attack said "with". */
  readonly runsWith: number;
  readonly truePositives: number;
  readonly runsWithout: number;
  readonly falsePositives: number;
  readonly delta: number;
}

/**
 * log((TPR_low - delta) / FPR_high) with both limits at half the significance; 0 when that is negative.
 * @throws CestaError `privacy.invalid`
 */
export function membershipEpsilonLowerBound(attack: MembershipAttack, significance = 0.05): { epsilon: number; tprLower: number; fprUpper: number } {
  if (attack.delta !== 0) requireDelta('delta', attack.delta);
  if (!(significance > 0 && significance < 1)) throw invalid('significance', 'a number strictly between 0 and 1', significance);
  const { lower: tprLower } = clopperPearson(attack.truePositives, attack.runsWith, significance / 2);
  const { upper: fprUpper } = clopperPearson(attack.falsePositives, attack.runsWithout, significance / 2);
  const ratio = (tprLower - attack.delta) / fprUpper;
  return { epsilon: ratio > 1 ? Math.log(ratio) : 0, tprLower, fprUpper };
}
