/**
 * Who dealt badly, told apart from who was only unlucky. Nobody honest is named while fewer participants are corrupt
 * than the thresholds allow for: a share counts against its dealer only where it is the one its dealer signed, and
 * complaints of boxes that do not open count once there are more of them than corrupt holders.
 * A dealer named here stays in the sum: its masks are in the vectors of others.
 */
import type { AggregatorStateOf, Blame, CollectingState } from './aggregator-state.ts';
import { neighboursOf, pointsOf, type Graph } from './graph.ts';
import { combineShares, type Share } from './shamir.ts';
import { slotName } from './sealed-share.ts';

/** What the aggregator found of the shares of one secret. */
export interface Recovered {
  /** Null where no shares give it back. */
  readonly secret: Uint8Array | null;
  /** Whether shares that the dealer signed are proof that it did not deal this secret to everybody. */
  readonly isMisdealt: boolean;
}

/** The shares of one secret that survivors revealed, each as its dealer signed it. */
export function sharesOf({ revealed, session: { graph } }: Pick<AggregatorStateOf<'unmask'>, 'revealed'> & { readonly session: { readonly graph: Graph } }, dealer: number, slot: number): Share[] {
  const holders = neighboursOf(graph, dealer);
  const points = pointsOf(graph, holders);
  const name = slotName(dealer, slot);
  return holders.flatMap((holder, place) => {
    const bytes = revealed.get(holder)?.shares.get(name);
    return bytes === undefined ? [] : [{ x: points[place], bytes }];
  });
}

/**
 * What the first and the last `threshold` shares give. Together these are all shares, so that an honest dealing gives
 * one secret twice.
 */
export function endsOf(shares: readonly Share[], threshold: number): Uint8Array[] {
  if (shares.length < threshold) return [];
  if (shares.length === threshold) return [combineShares(shares)];
  return [combineShares(shares.slice(0, threshold)), combineShares(shares.slice(-threshold))];
}

/** Dealers whose boxes did not open for more holders than can be lying about it, and who are not named yet. */
export function accusedDealers(state: CollectingState): Blame[] {
  if (state.kind !== 'masked' && state.kind !== 'confirm' && state.kind !== 'unmask') return [];
  const { session: { graph, roster }, dealings, reported, blamed } = state;
  const known = new Set(blamed.map(({ id }) => id));
  return [...dealings.keys()].flatMap((dealer): Blame[] => {
    const complaints = neighboursOf(graph, dealer).filter((holder) => reported.get(holder)?.has(dealer) === true).length;
    const { id } = roster.entries[dealer];
    if (complaints <= corruptHolders(graph) || known.has(id)) return [];
    return [{ id, stage: 'masked', code: 'secagg.invalid', message: `boxes of ${id}: expected to open for those they are addressed to, got ${complaints} that did not` }];
  });
}

/** How many holders of one member's shares may be corrupt, by 2 threshold > holders + corrupt. */
function corruptHolders(graph: Graph): number {
  return 2 * graph.threshold - (graph.kind === 'complete' ? graph.participants : graph.degree) - 1;
}
