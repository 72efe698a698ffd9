/**
 * A simulated round at fidelity `sums`: who reports is decided by the coordinator's reducer in virtual time, contributions are
 * made, capped, clipped, put on the grid and summed by the code that participants run, and the sum is decoded by the code of the
 * coordinator. What is not run is what cancels or adds up exactly:
 *
 * * Masks cancel in the ring Z_2^32, so none are drawn; keys, shares and signatures protect nothing in one process.
 * * Shares of noise are independent Skellam draws, whose sum is one Skellam draw of the summed variance: see `noiseOfSum`, which
 *   also says why the removable noise of dropouts leaves exactly the planned variance.
 *
 * Seeded noise protects nobody: real orders stay in this process, and what comes out is for evaluation.
 */
import { sumMembers, trainMember, type Contributor, type MemberSum, type SumTerms } from '../../shared/evaluation/member-sums.ts';
import { noiseOfSum, simulatedNoise } from '../../shared/evaluation/simulated-noise.ts';
import { combineReports, dealShops, shopNoise } from '../../shared/evaluation/simulated-round.ts';
import { decodeSum, type DecodedSum } from '../../shared/federation/accumulator.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { emptySum } from '../../shared/privacy/clip.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import { addWords } from '../../shared/secagg/ring.ts';
import type { Member, SimulatedOutcome, SimulatedRoundInput } from '../../shared/simulation/round-outcome.ts';
import { runVirtualRound, type VirtualRound } from '../../shared/simulation/virtual-round.ts';
import type { SumPool } from './sum-pool.ts';
import { bytesOfRound } from './traffic.ts';

export type RunRound = (input: SimulatedRoundInput) => Promise<SimulatedOutcome>;

export interface SumsOptions {
  readonly pool: SumPool;
  /** One party adds the noise, once: the plan's share of each report is divided by their number. */
  readonly isCentral: boolean;
}

export function sumsRunner({ pool, isCentral }: SumsOptions): RunRound {
  return async (input) => {
    const { plan, members, seed } = input;
    const closed = runVirtualRound(plan, members, plan.robust?.groups === undefined ? null : (participants) => dealShops(plan, participants, seed));
    const { turnout } = closed;
    const reports = closed.kind === 'closed' ? closed.reported.length : closed.sent;
    const bytes = bytesOfRound(plan, { joined: turnout.joined, reports: reports + turnout.late });
    if (closed.kind === 'failed') return { kind: 'failed', code: closed.code, reason: closed.reason, traffic: { ...turnout, ...bytes, clipFraction: null } };
    const drawn = isCentral ? withCentralNoise(plan, reports) : plan;
    try {
      const { aggregate, owns, clipFraction } = await sumReports(pool, { ...input, plan: drawn }, closed);
      return { kind: 'summed', aggregate, reported: closed.reported.map(({ index }) => index), owns, traffic: { ...turnout, ...bytes, clipFraction } };
    } catch (thrown) {
      const error = toCestaError(thrown);
      // A rule that is left with too few rows; anything else is no round's affair.
      if (error.code !== 'round.failed') throw error;
      return { kind: 'failed', code: error.code, reason: error.message, traffic: { ...turnout, ...bytes, clipFraction: null } };
    }
  };
}

/** In mode `local` every report has all of the noise: an n-th of its variance in each of n is that of one. */
function withCentralNoise(plan: Plan, reports: number): Plan {
  if (plan.privacy.mode !== 'local') return plan;
  return { ...plan, privacy: { ...plan.privacy, noiseStd: plan.privacy.noiseStd / Math.sqrt(reports) } };
}

interface Summed {
  readonly aggregate: DecodedSum;
  readonly owns: ReadonlyMap<number, Float32Array>;
  readonly clipFraction: number | null;
}

async function sumReports(pool: SumPool, input: SimulatedRoundInput, { reported, roster, groups }: Extract<VirtualRound, { kind: 'closed' }>): Promise<Summed> {
  const { plan, seed } = input;
  await input.model.prepare?.();
  const noiseOf = (place: number): ReturnType<typeof shopNoise> => shopNoise(plan, reported[place].index, seed);
  if (plan.robust === undefined) {
    const { sum, clipFraction, owns } = await wholeSum(pool, input, reported);
    const noise = noiseOfSum(plan, { roster, reports: reported.length }, noiseOf);
    if (noise !== null) addWords(sum, noise, 1);
    return { aggregate: decodeSum(sum, plan, reported.length), owns, clipFraction };
  }
  const parts = await separateSums(input, reported);
  const skellam = simulatedNoise('skellam');
  const rosterOf = new Map(groups?.flatMap((group) => group.reports.map((place) => [place, group.roster] as const)));
  const aggregate = combineReports(plan, groups?.map((group) => group.reports) ?? null, reported.length, (place, survivors = 0) => {
    const report = parts[place].sum.slice();
    const among = rosterOf.get(place);
    const noise = skellam.next(plan, noiseOf(place), among, among === undefined ? 0 : among - survivors);
    if (noise !== null) addWords(report, noise, 1);
    return report;
  });
  return { aggregate, owns: new Map(), clipFraction: fractionOf(parts) };
}

/** One vector in memory, whatever the number of participants, where they need no vector of their own. */
async function wholeSum(pool: SumPool, input: SimulatedRoundInput, reported: readonly Member[]): Promise<{ sum: Int32Array; clipFraction: number | null; owns: ReadonlyMap<number, Float32Array> }> {
  const isSpoilt = ({ isMalicious }: Member): boolean => isMalicious && input.spoil !== undefined;
  const owns = new Map<number, Float32Array>();
  const terms = termsOf(input);
  const sum = emptySum(input.plan.statisticLength);
  if (input.plan.unit === 'shop') {
    for (const member of reported) addWords(sum, (await shopSum(input, member, owns)).sum, 1);
    return { sum, clipFraction: null, owns };
  }
  const contributors = reported.filter((member) => !isSpoilt(member)).map((member) => contributorOf(input, member));
  const isLocal = input.model.local !== undefined;
  const honest = isLocal ? sumMembers(terms, contributors) : await pool.sum(terms, contributors);
  addWords(sum, honest.sum, 1);
  for (const member of reported) if (isSpoilt(member)) addWords(sum, (await shopSum(input, member, owns)).sum, 1);
  return { sum, clipFraction: fractionOf([honest]), owns };
}

async function separateSums(input: SimulatedRoundInput, reported: readonly Member[]): Promise<MemberSum[]> {
  const parts: MemberSum[] = [];
  for (const member of reported) parts.push(await shopSum(input, member, new Map()));
  return parts;
}

/** What one participant reports but for its noise, spoilt where it is malicious. @param owns takes its new control variate */
export async function shopSum(input: SimulatedRoundInput, member: Member, owns: Map<number, Float32Array>): Promise<MemberSum> {
  const terms = termsOf(input);
  const contributor = contributorOf(input, member);
  const honest = await (async (): Promise<MemberSum> => {
    if (input.plan.unit !== 'shop') return sumMembers(terms, [contributor]);
    const { sum, own } = await trainMember(terms, contributor, input.base.owns?.get(member.index));
    if (own !== null) owns.set(member.index, own);
    return { sum, contributions: 0, shortened: 0 };
  })();
  return member.isMalicious && input.spoil !== undefined ? { ...honest, sum: input.spoil(honest.sum) as MemberSum['sum'] } : honest;
}

function termsOf({ plan, model, base, seed }: SimulatedRoundInput): SumTerms {
  return { plan, model, base, seed };
}

function contributorOf({ historiesOf }: SimulatedRoundInput, member: Member): Contributor {
  return { index: member.index, histories: historiesOf(member) };
}

/** Share of the contributions that the clip norm shortened; null without any. */
export function fractionOf(parts: readonly Pick<MemberSum, 'contributions' | 'shortened'>[]): number | null {
  const contributions = parts.reduce((sum, part) => sum + part.contributions, 0);
  return contributions === 0 ? null : parts.reduce((sum, part) => sum + part.shortened, 0) / contributions;
}
