/** A member's report before its mask: the statistic of a real participant, with sampling, rounding and noise that can be repeated. */
import { simulatedNoise } from '../../../shared/evaluation/simulated-noise.ts';
import { shopNoise } from '../../../shared/evaluation/simulated-round.ts';
import type { Noised } from '../../../shared/privacy/vectors.ts';
import { addWords } from '../../../shared/secagg/ring.ts';
import type { Member, SimulatedRoundInput } from '../../../shared/simulation/round-outcome.ts';
import { shopSum } from '../sums-runner.ts';

export interface MemberReport {
  /** Seeded noise is what tells a simulation from a participant: nothing else makes this type of it. */
  readonly report: Noised;
  readonly contributions: number;
  readonly shortened: number;
  /** Its control variate, should the round end in a release with this report; null but for SCAFFOLD. */
  readonly own: Float32Array | null;
}

/** The same numbers as at fidelity `sums`, but for what malicious participants claim in mode `local`. @param participants of the sum that the report is for */
export async function makeReport(input: SimulatedRoundInput, member: Member, participants: number): Promise<MemberReport> {
  const { plan, seed, model } = input;
  await model.prepare?.();
  const noise = simulatedNoise('skellam').next(plan, shopNoise(plan, member.index, seed), participants);
  const owns = new Map<number, Float32Array>();
  const { sum, contributions, shortened } = await shopSum(input, member, owns);
  if (noise !== null) addWords(sum, noise, 1);
  // In mode `local` the bound that reports are held to is one of honest sums with their noise: on top of it, noise would give the attack away.
  const report = member.isMalicious && plan.privacy.mode === 'local' ? (input.spoil?.(sum) ?? sum) : sum;
  return { report: report as unknown as Noised, contributions, shortened, own: owns.get(member.index) ?? null };
}
