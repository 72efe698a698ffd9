/**
 * What a robust rule asks of a task or plan. Rules need reports, and masks leave one sum; they need enough of them; and
 * the coordinator keeps all of them side by side, where a plain sum needs one vector: memory and time are bounded here.
 */
import type * as z from 'zod';
import { fewestRows, usesDistances } from './combine-rows.ts';
import type { RobustSpec } from './rule.ts';

/** Numbers in all reports together, four bytes each: half a gibibyte. */
export const mostKeptNumbers = 2 ** 27;
/** Multiplications for the distances between reports: some two seconds. */
export const mostDistanceProducts = 2 ** 31;

interface RobustTerms {
  readonly mode: string;
  readonly isBuffered: boolean;
  readonly minParticipants: number;
  readonly targetParticipants: number;
  /** Once the catalogue is known. */
  readonly statisticLength?: number;
}

interface Complaint {
  readonly path: string[];
  readonly message: string;
}

/** For the schemas of tasks and plans: adds an issue where the rule cannot be kept to. */
export function refineRobust(context: z.RefinementCtx, robust: RobustSpec | undefined, terms: RobustTerms): void {
  const complaint = robust === undefined ? null : complaintOf(robust, terms);
  if (complaint !== null) context.addIssue({ code: 'custom', ...complaint });
}

function complaintOf({ rule, byzantine, groups }: RobustSpec, { mode, isBuffered, minParticipants, targetParticipants, statisticLength = 0 }: RobustTerms): Complaint | null {
  if (mode === 'distributed') return { path: ['robust'], message: 'expected none in mode distributed, where masks leave the coordinator one sum and no reports to compare; modes local and none have them' };
  if (groups !== undefined) return { path: ['robust', 'groups'], message: `expected none in mode ${mode}, where every report is seen by itself` };
  if (isBuffered) return { path: ['robust'], message: 'expected none in a buffered task, whose sums have reports of several models' };
  const fewest = fewestRows(rule, byzantine);
  if (minParticipants < fewest) return { path: ['robust', 'byzantine'], message: `expected cohort.minParticipants of at least ${fewest} for ${rule} against ${byzantine}, got ${minParticipants}` };
  const numbers = targetParticipants * statisticLength;
  if (numbers > mostKeptNumbers) return { path: ['robust'], message: `expected at most ${mostKeptNumbers} numbers in all reports, got ${targetParticipants} reports of ${statisticLength}` };
  const products = (numbers * (targetParticipants + 1)) / 2;
  if (usesDistances(rule) && products > mostDistanceProducts) return { path: ['robust', 'rule'], message: `expected at most ${mostDistanceProducts} products for the distances that ${rule} needs, got ${products} for ${targetParticipants} reports of ${statisticLength}; median and trimmed-mean need none` };
  return null;
}
