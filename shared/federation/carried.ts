/** Stragglers of earlier plans, as an open round of a buffered task sees them. */
import type { Plan } from './plan.ts';

/** `working` ones may still report, connected or not; `reported` ones are in the buffer that the round will release. */
export type Carried = ReadonlyMap<string, 'working' | 'reported'>;

export const nobodyCarried: Carried = new Map();

/** Those that reported: asked for at every event of a round, and the same until one of them is heard of. */
const reportedOf = new WeakMap<Carried, number>();

export function countCarried(carried: Carried, wanted: 'working' | 'reported'): number {
  const reported = reportedOf.get(carried) ?? [...carried.values()].filter((state) => state === 'reported').length;
  reportedOf.set(carried, reported);
  return wanted === 'reported' ? reported : carried.size - reported;
}

/** Members that a round needs of its own: only carried reports that are in the buffer already make up for any. */
export function fewestOwn({ plan, carried }: { readonly plan: Pick<Plan, 'cohort'>; readonly carried: Carried }): number {
  return Math.max(1, plan.cohort.minParticipants - countCarried(carried, 'reported'));
}

/** After a report or a loss. Who is not working is where it was: a report counts once. */
export function afterLate(carried: Carried, { kind, participant }: { readonly kind: 'late-report' | 'late-loss'; readonly participant: string }): Carried {
  if (carried.get(participant) !== 'working') return carried;
  const next = new Map(carried);
  if (kind === 'late-report') next.set(participant, 'reported');
  else next.delete(participant);
  return next;
}
