/**
 * Does the mechanism leak more than the ledger says? Canaries go into a simulated round of the real pipeline (model,
 * clip, grid, noise of a real plan) beside real shoppers; an attacker who knows all of these looks for them. Controls
 * with too little noise must be found out, and a release of nothing must show the plan's noise and no less.
 */
import { randomFillSync } from 'node:crypto';
import { readDataset } from '../../client/shop/read-data.ts';
import { simulatedToday, splitDataset } from '../evaluate.ts';
import { createAccumulator } from '../../shared/federation/accumulator.ts';
import { epsilonOfRounds } from '../../shared/federation/plan-cost.ts';
import { modelNorm, type Plan } from '../../shared/federation/plan.ts';
import { drawNoise } from '../../shared/federation/noise-shares.ts';
import { addDrawnNoise, startStatistic } from '../../shared/federation/statistic.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import { historyOf, type ShopperHistory } from '../../shared/commerce/history.ts';
import { secureRandom, seededRandom, uniform53 } from '../../shared/numerics/random.ts';
import { findCanaries, makeCanaries, provableEpsilon, type Canaries, type CanaryFindings } from '../../shared/privacy/canaries.ts';
import { emptySum } from '../../shared/privacy/clip.ts';
import { testNoise, type NoiseTest } from '../../shared/privacy/noise-test.ts';
import { skellamSampler } from '../../shared/privacy/skellam-sampler.ts';
import type { Clipped } from '../../shared/privacy/vectors.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { createModel, deploymentDefaults, parseModelKind } from '../../shared/recommender/registry.ts';

export interface PrivacyAuditOptions {
  readonly data: string;
  readonly model: string;
  readonly epsilon: number;
  readonly delta: number;
  readonly canaries: number;
  /** Repetitions with other coins and other noise; every one of them must stay below the claim. */
  readonly runs: number;
  readonly seed: number;
  /** Shops whose noise shares the variance test adds up. */
  readonly shops: number;
}

export interface AuditRow extends CanaryFindings {
  readonly name: string;
  /** Noise of this run over the plan's. */
  readonly noise: number;
  /** Whether the norm clip works in this run. */
  readonly clip: boolean;
  readonly claimed: number;
  /** Whether the attacker refuted the claim. */
  readonly refuted: boolean;
  readonly pass: boolean;
}

export interface NoiseRow extends NoiseTest {
  readonly name: string;
  /** Whether the test should pass it. */
  readonly expected: boolean;
}

export interface PrivacyAudit {
  readonly claimed: number;
  readonly delta: number;
  readonly canaries: number;
  /** The most that so many canaries could prove: a larger claim stands whatever the mechanism does. */
  readonly provable: number;
  /** How far a canary exceeds the clip norm before it is clipped; near 1 a clip that does nothing is not looked for. */
  readonly overshoot: number;
  readonly shoppers: number;
  readonly rows: readonly AuditRow[];
  readonly noise: readonly NoiseRow[];
  readonly pass: boolean;
}

/** @throws CestaError `model.unknown`, `privacy.invalid` and whatever reading the data may */
export async function auditPrivacy(options: PrivacyAuditOptions): Promise<PrivacyAudit> {
  const { data, model: kind, epsilon, delta, canaries: count, runs, seed, shops } = options;
  const dataset = await readDataset(data);
  const parts = splitDataset(dataset, 'last-basket');
  const modelKind = parseModelKind(kind);
  const model = createModel(modelKind, dataset.catalogue, deploymentDefaults(modelKind, { asOf: simulatedToday(parts) }));
  const plan = makePlan(auditTask(kind, epsilon, delta, parts.training.length + count), { model, catalogue: dataset.catalogue, roundNumber: 1, baseRelease: null });
  const claimed = epsilonOfRounds(plan, 1);
  if (claimed === null) throw new CestaError('internal', 'audit: expected a plan with a promise');
  const canaries = makeCanaries({ count, length: model.statisticLength(), norm: modelNorm(plan.bounds), rowCap: plan.bounds.rowCap });
  await model.prepare?.();
  const known = sumOf(plan, model, parts.training);
  const run = (name: string, fault: Fault, runSeed: number): AuditRow => {
    const findings = attack({ plan, model, known, canaries }, fault, runSeed);
    const refuted = findings.epsilonLowerBound > claimed;
    const isPlanned = fault.noise === 1 && fault.clip;
    return { name, ...fault, claimed, ...findings, refuted, pass: isPlanned ? !refuted : refuted };
  };
  const rows = [
    ...Array.from({ length: runs }, (_, index) => run(`as planned, run ${index + 1}`, { noise: 1, clip: true }, seed + index)),
    run('control: a quarter of the noise', { noise: 0.25, clip: true }, seed),
    run('control: no noise', { noise: 0, clip: true }, seed),
    ...(canaries.overshoot < leastOvershoot ? [] : [run('control: the norm clip does nothing', { noise: 1, clip: false }, seed)]),
  ];
  const noise = noiseRows(plan, shops);
  return {
    claimed,
    delta,
    canaries: count,
    provable: provableEpsilon(count, delta),
    overshoot: canaries.overshoot,
    shoppers: parts.training.length,
    rows,
    noise,
    pass: rows.every(({ pass }) => pass) && noise.every(({ pass, expected }) => pass === expected),
  };
}

/** Canaries that exceed the clip norm by less could not show a broken clip as surely as a quarter of the noise shows. */
const leastOvershoot = 3;

/** What is wrong on purpose in a control. */
interface Fault {
  readonly noise: number;
  readonly clip: boolean;
}

function auditTask(kind: string, epsilon: number, delta: number, shoppers: number) {
  return parseTaskSpec({
    name: 'audit',
    model: { kind },
    privacy: { mode: 'local', epsilon, delta },
    cohort: { minParticipants: 1, targetParticipants: 1, overSelection: 1 },
    deadlines: { recruitingMs: 1, trainingMs: 1 },
    maxShoppersPerShop: shoppers,
  });
}

function sumOf(plan: Plan, model: AnyFederatedModel, histories: readonly ShopperHistory[]): Clipped {
  const statistic = startStatistic(model, model.initial(), plan, seededRandom(0, 'audit rounding'));
  for (const history of histories) statistic.add(history);
  return statistic.finish();
}

interface Target {
  readonly plan: Plan;
  readonly model: AnyFederatedModel;
  /** The sum of all real shoppers, which the attacker knows. */
  readonly known: Clipped;
  readonly canaries: Canaries;
}

/** One release with canaries in it by a fair coin each, and what the attacker makes of it. */
function attack({ plan, model, known, canaries }: Target, fault: Fault, seed: number): CanaryFindings {
  const coins = seededRandom(seed, 'coins');
  const included = Array.from({ length: canaries.count }, () => uniform53(coins) < 0.5);
  const marked = included.flatMap((isIn, index) => (isIn ? [index] : []));
  let next = 0;
  // The canaries take the model's place, so that clip, grid and count are those of any shopper.
  const impostor: AnyFederatedModel = { ...model, contribute: (_params, _history, into) => canaries.contribute(marked[next++], into) };
  const sum = sumOf(fault.clip ? plan : withoutClip(plan), impostor, marked.map(() => historyOf([])));
  for (let i = 0; i < sum.length; i += 1) sum[i] += known[i];
  const released = withNoise(sum, plan, fault.noise, seed);
  for (let i = 0; i < released.length; i += 1) released[i] -= known[i];
  const accumulator = createAccumulator(plan);
  accumulator.add(released);
  const scores = canaries.scores(accumulator.decode().sum);
  return findCanaries(scores, included, plan.privacy.mode === 'local' ? plan.privacy.delta : 0);
}

/** The same grid, row cap, slots and noise, but contributions of any norm: what a build with a broken clip would sum. */
function withoutClip(plan: Plan): Plan {
  return { ...plan, bounds: { ...plan.bounds, clipNorm: null } };
}

/** The plan's noise as a shop adds it, or a fraction of it for a control. */
function withNoise(sum: Clipped, plan: Plan, factor: number, seed: number): Int32Array {
  if (factor === 1) return addDrawnNoise(sum, drawNoise(plan, 1, systemRandom()));
  if (factor === 0) return sum.slice();
  const noise = new Int32Array(sum.length);
  skellamSampler({ variance: noiseVariance(plan) * factor ** 2, kind: 'fast' }).fill(noise, seededRandom(seed, 'weak noise'));
  return noise.map((value, i) => value + sum[i]);
}

function systemRandom() {
  return secureRandom((bytes) => void randomFillSync(bytes));
}

function noiseVariance({ privacy, bounds }: Plan): number {
  return privacy.mode === 'none' ? 0 : (privacy.noiseStd * bounds.gridScale) ** 2;
}

const noiseSamples = 100_000;

/** Releases of nothing by so many shops: all there, some left, and half of the shares missing although all are counted. */
function noiseRows(plan: Plan, shops: number): NoiseRow[] {
  const zeros: Plan = { ...plan, statisticLength: noiseSamples };
  const random = systemRandom();
  const release = (shares: number): Int32Array => {
    const total = new Int32Array(noiseSamples);
    for (let share = 0; share < shares; share += 1) addDrawnNoise(emptySum(noiseSamples), drawNoise(zeros, 1, random)).forEach((value, i) => (total[i] += value));
    return total;
  };
  const dropouts = [...new Set([0, 1, Math.floor(shops / 4)])].filter((left) => left < shops);
  const variance = noiseVariance(plan);
  const expected = dropouts.map((left) => ({ name: `${shops} shops, ${left} left`, expected: true, ...testNoise(release(shops - left), variance * (shops - left)) }));
  return [...expected, { name: `control: ${shops} shops, half of the shares missing`, expected: false, ...testNoise(release(Math.floor(shops / 2)), variance * shops) }];
}
