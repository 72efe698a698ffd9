/**
 * Rosters and survivors of a round in groups: what an entry says of each group adds up to what it says of the round, no
 * group is one that its plan has not, and a release rests on enough of them. Who is in which group the members know,
 * who drew it themselves; a record of roots and counts cannot show it.
 */
import { inconsistent } from './inconsistent.ts';
import type { LogEntryOf } from './log-entries.ts';

/** What a plan says of its groups. */
export interface GroupRule {
  readonly groups: number;
  /** Sums that a release rests on at the least. */
  readonly fewest: number;
}

/**
 * @param rule of the plan; null for one without groups, undefined where nobody reads plans
 * @throws CestaError `log.inconsistent`
 */
export function requireGroups({ type, round, members, groups }: LogEntryOf<'roster' | 'survivors'>, rule: GroupRule | null | undefined): void {
  const what = `${type} of ${round}`;
  if (rule === null && groups !== undefined) throw inconsistent(`${what}: expected no groups, since its plan has none, got ${groups.length}`);
  if (rule !== null && rule !== undefined && groups === undefined) throw inconsistent(`${what}: expected the groups of its plan, got none`);
  if (groups === undefined) return;
  const places = groups.map(({ group }) => group);
  if (places.some((group, i) => i > 0 && group <= places[i - 1])) throw inconsistent(`${what}: expected each group once, in rising order, got ${places.join(', ')}`);
  const sum = groups.reduce((total, { count }) => total + count, 0);
  if (sum !== members.count) throw inconsistent(`${what}: expected groups of ${members.count} members together, got ${sum}`);
  if (rule === null || rule === undefined) return;
  const last = places.at(-1) ?? -1;
  if (last >= rule.groups) throw inconsistent(`${what}: expected groups below ${rule.groups}, got ${last}`);
  if (groups.length < rule.fewest) throw inconsistent(`${what}: expected at least ${rule.fewest} groups, got ${groups.length}`);
}

/** @throws CestaError `log.inconsistent` for survivors that the roster has not. */
export function requireWithinRoster({ round, members, groups = [] }: LogEntryOf<'survivors'>, roster: LogEntryOf<'roster'>): void {
  if (members.count > roster.members.count) throw inconsistent(`survivors of ${round}: expected at most the ${roster.members.count} of the roster, got ${members.count}`);
  for (const { group, count } of groups) {
    const most = roster.groups?.find((entry) => entry.group === group)?.count ?? 0;
    if (count > most) throw inconsistent(`survivors of ${round}: expected at most the ${most} on the roster of group ${group}, got ${count}`);
  }
}
