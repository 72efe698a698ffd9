/** Bytes that a real round takes: payloads of plans, reports, and of the shares that a masked session passes on. */
import { maskedTerms } from '../../shared/federation/masked-terms.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { sessionCohort, sessionsOf } from '../../shared/federation/session-cohort.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { graphParameters } from '../../shared/secagg/graph.ts';
import { bytesPerCoordinate } from '../../shared/secagg/ring.ts';
import { boxBytes, commitmentRowBytes } from '../../shared/secagg/sealed-share.ts';
import { componentsFor } from '../../shared/secagg/terms.ts';
import type { RoundTraffic } from '../../shared/simulation/round-outcome.ts';

/** An Ed25519 or X25519 key and a signature: what everybody on a roster is told of everybody it shares a mask with. */
const rosterEntryBytes = 32 + 32 + 64;

/**
 * An estimate from lengths: what `messages` counts, this does not send.
 * @param reports that were sent, in time or not
 */
export function bytesOfRound(plan: Plan, { joined, reports }: { readonly joined: number; readonly reports: number }): Pick<RoundTraffic, 'bytesUp' | 'bytesDown'> {
  const planBytes = new TextEncoder().encode(canonicalJson(plan)).length;
  const isMasked = plan.privacy.mode === 'distributed';
  const shareBytes = isMasked ? sharesOf(plan, joined) : 0;
  const reportBytes = plan.statisticLength * (isMasked ? bytesPerCoordinate(plan.bounds.modulusBits) : 4);
  return { bytesUp: joined * shareBytes + reports * reportBytes, bytesDown: joined * (planBytes + shareBytes) };
}

/** Shares that one participant deals, and is dealt. */
function sharesOf(plan: Plan, joined: number): number {
  const participants = Math.ceil(joined / sessionsOf(plan));
  if (plan.privacy.mode !== 'distributed' || participants < sessionCohort(plan).minParticipants) return 0;
  const { degree } = graphParameters(maskedTerms(plan, '0'.repeat(64)), participants);
  const components = componentsFor(plan.privacy);
  return degree * (boxBytes(components) + commitmentRowBytes(components) + rosterEntryBytes);
}
