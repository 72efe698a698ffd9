/**
 * What participants of a simulated round contribute, before noise: the code that real ones run, with streams of a seed that are
 * each participant's own, so that a contribution does not depend on who else is there or where it is computed.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import type { Plan } from '../federation/plan.ts';
import { contributeShop, type ShopContribution } from '../federation/shop-change.ts';
import { participantSums } from '../federation/statistic.ts';
import type { FoldBase } from '../federation/strategies/fold.ts';
import { controlIn } from '../federation/strategies/state-tensors.ts';
import { seededRandom, type RandomWords, type SeededRandom } from '../numerics/random.ts';
import { emptySum } from '../privacy/clip.ts';
import { createPoissonSample } from '../privacy/poisson-sample.ts';
import type { Clipped } from '../privacy/vectors.ts';
import type { AnyFederatedModel } from '../recommender/federated-model.ts';

/** What all participants of a round have in common. */
export interface SumTerms {
  readonly plan: Plan;
  readonly model: AnyFederatedModel;
  readonly base: FoldBase;
  readonly seed: number;
}

export interface Contributor {
  /** Names its random streams. */
  readonly index: number;
  readonly histories: readonly ShopperHistory[];
}

export interface MemberSum {
  readonly sum: Clipped;
  /** Contributions that the sample took, and those of them that the clip norm shortened. */
  readonly contributions: number;
  readonly shortened: number;
}

/** Of tasks whose unit is the shopper: the integer sum over the shoppers of all these participants. */
export function sumMembers({ plan, model, base, seed }: SumTerms, members: Iterable<Contributor>): MemberSum {
  const sum = emptySum(plan.statisticLength);
  const sums = participantSums(sum, model, base.params, plan);
  const rate = plan.privacy.mode === 'none' ? 1 : plan.privacy.sampling;
  let contributions = 0;
  for (const { index, histories } of members) {
    const stream = `${plan.round} ${index}`;
    const participant = sums.participant(onDemand(seed, `rounding ${stream}`));
    const takes = createPoissonSample({ rate, random: onDemand(seed, `sample ${stream}`) });
    for (const history of histories) if (takes()) participant.add(history);
    contributions += participant.shoppers;
  }
  return { sum, contributions, shortened: sums.shortened };
}

/** Made when its first word is drawn: of most participants none is, and there may be a million of them. */
function onDemand(seed: number, name: string): RandomWords {
  let stream: SeededRandom | null = null;
  return { nextUint32: () => (stream ??= seededRandom(seed, name)).nextUint32() };
}

/** Of tasks whose unit is the shop: one training on all its shoppers. @param own its control variate, where it has one */
export function trainMember({ plan, model, base, seed }: SumTerms, { index, histories }: Contributor, own: Float32Array | null | undefined): Promise<ShopContribution> {
  const length = model.statisticLength();
  const zero = new Float32Array(length);
  const control = base.strategy === null || plan.strategy?.kind !== 'scaffold' ? zero : controlIn(base.strategy, length);
  const controls = plan.strategy?.kind === 'scaffold' ? { control, own: own ?? zero } : null;
  return contributeShop({ plan, model, params: base.params, histories, controls, random: seededRandom(seed, `training ${plan.round} ${index}`), pause: () => Promise.resolve() });
}
