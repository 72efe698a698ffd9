/**
 * How many members one masked sum has: those of the round, or of one of its groups. Members are dealt out evenly, so a
 * round of n has groups of n / groups, rounded up or down; each group has its own quorum, noise and dropouts.
 */
import type { RobustSpec } from './robust/rule.ts';

type Grouping = Pick<RobustSpec, 'groups'> | undefined;

/** Masked sums of a round: 1 where it has no groups. */
export function sessionsOf({ robust }: { readonly robust?: Grouping }): number {
  return robust?.groups ?? 1;
}

export interface CohortSizes {
  readonly minParticipants: number;
  readonly targetParticipants: number;
}

/** The round's numbers for one of `sessions` masked sums: what the smallest group has at the least, and the largest at the most. */
export function cohortOfSession<Sizes extends CohortSizes>({ minParticipants, targetParticipants }: Sizes, sessions: number): CohortSizes {
  return { minParticipants: Math.floor(minParticipants / sessions), targetParticipants: Math.ceil(targetParticipants / sessions) };
}

/** What a plan says of one masked sum's members. */
export function sessionCohort({ cohort, robust }: { readonly cohort: CohortSizes & { readonly maxParticipants: number }; readonly robust?: Grouping }): CohortSizes & { readonly maxParticipants: number } {
  const sessions = sessionsOf({ robust });
  return { ...cohortOfSession(cohort, sessions), maxParticipants: Math.ceil(cohort.maxParticipants / sessions) };
}
