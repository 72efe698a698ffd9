/**
 * Which member of a round is in which group: a shuffle by a hash of the plan and of all members' names and keys, so that
 * every member computes it for itself and nobody is told where it belongs. The session of a group is bound to the digest
 * of what was drawn from: members that were shown different lists share no keys, and their masks do not cancel.
 *
 * Guarantee: for a fixed set of members nobody chooses the groups. Does not protect against: a coordinator that tries
 * sets of members, by inviting others or with shops that it invented, until it likes the draw. What shares of noise count
 * on is therefore the number of colluding shops in the round, all of whom may land in one group; beyond that number the
 * draw makes it harder to be surrounded, no more. Shops that list their peers refuse inventions, as in any round.
 */
import { bytesToHex, hexToBytes } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import { labelledHash } from '../secagg/labels.ts';
import type { Directory } from '../secagg/roster.ts';
import type { GroupTerms } from '../secagg/terms.ts';
import { planHash, type Plan } from './plan.ts';
import { sessionCohort, sessionsOf } from './session-cohort.ts';

/** One group of a round: its part of the directory, and what binds its session to the draw. */
export interface Group {
  readonly terms: GroupTerms;
  readonly directory: Directory;
}

/**
 * All members, dealt into the plan's groups, whose sizes differ by one at the most.
 * @param directory names and long-term keys of everybody who was told to train
 * @throws CestaError `secagg.too-few` where a group would be smaller than its quorum, `secagg.invalid` for more members
 * than the plan admits or a plan without groups.
 */
export function drawGroups(plan: Plan, directory: Directory): readonly Group[] {
  const groups = sessionsOf(plan);
  const { minParticipants } = sessionCohort(plan);
  if (groups < 2) throw new CestaError('secagg.invalid', 'robust.groups: expected a plan with groups, got none');
  if (directory.size > plan.cohort.maxParticipants) throw new CestaError('secagg.invalid', `directory: expected at most ${plan.cohort.maxParticipants} shops, got ${directory.size}`);
  if (Math.floor(directory.size / groups) < minParticipants) {
    throw new CestaError('secagg.too-few', `directory: expected at least ${groups * minParticipants} shops for ${groups} groups of ${minParticipants}, got ${directory.size}`);
  }
  const members = [...directory].sort(([a], [b]) => compare(a, b));
  const drawnFrom = labelledHash('members', planHash(plan), ...members.flatMap(([name, key]) => [name, hexToBytes(key)]));
  const places = new Map(members.map(([name, key]) => [name, bytesToHex(labelledHash('place', drawnFrom, name, hexToBytes(key)))]));
  // Places are distinct but for a collision of the hash; the order of names then decides, since sorting is stable.
  const drawn = [...members].sort(([a], [b]) => compare(places.get(a) ?? '', places.get(b) ?? ''));
  return Array.from({ length: groups }, (_, index) => ({
    terms: { index, groups, drawnFrom: bytesToHex(drawnFrom) },
    directory: new Map(drawn.filter((_member, place) => place % groups === index)),
  }));
}

/** The group of one member. @throws CestaError `secagg.invalid` for a stranger, and like {@link drawGroups} */
export function groupOf(plan: Plan, directory: Directory, member: string): Group {
  const group = drawGroups(plan, directory).find((drawn) => drawn.directory.has(member));
  if (group === undefined) throw new CestaError('secagg.invalid', `directory: expected ${member} in it, got it without`);
  return group;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
