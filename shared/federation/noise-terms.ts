/** What a task plans for where noise is shared: dropouts that are made up for, and shops whose shares are not counted on. */
import { CestaError } from '../protocol/errors.ts';
import { fewestParticipants } from '../secagg/terms.ts';
import { cohortOfSession, sessionsOf } from './session-cohort.ts';
import type { TaskSpec } from './task.ts';

export interface SharedNoise {
  readonly tolerated: number;
  readonly colluding: number;
}

const mostUsualTolerated = 20;

/** In a larger sum twenty dropouts are nothing, and their noise is too little to share: its graph is planned for a twentieth in any case. */
const mostFewDropouts = 65_535;

/**
 * How the noise of mode `distributed` is shared, in each group's sum where there are groups.
 * @throws CestaError `privacy.invalid` for a cohort that the noise cannot be shared in.
 */
export function sharesOf({ privacy, cohort, robust }: Pick<TaskSpec, 'privacy' | 'cohort' | 'robust'>): SharedNoise {
  const sessions = sessionsOf({ robust });
  const { minParticipants, targetParticipants } = cohortOfSession(cohort, sessions);
  const where = sessions === 1 ? '' : ' / robust.groups';
  if (minParticipants < fewestParticipants) {
    throw new CestaError('privacy.invalid', `cohort.minParticipants: expected at least ${sessions * fewestParticipants} in mode distributed${sessions === 1 ? '' : ` with ${sessions} groups`}, got ${cohort.minParticipants}: with fewer, a sum hides too little and shares help nobody; mode local needs no other shop`);
  }
  const { colluding = Math.max(1, Math.floor(minParticipants / 10)) } = privacy;
  if (3 * colluding >= minParticipants) throw new CestaError('privacy.invalid', `privacy.colluding: expected less than a third of cohort.minParticipants${where}, ${minParticipants}, got ${colluding}`);
  // Every dropout that is made up for is one more vector of noise for each shop to draw.
  const usual = minParticipants > mostFewDropouts ? Math.floor(minParticipants / 20) : Math.min(mostUsualTolerated, Math.max(1, Math.floor(targetParticipants / 5)));
  const { tolerated = Math.max(0, Math.min(usual, minParticipants - colluding - 1)) } = privacy;
  if (tolerated + colluding >= minParticipants) {
    throw new CestaError('privacy.invalid', `cohort.minParticipants${where}: expected more than tolerated and colluding together, ${tolerated} + ${colluding}, got ${minParticipants}`);
  }
  return { tolerated, colluding };
}
