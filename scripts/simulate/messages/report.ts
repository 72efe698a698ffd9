/** A member's report before its mask: the statistic of a real participant, with sampling, rounding and noise that can be repeated. */
import { simulatedNoise } from '../../../shared/evaluation/simulated-noise.ts';
import { contributeShop } from '../../../shared/federation/shop-change.ts';
import { startStatistic } from '../../../shared/federation/statistic.ts';
import { controlIn } from '../../../shared/federation/strategies/state-tensors.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { createPoissonSample } from '../../../shared/privacy/poisson-sample.ts';
import type { Clipped, Noised } from '../../../shared/privacy/vectors.ts';
import { addWords } from '../../../shared/secagg/ring.ts';
import type { Member, SimulatedRoundInput } from '../../../shared/simulation/round-outcome.ts';

export interface ReportTerms {
  readonly input: SimulatedRoundInput;
}

export interface MemberReport {
  readonly report: Noised;
  readonly own: Float32Array | null;
}

/** @param participants of the sum that the report is for */
export async function makeReport({ input }: ReportTerms, member: Member, participants: number): Promise<MemberReport> {
  const { plan, seed } = input;
  // Before the data, as a real participant does.
  const noise = simulatedNoise('skellam').next(plan, seededRandom(seed, `noise-${member.index} ${plan.round}`), participants);
  const { sum, own } = await contribute(input, member);
  if (noise === null) return { report: sum as unknown as Noised, own };
  addWords(noise, sum, 1);
  return { report: noise as unknown as Noised, own };
}

async function contribute({ plan, model, base, seed, historiesOf }: SimulatedRoundInput, member: Member): Promise<{ readonly sum: Clipped; readonly own: Float32Array | null }> {
  const stream = `${plan.round} ${member.index}`;
  const histories = historiesOf(member);
  if (plan.unit === 'shop') {
    const length = model.statisticLength();
    const control = base.strategy === null || plan.strategy?.kind !== 'scaffold' ? new Float32Array(length) : controlIn(base.strategy, length);
    const controls = plan.strategy?.kind === 'scaffold' ? { control, own: base.owns?.get(member.index) ?? new Float32Array(length) } : null;
    return contributeShop({ plan, model, params: base.params, histories, controls, random: seededRandom(seed, `training ${stream}`), pause: () => Promise.resolve() });
  }
  await model.prepare?.();
  const statistic = startStatistic(model, base.params, plan, seededRandom(seed, `rounding ${stream}`));
  const takes = createPoissonSample({ rate: plan.privacy.mode === 'none' ? 1 : plan.privacy.sampling, random: seededRandom(seed, `sample ${stream}`) });
  for (const history of histories) if (takes()) statistic.add(history);
  return { sum: statistic.finish(), own: null };
}
