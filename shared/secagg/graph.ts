/**
 * Who shares a mask with whom. Complete: everyone with everyone. Harary (Bell et al. 2020): participants stand on a
 * circle in an order that nobody could choose alone, and each is joined to the nearest on both sides. The order is a
 * Fisher-Yates shuffle by the AES-CTR stream of a seed that hashes everyone's nonce, committed to before it was opened.
 * Security: a coordinator can still try graphs by leaving participants out; the security bits must allow for it.
 */
import { shuffle } from '../numerics/random.ts';
import { invalid } from './bytes.ts';
import type { SecaggCrypto } from './crypto.ts';
import { seededWords } from './prg.ts';
import { mostPoints } from './shamir.ts';
import type { Terms } from './terms.ts';
import { completeThreshold, hararyParameters, type GraphParameters } from './thresholds.ts';

export type Graph =
  | { readonly kind: 'complete'; readonly participants: number; readonly threshold: number }
  | { readonly kind: 'harary'; readonly threshold: number; readonly degree: number; readonly order: readonly number[]; readonly places: readonly number[] };

export function completeGraph(participants: number): Graph {
  return { kind: 'complete', participants, threshold: completeThreshold(participants) };
}

export async function hararyGraph(crypto: SecaggCrypto, participants: number, { degree, threshold }: GraphParameters, seed: Uint8Array): Promise<Graph> {
  if (degree % 2 !== 0 || degree < 2 || degree >= participants) throw invalid('degree', `an even number in 2..${participants - 1}`, degree);
  const order = shuffle(Array.from({ length: participants }, (_, i) => i), await seededWords(crypto, seed, 2 * participants));
  const places = new Array<number>(participants);
  order.forEach((member, place) => (places[member] = place));
  return { kind: 'harary', threshold, degree, order, places };
}

/**
 * What the terms ask for at this size.
 * @throws CestaError `secagg.invalid` for a complete graph of more than the field of the shares has points for; like {@link hararyParameters}
 */
export function graphParameters({ graph }: Pick<Terms, 'graph'>, participants: number): GraphParameters {
  if (graph.kind === 'complete' && participants > mostPoints) throw invalid('participants', `at most ${mostPoints} in a complete graph`, participants);
  if (graph.kind === 'complete') return { degree: participants - 1, threshold: completeThreshold(participants) };
  return hararyParameters({ participants, ...graph, coordinator: 'lying' });
}

/** The neighbours of a member in rising order: never itself, and i is a neighbour of j where j is one of i. */
export function neighboursOf(graph: Graph, member: number): number[] {
  if (graph.kind === 'complete') return Array.from({ length: graph.participants }, (_, i) => i).filter((i) => i !== member);
  const { order, places, degree } = graph;
  const n = order.length;
  const neighbours: number[] = [];
  for (let step = 1; step <= degree / 2; step += 1) {
    neighbours.push(order[(places[member] + step) % n], order[(places[member] - step + n) % n]);
  }
  return neighbours.sort((a, b) => a - b);
}

/**
 * Where on a dealer's polynomials its neighbours' shares are: at their numbers, or their places among its neighbours where the
 * roster has more members than the field has points. A neighbour keeps one share of a secret, so distinct points are all it takes.
 * @param neighbours of one dealer, in rising order
 */
export function pointsOf(graph: Graph, neighbours: readonly number[]): number[] {
  const participants = graph.kind === 'complete' ? graph.participants : graph.order.length;
  return neighbours.map((neighbour, place) => (participants <= mostPoints ? neighbour : place) + 1);
}

/** Where `member` stands among the neighbours of `other`, in rising order: the place of its record in packed lists. */
export function placeAmongNeighbours(graph: Graph, other: number, member: number): number {
  if (graph.kind === 'complete') return member < other ? member : member - 1;
  return neighboursOf(graph, other).indexOf(member);
}
