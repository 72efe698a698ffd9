/**
 * What a robust rule asks of a task or plan. Rules need reports, or, where masks hide those, sums of several groups of
 * them; they need enough of them; and the coordinator keeps all of them side by side, where a plain sum needs one vector:
 * memory and time are bounded here.
 */
import { fewestRows, usesDistances } from './combine-rows.ts';
import { groupRules, type RobustRule, type RobustSpec } from './rule.ts';

/** Numbers in all reports together, four bytes each: half a gibibyte. */
export const mostKeptNumbers = 2 ** 27;
/** Multiplications for the distances between reports: some two seconds. */
const mostDistanceProducts = 2 ** 31;

interface RobustTerms {
  readonly robust: RobustSpec;
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

/** Why the terms cannot be kept; null where they can. */
export function robustComplaint(terms: RobustTerms): Complaint | null {
  const { robust: { rule, byzantine, groups }, mode, isBuffered, minParticipants, targetParticipants, statisticLength = 0 } = terms;
  if (mode === 'distributed') return groupComplaint(terms);
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

/** Members of each group are a masked session's affair. */
function groupComplaint({ robust: { rule, byzantine, groups }, statisticLength = 0 }: RobustTerms): Complaint | null {
  if (groups === undefined) return { path: ['robust', 'groups'], message: `expected a number of them in mode distributed, where masks leave no reports for ${rule} to compare, only sums of groups, got none; modes local and none have reports` };
  if (!(groupRules as readonly RobustRule[]).includes(rule)) return { path: ['robust', 'rule'], message: `expected ${groupRules.join(' or ')} with groups, got ${rule}` };
  if (2 * byzantine >= groups) return { path: ['robust', 'byzantine'], message: `expected less than half of ${groups} groups, got ${byzantine}` };
  const numbers = groups * statisticLength;
  return numbers > mostKeptNumbers ? { path: ['robust', 'groups'], message: `expected at most ${mostKeptNumbers} numbers in all sums, got ${groups} sums of ${statisticLength}` } : null;
}
