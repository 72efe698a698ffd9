/**
 * All attacks on one channel: shoppers to practise on, then victims, whose views the attacker scores. The attacker
 * knows the plan, the catalogue and how popular items are among all other shoppers; its success is measured beside
 * what that alone would give.
 */
import { seededRandom, type RandomWords, uniformBelow } from '../../numerics/random.ts';
import { average } from '../metrics.ts';
import { topK } from '../../ranking/top-k.ts';
import type { EvidenceReader } from './item-evidence.ts';
import { areaUnderCurve, f1Score, measuredAdvantage, measuredArea, measuredMean, type Measured } from './measures.ts';
import { exclusiveCoordinates, membershipScore, subtractionScore } from './membership.ts';
import { trainShadowAttack, type ShadowAttack } from './shadow-attack.ts';
import { expectOthers, populationOf, type Channel, type Expectation, type GridVector } from './views.ts';

/** A shopper as the suite needs it: what is sent, and what an attacker wants to know. */
export interface Subject {
  readonly vector: GridVector;
  /** Distinct items, ascending. */
  readonly touched: Int32Array;
}

export interface Cast {
  readonly victims: readonly Subject[];
  /** Whom the attacker practises on. */
  readonly shadows: readonly Subject[];
  /** Everybody else: the other participants of a sum, and what the attacker knows of shoppers in general. */
  readonly others: readonly Subject[];
}

export interface AttackFindings {
  /** Row change: precision among the first min(20, items of the victim), over the prior's. */
  readonly rowAdvantage: Measured;
  readonly rowPrecision: number;
  readonly priorPrecision: number;
  /** Touched items against all others. */
  readonly rowArea: Measured;
  readonly priorArea: number;
  /** Touched items against untouched ones of like popularity, by the signed change alone. */
  readonly signArea: Measured;
  /** The same items by all the evidence: which interactions are in the history. */
  readonly interactionArea: Measured;
  readonly interactionF1: Measured;
  /** Shoppers in the sum against shoppers not in it, by an attacker who knows the others in general, and one by one. */
  readonly memberArea: Measured;
  readonly subtractionArea: Measured;
}

const listLength = 20;
const strataCount = 8;

/**
 * @param participants Shoppers in a view, the victim among them.
 * @param seed Of cohorts, noise and negatives.
 */
export function attackChannel(channel: Channel, participants: number, reader: EvidenceReader, cast: Cast, seed: number): AttackFindings {
  const popularity = logOddsOf(cast.others, reader.items);
  const population = populationOf(cast.others.map(({ vector }) => vector), channel.length);
  const stage: Stage = { channel, reader, cast, popularity, random: seededRandom(seed, 'cohorts'), others: participants - 1, expected: expectOthers(population, participants - 1, channel) };
  const shadows = cast.shadows.map(({ vector, touched }, index) => ({ evidence: reader.read(channel.receive([vector, ...drawOthers(stage)], index), stage.expected), touched }));
  const attack = trainShadowAttack(shadows, { logOdds: popularity, strata: strataOf(popularity), strataCount });
  const outcomes = cast.victims.map((victim, index) => attackVictim(stage, attack, victim, cast.shadows.length + 2 * index));
  const over = (value: (outcome: VictimOutcome) => number): Float64Array => Float64Array.from(outcomes, value);
  return {
    rowAdvantage: measuredAdvantage(over(({ precision }) => precision), over(({ prior }) => prior)),
    rowPrecision: measuredMean(over(({ precision }) => precision)).value,
    priorPrecision: measuredMean(over(({ prior }) => prior)).value,
    rowArea: measuredMean(over(({ area }) => area)),
    priorArea: measuredMean(over(({ priorArea }) => priorArea)).value,
    signArea: measuredMean(over(({ signArea }) => signArea)),
    interactionArea: measuredMean(over(({ interactionArea }) => interactionArea)),
    interactionF1: measuredMean(over(({ interactionF1 }) => interactionF1)),
    memberArea: measuredArea(over(({ member }) => member.inside), over(({ member }) => member.outside)),
    subtractionArea: measuredArea(over(({ subtraction }) => subtraction.inside), over(({ subtraction }) => subtraction.outside)),
  };
}

/** What stays the same over the views of one channel. */
interface Stage {
  readonly channel: Channel;
  readonly reader: EvidenceReader;
  readonly cast: Cast;
  /** Log-odds of every item by its popularity. */
  readonly popularity: Float64Array;
  readonly random: RandomWords;
  /** Participants beside the victim. */
  readonly others: number;
  readonly expected: Expectation;
}

interface InAndOut {
  readonly inside: number;
  readonly outside: number;
}

interface VictimOutcome {
  readonly precision: number;
  readonly prior: number;
  readonly area: number;
  readonly priorArea: number;
  readonly signArea: number;
  readonly interactionArea: number;
  readonly interactionF1: number;
  readonly member: InAndOut;
  readonly subtraction: InAndOut;
}

/** One view with the victim in it, and one with somebody else in the victim's place. */
function attackVictim(stage: Stage, attack: ShadowAttack, { vector, touched }: Subject, stream: number): VictimOutcome {
  const { channel, reader, popularity, expected, random } = stage;
  const others = drawOthers(stage);
  const [impostor] = drawOthers({ ...stage, others: 1 });
  const view = channel.receive([vector, ...others], stream);
  const without = channel.receive([impostor, ...others], stream + 1);
  const evidence = reader.read(view, expected);
  const { likelihood, posterior } = attack.score(evidence);
  const [positives, negatives] = matchedItems(touched, popularity, random);
  const pick = (scores: Float64Array, items: readonly number[]): number[] => items.map((item) => scores[item]);
  return {
    precision: precisionOf(posterior, touched),
    prior: precisionOf(popularity, touched),
    area: itemArea(posterior, touched),
    priorArea: itemArea(popularity, touched),
    signArea: areaUnderCurve(pick(evidence[1], positives), pick(evidence[1], negatives)),
    interactionArea: areaUnderCurve(pick(likelihood, positives), pick(likelihood, negatives)),
    interactionF1: f1Score(pick(likelihood, positives), pick(likelihood, negatives), 0),
    member: { inside: membershipScore(view, vector, expected), outside: membershipScore(without, vector, expected) },
    subtraction: { inside: subtractionScore(view, vector, others), outside: subtractionScore(without, vector, [impostor, ...others]) },
  };
}

/** Distinct participants beside the victim, by a partial Fisher-Yates over positions. */
function drawOthers({ cast: { others }, others: count, random }: Pick<Stage, 'cast' | 'others' | 'random'>): GridVector[] {
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_, drawn) => {
    const at = drawn + uniformBelow(random, others.length - drawn);
    const chosen = moved.get(at) ?? at;
    moved.set(at, moved.get(drawn) ?? drawn);
    return others[chosen].vector;
  });
}

/** How much of a sum of so many participants speaks of one of them alone, by block: the mean over cohorts. */
export function exclusiveShares(participants: number, reader: EvidenceReader, cast: Cast, seed: number): Record<string, number> {
  const random = seededRandom(seed, 'exclusive');
  const cohorts = Array.from({ length: exclusiveCohorts }, () => drawOthers({ cast, others: participants, random }));
  return Object.fromEntries(reader.blocks.map(({ name, from, to }) => [name, average(cohorts.map((cohort) => exclusiveCoordinates(cohort, from, to).share))]));
}

const exclusiveCohorts = 20;

function logOddsOf(subjects: readonly Subject[], items: number): Float64Array {
  const counts = new Float64Array(items);
  for (const { touched } of subjects) for (const item of touched) counts[item] += 1;
  return counts.map((count) => Math.log((count + 0.5) / (subjects.length - count + 0.5)));
}

/** Groups of items, rarest first, that hold equally many of all purchases: touched items are spread over all of them. */
function strataOf(popularity: Float64Array): Int32Array {
  const order = Array.from(popularity.keys()).sort((a, b) => popularity[a] - popularity[b] || a - b);
  const weights = popularity.map((logOdds) => 1 / (1 + Math.exp(-logOdds)));
  const total = weights.reduce((sum, value) => sum + value, 0);
  const strata = new Int32Array(popularity.length);
  let passed = 0;
  for (const item of order) {
    strata[item] = Math.min(strataCount - 1, Math.floor((strataCount * passed) / total));
    passed += weights[item];
  }
  return strata;
}

function precisionOf(scores: Float64Array, touched: Int32Array): number {
  const wanted = new Set(touched);
  const length = Math.min(listLength, touched.length);
  return topK(Float32Array.from(scores), length).filter((item) => wanted.has(item)).length / length;
}

function itemArea(scores: Float64Array, touched: Int32Array): number {
  const wanted = new Set(touched);
  return areaUnderCurve(Float64Array.from(touched, (item) => scores[item]), scores.filter((_, item) => !wanted.has(item)));
}

/** How far away in the order of popularity a matched item may be. */
const matchReach = 20;

/** Some touched items, and as many untouched ones of like popularity: popularity says nothing between them. */
function matchedItems(touched: Int32Array, popularity: Float64Array, random: RandomWords): [positives: number[], negatives: number[]] {
  const taken = new Set(touched);
  const order = Array.from(popularity.keys()).sort((a, b) => popularity[a] - popularity[b] || a - b);
  const rank = new Map(order.map((item, position) => [item, position]));
  const positives: number[] = [];
  const negatives: number[] = [];
  for (const item of touched) {
    if (positives.length === listLength) break;
    const centre = rank.get(item) ?? 0;
    const near = order.slice(Math.max(0, centre - matchReach), centre + matchReach + 1).filter((other) => !taken.has(other));
    if (near.length === 0) continue;
    const match = near[uniformBelow(random, near.length)];
    taken.add(match);
    positives.push(item);
    negatives.push(match);
  }
  return [positives, negatives];
}
