/**
 * A canary for releases: public probes are ranked under what is served and under a candidate, and an item that jumps into
 * lists where it was not before holds the candidate back until an operator has looked. Releases and probes are public, so
 * this costs no privacy; it needs no shop, and no shop can lie to it.
 * It does not find who pushed an item, what was pushed before the first release, nor what grows slowly enough or is shown
 * to few. It cannot tell a push from an item that truly became popular: that is for the operator.
 */
import * as z from 'zod';
import type { Catalogue } from '../commerce/catalogue.ts';
import { historyOf, type ShopperHistory } from '../commerce/history.ts';
import { seededRandom, shuffle } from '../numerics/random.ts';
import { topK } from '../ranking/top-k.ts';
import { excludedFor } from './evaluate-model.ts';
import type { ScoredRelease } from './release-scores.ts';

/**
 * The exposure of an item is the mean, over the lists of all probes, of 1 for the first place, .95 for the second and so on
 * to .05 for the twentieth: what comes and goes at the end of a list hardly counts. An item is alarming when its exposure is
 * more than `factor` times what it was, and more than `share` above it.
 * The defaults were set by honest rounds of `neighbours` alone: with a factor of 3, two releases of the embedded data that
 * have neither shopper nor noise in common differ by .006 without noise, by up to .024 at epsilon 3 under masks and by up to
 * .07 with all of the noise in every report; `cesta audit poisoning` measures it again. Where all see one list, as with
 * `popularity`, noise alone moves items by .2 to .9: there the limits have to be wider, or alarms are false.
 */
export const canarySchema = z.strictObject({
  factor: z.number().gt(1).max(1000).default(3),
  share: z.number().gt(0).lt(1).default(0.1),
});

export type CanarySpec = Readonly<z.output<typeof canarySchema>>;

/** Why a release is held back, as a journal keeps it; everybody may see it. */
export const canaryVerdictSchema = z.strictObject({
  probes: z.number().int().positive(),
  factor: z.number(),
  share: z.number(),
  /** By how much they jumped, largest first: at most {@link mostNamed}. Exposures. */
  items: z.array(z.strictObject({ item: z.string(), served: z.number(), candidate: z.number() })).min(1),
});

export type CanaryVerdict = Readonly<z.output<typeof canaryVerdictSchema>>;

/** Items that a verdict names. */
const mostNamed = 20;
/** Ranks of a list. */
const ranks = 20;
/** A probe scores all items: so many scores a release, however large the catalogue is, unless that were too few probes. */
const mostScores = 2 ** 23;
const fewestProbes = 200;
const mostProbes = 2000;
/** Items whose pairs are probes: what many shoppers have. */
const popularItems = 40;
/** Of the probes, at most: the others are single items. */
const pairPart = 0.25;
/** Probes between two pauses. */
const probesAtOnce = 16;

/**
 * Histories of one item each, and of pairs of items that the served release ranks first for somebody without a history.
 * @param seed something that nobody knows before the candidate is made, or a push could keep clear of the probes
 */
export function canaryProbes(served: ScoredRelease, items: number, seed: number): ShopperHistory[] {
  const probes = Math.max(fewestProbes, Math.min(mostProbes, Math.floor(mostScores / items)));
  const scores = new Float32Array(items);
  served.model.score(served.params, historyOf([]), scores);
  const popular = topK(scores, popularItems);
  const pairs = Array.from(popular).flatMap((first, index) => Array.from(popular.subarray(index + 1), (second) => [first, second]));
  const singles = Array.from({ length: items }, (_, item) => [item]);
  const random = seededRandom(seed, 'canary');
  const chosenPairs = shuffle(pairs, random).slice(0, Math.floor(probes * pairPart));
  return [...shuffle(singles, random).slice(0, probes - chosenPairs.length), ...chosenPairs].map((touched) => historyOf(touched.map((item, time) => ({ time, items: [item] }))));
}

/** The exposure of every item, between 0 and 1. @param pause awaited now and then: gives others their turn */
export async function exposures({ model, params }: ScoredRelease, probes: readonly ShopperHistory[], items: number, pause: () => Promise<unknown>): Promise<Float64Array> {
  const shown = new Float64Array(items);
  const scores = new Float32Array(items);
  const rankable = new Uint8Array(items).fill(1);
  for (const [index, probe] of probes.entries()) {
    if (index % probesAtOnce === 0) await pause();
    model.score(params, probe, scores);
    topK(scores, ranks, excludedFor(probe, rankable)).forEach((item, place) => {
      shown[item] += (ranks - place) / ranks;
    });
  }
  return shown.map((sum) => sum / probes.length);
}

/** Items that jumped, by how much, largest first. @param spec one may ask for less than the defaults to see what honest rounds do */
export function jumps(served: Float64Array, candidate: Float64Array, { factor, share }: CanarySpec): { readonly item: number; readonly served: number; readonly candidate: number }[] {
  return Array.from(candidate, (now, item) => ({ item, served: served[item], candidate: now }))
    .filter((jump) => jump.candidate > factor * jump.served && jump.candidate - jump.served > share)
    .sort((a, b) => b.candidate - b.served - (a.candidate - a.served) || a.item - b.item);
}

export interface CanaryOptions {
  readonly spec: CanarySpec;
  readonly catalogue: Pick<Catalogue, 'products'>;
  readonly seed: number;
  readonly pause: () => Promise<unknown>;
}

/** Null where nothing is alarming, or what is served is of another kind of model, which ranks otherwise as a matter of course. */
export async function askCanary(served: ScoredRelease, candidate: ScoredRelease, { spec, catalogue: { products }, seed, pause }: CanaryOptions): Promise<CanaryVerdict | null> {
  if (served.model.kind !== candidate.model.kind) return null;
  const probes = canaryProbes(served, products.length, seed);
  const before = await exposures(served, probes, products.length, pause);
  const after = await exposures(candidate, probes, products.length, pause);
  const found = jumps(before, after, spec);
  if (found.length === 0) return null;
  return { probes: probes.length, ...spec, items: found.slice(0, mostNamed).map((jump) => ({ ...jump, item: products[jump.item].id })) };
}
