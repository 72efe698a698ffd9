/**
 * What participants do, drawn for each by seed, round and index. The distributions are assumptions: log-normal times, whose 5 %
 * and 95 % points lie an order of magnitude apart, as speeds of phones do. No trace of real devices is behind the medians.
 */
import { hashedNormal, hashedUniform } from '../numerics/hashed-random.ts';
import { keyedPermutation } from '../numerics/keyed-permutation.ts';
import { hashName } from '../numerics/random.ts';
import type { Member } from './round-outcome.ts';
import type { Scenario } from './scenario.ts';

/** From invitation to answer: a connection, the plan, what it is held against. */
const joinMedianMs = 500;
/** Start of training on a device, whatever it trains on. */
const startMedianMs = 2_000;
/** And for each shopper of a participant. */
const perShopperMedianMs = 1;
/** Standard deviation of the logarithm: exp(2 * 1.645 * 0.7) is 10. */
const logStd = 0.7;
/** A straggler is so many times as slow. */
const stragglerFactor = 10;
/** What 32-bit integers hold, and so what costs no allocation: 24 days. */
const longestMs = 2 ** 31 - 1;

type Behaviour = Pick<Member, 'joinMs' | 'trainMs' | 'leaves'>;

/** How a participant with so many shoppers behaves in this round. */
export function behaviours({ dropout, stragglers }: Scenario['clients'], round: number, seed: number): (index: number, shoppers: number) => Behaviour {
  const key = hashName(seed, `behaviour in round ${round}`);
  return (index, shoppers) => ({
    joinMs: milliseconds(joinMedianMs, hashedNormal(key, index, 0)),
    trainMs: milliseconds((startMedianMs + perShopperMedianMs * shoppers) * (hashedUniform(key, index, 4) < stragglers ? stragglerFactor : 1), hashedNormal(key, index, 2)),
    leaves: hashedUniform(key, index, 5) < dropout,
  });
}

/** `normal` is a standard normal draw. */
function milliseconds(medianMs: number, normal: number): number {
  return Math.min(longestMs, Math.max(1, Math.round(medianMs * Math.exp(logStd * normal))));
}

/**
 * Whether a participant is malicious, in all rounds alike. Where shoppers are invented: a participant that is one shopper, as
 * `inventedShoppers` says; a shop never is, though some of its shoppers are. Where participants are: the first so many of a
 * random order of all, who need not be in a round's cohort.
 */
export function maliciousParticipants({ are, malicious }: Scenario['clients'], participants: number, seed: number): (index: number) => boolean {
  if (malicious.kind === 'shoppers' && are === 'shoppers') return inventedShoppers({ malicious }, seed);
  if (malicious.kind !== 'participants') return () => false;
  // The order is turned round: who is sent to the front is malicious. The inverse of a random order is as random.
  const rankOf = keyedPermutation(participants, hashName(seed, 'malicious participants'));
  return (index) => rankOf(index) < malicious.count;
}

/** Whether a shopper of the population is invented: each with the probability of the scenario's share, in all rounds alike. */
export function inventedShoppers({ malicious }: Pick<Scenario['clients'], 'malicious'>, seed: number): (shopper: number) => boolean {
  if (malicious.kind !== 'shoppers') return () => false;
  const key = hashName(seed, 'invented shoppers');
  return (shopper) => hashedUniform(key, shopper) < malicious.share;
}
