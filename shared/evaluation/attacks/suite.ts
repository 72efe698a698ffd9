/**
 * All attacks on one channel: shoppers to practise on, then victims, whose views the attacker scores. The attacker
 * knows the plan, the catalogue and how popular items are among all other shoppers; its success is measured beside
 * what that alone would give.
 */
import { seededRandom, type RandomWords, uniformBelow } from '../../numerics/random.ts';
import { average } from '../metrics.ts';
import { topK } from '../../ranking/top-k.ts';
import type { EvidenceReader } from './item-evidence.ts';
import { linkageScores } from './linkage.ts';
import { areaUnderCurve, f1Score, measuredAdvantage, measuredArea, measuredMean, type Measured } from './measures.ts';
import { exclusiveCoordinates, membershipScore, subtractionScore } from './membership.ts';
import { trainShadowAttack, type Shadow, type ShadowAttack } from './shadow-attack.ts';
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
  /** Row change by an attacker who knows one of the victim's items and looks for the others. */
  readonly linkedAdvantage: Measured;
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
  const order = Array.from(popularity.keys()).sort((a, b) => popularity[a] - popularity[b] || a - b);
  const population = populationOf(cast.others.map(({ vector }) => vector), channel.length);
  const stage: Stage = { channel, reader, cast, popularity, order, random: seededRandom(seed, 'cohorts'), others: participants - 1, expected: expectOthers(population, participants - 1, channel) };
  const shadows = practise(stage);
  const attack = trainShadowAttack(shadows, { logOdds: popularity, strata: strataOf(popularity, order), strataCount });
  const links = doesLinkageHelp(stage, attack, shadows);
  const outcomes = cast.victims.map((victim, index) => attackVictim(stage, { attack, links }, victim, cast.shadows.length + 2 * index));
  const over = (value: (outcome: VictimOutcome) => number): Float64Array => Float64Array.from(outcomes, value);
  return {
    rowAdvantage: measuredAdvantage(over(({ precision }) => precision), over(({ prior }) => prior)),
    rowPrecision: measuredMean(over(({ precision }) => precision)).value,
    priorPrecision: measuredMean(over(({ prior }) => prior)).value,
    rowArea: measuredMean(over(({ area }) => area)),
    priorArea: measuredMean(over(({ priorArea }) => priorArea)).value,
    linkedAdvantage: linkedAdvantage(outcomes),
    signArea: measuredMean(over(({ signArea }) => signArea)),
    interactionArea: measuredMean(over(({ interactionArea }) => interactionArea)),
    interactionF1: measuredMean(over(({ interactionF1 }) => interactionF1)),
    memberArea: measuredArea(over(({ member }) => member.inside), over(({ member }) => member.outside)),
    subtractionArea: measuredArea(over(({ subtraction }) => subtraction.inside), over(({ subtraction }) => subtraction.outside)),
  };
}

/** Views to practise on. */
interface PractisedView extends Shadow {
  readonly rows: Int32Array;
}

function practise(stage: Stage): PractisedView[] {
  return stage.cast.shadows.map(({ vector, touched }, index) => {
    const view = stage.channel.receive([vector, ...drawOthers(stage)], index);
    return { evidence: stage.reader.read(view, stage.expected), rows: rowsOf(view, stage.reader), touched };
  });
}

/** The items' own block of a view. */
function rowsOf(view: Int32Array, { blocks: [{ from, to }] }: EvidenceReader): Int32Array {
  return view.slice(from, to);
}

/** Whether sizes of entries helped on the practised views: under noise they say nothing, and would cost the attacker. */
function doesLinkageHelp(stage: Stage, attack: ShadowAttack, shadows: readonly PractisedView[]): boolean {
  const gains = shadows.filter(({ touched }) => touched.length > 1).map(({ evidence, rows, touched }) => {
    const { posterior } = attack.score(evidence);
    const known = touched[uniformBelow(stage.random, touched.length)];
    return precisionOf(linked(posterior, rows, known, stage.channel), touched, known) - precisionOf(posterior, touched, known);
  });
  return average(gains) > 0;
}

function linked(posterior: Float64Array, rows: Int32Array, known: number, { noiseStd, gridScale }: Channel): Float64Array {
  const doubts = linkageScores(rows, known, noiseStd * gridScale);
  return posterior.map((value, item) => value + doubts[item]);
}

/** What stays the same over the views of one channel. */
interface Stage {
  readonly channel: Channel;
  readonly reader: EvidenceReader;
  readonly cast: Cast;
  /** Log-odds of every item by its popularity. */
  readonly popularity: Float64Array;
  /** Items, rarest first. */
  readonly order: readonly number[];
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
  /** With one item known, of the others; undefined where there are none. */
  readonly linked: { readonly precision: number; readonly prior: number } | undefined;
  readonly area: number;
  readonly priorArea: number;
  readonly signArea: number;
  readonly interactionArea: number;
  readonly interactionF1: number;
  readonly member: InAndOut;
  readonly subtraction: InAndOut;
}

interface TrainedAttacks {
  readonly attack: ShadowAttack;
  readonly links: boolean;
}

function linkedAdvantage(outcomes: readonly VictimOutcome[]): Measured {
  const found = outcomes.flatMap(({ linked: outcome }) => (outcome === undefined ? [] : [outcome]));
  return measuredAdvantage(Float64Array.from(found, ({ precision }) => precision), Float64Array.from(found, ({ prior }) => prior));
}

/** One view with the victim in it, and one with somebody else in the victim's place. */
function attackVictim(stage: Stage, { attack, links }: TrainedAttacks, { vector, touched }: Subject, stream: number): VictimOutcome {
  const { channel, reader, popularity, order, expected, random } = stage;
  const others = drawOthers(stage);
  const [impostor] = drawOthers({ ...stage, others: 1 });
  const view = channel.receive([vector, ...others], stream);
  const without = channel.receive([impostor, ...others], stream + 1);
  const evidence = reader.read(view, expected);
  const { likelihood, posterior } = attack.score(evidence);
  const [positives, negatives] = matchedItems(touched, order, random);
  const known = touched[uniformBelow(random, touched.length)];
  const linkedPosterior = links ? linked(posterior, rowsOf(view, reader), known, channel) : posterior;
  const pick = (scores: Float64Array, items: readonly number[]): number[] => items.map((item) => scores[item]);
  return {
    precision: precisionOf(posterior, touched),
    prior: precisionOf(popularity, touched),
    linked: touched.length < 2 ? undefined : { precision: precisionOf(linkedPosterior, touched, known), prior: precisionOf(popularity, touched, known) },
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
function strataOf(popularity: Float64Array, order: readonly number[]): Int32Array {
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

/** @param known An item that is not asked for, since the attacker knows it. */
function precisionOf(scores: Float64Array, touched: Int32Array, known?: number): number {
  const wanted = new Set(touched);
  const excluded = new Uint8Array(scores.length);
  if (known !== undefined) {
    excluded[known] = 1;
    wanted.delete(known);
  }
  const length = Math.min(listLength, wanted.size);
  return topK(Float32Array.from(scores), length, excluded).filter((item) => wanted.has(item)).length / length;
}

function itemArea(scores: Float64Array, touched: Int32Array): number {
  const wanted = new Set(touched);
  return areaUnderCurve(Float64Array.from(touched, (item) => scores[item]), scores.filter((_, item) => !wanted.has(item)));
}

/** How far away in the order of popularity a matched item may be. */
const matchReach = 20;

/** Some touched items, and as many untouched ones of like popularity: popularity says nothing between them. */
function matchedItems(touched: Int32Array, order: readonly number[], random: RandomWords): [positives: number[], negatives: number[]] {
  const taken = new Set(touched);
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
