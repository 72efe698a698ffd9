/** What a plan says to a masked session: both sides make the terms from the plan and the model they hold themselves. */
import { canonicalJson } from '../protocol/canonical-json.ts';
import { sha256Hex } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import { maxFrameBytes } from '../protocol/messages.ts';
import { smallestVariance } from '../privacy/skellam-sampler.ts';
import { graphParameters } from '../secagg/graph.ts';
import { protocolName } from '../secagg/labels.ts';
import { bytesPerCoordinate } from '../secagg/ring.ts';
import { rosterFrameBytes } from '../secagg/roster.ts';
import { boxBytes, commitmentRowBytes } from '../secagg/sealed-share.ts';
import { componentsFor, mostComponents, mostParticipants, parseTerms, type GroupTerms, type Terms } from '../secagg/terms.ts';
import { sharesIn } from './noise-shares.ts';
import { planHash, type Plan } from './plan.ts';
import { sessionCohort } from './session-cohort.ts';

/** Beyond this everyone sharing a mask with everyone costs more than neighbours on a random circle. */
const largestComplete = 200;

/** Bits of security of a random graph, with room for a coordinator that tries 2^20 of them. */
const graphSecurityBits = 60;
/** Fractions below these save nothing worth having. */
const leastFraction = 0.05;

/**
 * @param coordinatorKey the key that signs rosters and survivor sets: on the participants' side the pinned one
 * @param group where the plan has groups: the one whose session this is
 * @throws CestaError `secagg.invalid` for a plan in another mode than `distributed`.
 */
export function maskedTerms(plan: Plan, coordinatorKey: string, group?: GroupTerms): Terms {
  const { privacy, bounds, round, statisticLength } = plan;
  const cohort = sessionCohort(plan);
  if (privacy.mode !== 'distributed') throw new CestaError('secagg.invalid', `privacy.mode: expected distributed, got ${privacy.mode}`);
  return parseTerms({
    protocol: protocolName,
    round,
    planHash: planHash(plan),
    modelHash: modelHashOf(plan),
    coordinatorKey,
    length: statisticLength,
    modulusBits: bounds.modulusBits,
    minParticipants: cohort.minParticipants,
    graph: graphOf(privacy, cohort),
    noise: { tolerated: privacy.tolerated, ...(privacy.dropoutStep === undefined ? {} : { dropoutStep: privacy.dropoutStep }) },
    ...(group === undefined ? {} : { group }),
  });
}

type Cohort = ReturnType<typeof sessionCohort>;
type DistributedPrivacy = Extract<Plan['privacy'], { mode: 'distributed' }>;

function graphOf({ tolerated, colluding }: DistributedPrivacy, { minParticipants, maxParticipants }: Cohort): Terms['graph'] {
  if (maxParticipants <= largestComplete) return { kind: 'complete' };
  const fraction = (shops: number): number => Math.max(leastFraction, shops / minParticipants);
  return { kind: 'harary', corruptFraction: fraction(colluding), dropoutFraction: fraction(tolerated), securityBits: graphSecurityBits };
}

/**
 * Names the model that vectors are computed from by what it follows from: catalogue and base release are files that
 * each side checked against these very digests.
 */
function modelHashOf({ model, catalogueHash, baseRelease }: Plan): string {
  return sha256Hex(new TextEncoder().encode(canonicalJson({ model, catalogueHash, baseRelease })));
}

/** Room for everything in a masked report but its coordinates: header, signature, and a bit for each participant. */
const reportOverheadBytes = 4_096;

/** Words of the shortest and the longest frame with a masked report. */
export function maskedReportWords(plan: Plan): { readonly least: number; readonly most: number } {
  const { statisticLength, bounds } = plan;
  const vectorBytes = statisticLength * bytesPerCoordinate(bounds.modulusBits);
  return { least: Math.ceil(vectorBytes / 4), most: Math.ceil((vectorBytes + reportOverheadBytes + sessionCohort(plan).maxParticipants / 8) / 4) };
}

/** The longest control message, in bytes before Base 64 adds a third: what a frame of the connection holds, with room to spare. */
const longestMessage = 700_000;

/** What one participant deals to all of its neighbours, with so many components of removable noise. */
function dealtBytes(degree: number, components: number): number {
  return degree * (boxBytes(components) + commitmentRowBytes(components));
}

/** The smallest share of noise that somebody may have to draw, in squared grid steps. */
function leastShare(plan: Pick<Plan, 'privacy' | 'bounds'>, participants: number): number {
  const { base, components } = sharesIn(plan, participants);
  return Math.min(base, ...components);
}

/**
 * Protection with as many dropouts to a component of removable noise as were asked for: by default as many as
 * make the most components with which shares fit a frame and can be drawn. Every one more is a little more noise after dropouts,
 * and less work for everybody. Where none will do, {@link requireMaskable} says why.
 */
export function withDropoutStep<Protection extends Pick<Plan, 'privacy' | 'bounds'>>(protection: Protection, members: Parameters<typeof sessionCohort>[0], asked: number | undefined): Protection {
  const { privacy, bounds } = protection;
  if (privacy.mode !== 'distributed') return protection;
  const step = asked ?? smallestStep({ privacy, bounds }, sessionCohort(members));
  return step === 1 ? protection : { ...protection, privacy: { ...privacy, dropoutStep: step } };
}

function smallestStep({ privacy, bounds }: { readonly privacy: DistributedPrivacy; readonly bounds: Plan['bounds'] }, cohort: Cohort): number {
  const { tolerated } = privacy;
  const { degree } = graphParameters({ graph: graphOf(privacy, cohort) }, cohort.maxParticipants);
  for (let components = Math.min(mostComponents, tolerated); components > 1; components -= 1) {
    if (dealtBytes(degree, components) > longestMessage) continue;
    const step = Math.ceil(tolerated / components);
    if (leastShare({ privacy: { ...privacy, dropoutStep: step }, bounds }, cohort.maxParticipants) >= smallestVariance) return step;
  }
  return Math.max(1, tolerated);
}

/**
 * Whether a plan of mode `distributed` can be run at its largest: shares fit a frame, and every share of noise can be
 * drawn. Other modes pass. Not that everybody is sent the whole roster, which is another matter: {@link requireRosterFits}.
 * @throws CestaError `privacy.infeasible`
 */
export function requireMaskable(plan: Plan): void {
  const { privacy } = plan;
  if (privacy.mode !== 'distributed') return;
  const { maxParticipants } = sessionCohort(plan);
  if (maxParticipants > mostParticipants) throw new CestaError('privacy.infeasible', `cohort.maxParticipants: expected at most ${mostParticipants} in one masked sum, got ${maxParticipants}`);
  const { degree } = graphParameters(maskedTerms(plan, '0'.repeat(64)), maxParticipants);
  const bytes = dealtBytes(degree, componentsFor(privacy));
  if (bytes > longestMessage) throw new CestaError('privacy.infeasible', `privacy.tolerated: expected shares of at most ${longestMessage} bytes for ${degree} neighbours, got ${bytes}; plan for fewer dropouts or shops, or a larger privacy.dropoutStep`);
  const least = leastShare(plan, maxParticipants);
  if (least < smallestVariance) throw new CestaError('privacy.infeasible', `privacy.tolerated: expected shares of noise of variance at least ${smallestVariance} in grid steps, got ${least}; plan for fewer shops or shoppers, or for more dropouts to a component`);
}

/** Around a frame: type, round and sequence number. */
const envelopeBytes = 512;

/**
 * Whether the roster of a masked session fits the one frame, Base 64 in an envelope, in which everybody is sent all of it.
 * @throws CestaError `privacy.infeasible`
 */
export function requireRosterFits(ids: readonly string[]): void {
  const bytes = Math.ceil((rosterFrameBytes(ids) * 4) / 3) + envelopeBytes;
  if (bytes > maxFrameBytes) throw new CestaError('privacy.infeasible', `cohort: expected a roster of at most ${maxFrameBytes} bytes for one masked sum, got ${bytes} for ${ids.length} shops; invite fewer, or have groups of them`);
}
