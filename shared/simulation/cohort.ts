/**
 * Who takes part in a round: drawn without repetition from a population that is nowhere listed, at the cost of those who are
 * drawn. Everything about a participant is a function of seed, round and index, so that no draw changes another.
 */
import { hashedUniform } from '../numerics/hashed-random.ts';
import { keyedPermutation } from '../numerics/keyed-permutation.ts';
import { hashName } from '../numerics/random.ts';
import { behaviours, maliciousParticipants } from './behaviour.ts';
import type { Population } from './population.ts';
import type { Member } from './round-outcome.ts';
import type { Scenario } from './scenario.ts';

/** Candidates looked at for each member wanted. */
const maxCandidates = 20;

/** Availability by day and by night, and its hour of the most. */
const [leastAvailable, mostAvailable, bestHour] = [0.2, 0.8, 2];

export interface CohortInput {
  readonly population: Population;
  readonly clients: Scenario['clients'];
  /** Of the plan. */
  readonly maxParticipants: number;
  readonly round: number;
  readonly seed: number;
  /** Of the round's invitation, Unix time: the hour of the day decides who is available. */
  readonly timeSeconds: number;
}

/**
 * Members in the order of invitation, which is a random one. Wanted are `perRound` times `overSelection`, or all, and never more
 * than `maxParticipants`. With `diurnal` availability, candidates who are away are passed over; after 20 candidates for each
 * member wanted, or when nobody is left, the round goes with those there are, and may miss its quorum.
 */
export function drawCohort({ population, clients, maxParticipants, round, seed, timeSeconds }: CohortInput): Member[] {
  const isShops = clients.are === 'shops';
  const participants = isShops ? population.shops : population.shoppers;
  const asked = clients.perRound === null ? participants : Math.ceil(clients.perRound * clients.overSelection);
  const wanted = Math.min(asked, participants, maxParticipants);
  const candidates = Math.min(participants, wanted * maxCandidates);
  const candidateAt = keyedPermutation(participants, hashName(seed, `cohort of round ${round}`));
  const isAvailable = availability({ population, clients, round, seed, timeSeconds });
  const behaviourOf = behaviours(clients, round, seed);
  const isMalicious = maliciousParticipants(clients, participants, seed);
  const members: Member[] = [];
  for (let position = 0; position < candidates && members.length < wanted; position += 1) {
    const index = candidateAt(position);
    if (!isAvailable(index)) continue;
    const { joinMs, trainMs, leaves } = behaviourOf(index, isShops ? population.sizeOf(index) : 1);
    members.push({ index, id: `s${index}`, joinMs, trainMs, leaves, isMalicious: isMalicious(index) });
  }
  return members;
}

/**
 * Probability that a participant is available at an hour (0..24) of its own day: a cosine with its top at two in the morning, four
 * times its bottom at two in the afternoon. The factor is what Bonawitz et al. 2019 (arXiv:1902.01046, section 9) saw over a day
 * in the United States; the hours, the shape and the level are assumptions.
 */
export function availableAt(localHour: number): number {
  const middle = (mostAvailable + leastAvailable) / 2;
  return middle + (mostAvailable - middle) * Math.cos((2 * Math.PI * (localHour - bestHour)) / 24);
}

function availability({ population, clients, round, seed, timeSeconds }: Omit<CohortInput, 'maxParticipants'>): (index: number) => boolean {
  if (clients.availability === 'always') return () => true;
  const key = hashName(seed, `availability in round ${round}`);
  const utcHour = (timeSeconds / 3_600) % 24;
  return (index) => {
    const shop = clients.are === 'shops' ? index : population.shopOf(index);
    return hashedUniform(key, index) < availableAt(utcHour + population.utcOffsetHours(shop));
  };
}
