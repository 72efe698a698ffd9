/**
 * What one simulated training is: data, population, clients, rounds, privacy. One scenario and one seed give one result, bit for
 * bit; an experiment is a set of scenarios. Whatever a scenario says is enforced by the simulation, or refused.
 */
import * as z from 'zod';
import { protocols } from '../evaluation/splits.ts';
import { robustRules, robustSchema } from '../federation/robust/rule.ts';
import { strategyKinds, strategySchema } from '../federation/strategies/strategy.ts';
import { canonicalJson } from '../protocol/canonical-json.ts';
import { CestaError } from '../protocol/errors.ts';
import { modelKinds } from '../recommender/federated-model.ts';

const positive = z.number().finite().positive();
const count = z.number().int().positive();
const share = z.number().min(0).lt(1);

/** Who there is. */
const populationSchema = z.strictObject({
  /** Virtual shoppers, each a bootstrap draw of a real one; null: the real shoppers, each once. */
  shoppers: count.max(10_000_000).nullable().default(null),
  shops: count.max(65_535).default(20),
  /** `hash`: shops alike; `country`: shops of one country each (the group of the data set); `dirichlet`: shops of different tastes. */
  partition: z.union([z.literal('hash'), z.literal('country'), z.strictObject({ dirichlet: positive })], { error: 'expected hash, country or { dirichlet: ALPHA } with ALPHA above 0' }).default('hash'),
  /** Of shops of virtual shoppers: about equal, or a few large and many small ones (size of rank r as 1 / r). */
  sizes: z.enum(['equal', 'zipf']).default('equal'),
  /** Of the real shoppers: so many of the shops have few shoppers with few orders, of at most so many training events together. */
  cold: z.strictObject({ shops: count.max(65_535), events: count }).optional(),
});

/** Who attacks, and how: what `cesta audit poisoning` knows. */
const maliciousSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  /** So many of the clients' shoppers are invented, with histories that push one unpopular item. */
  z.strictObject({ kind: z.literal('shoppers'), share: share }),
  /** So many participants report the largest in-bounds sum that pushes the item. */
  z.strictObject({ kind: z.literal('participants'), count: count }),
]);

/** Who takes part in a round, and how they behave. */
const clientsSchema = z.strictObject({
  /** A participant is a shop with all its shoppers, or one shopper. */
  are: z.enum(['shops', 'shoppers']).default('shops'),
  /** Participants wanted in a round; null: all. */
  perRound: count.max(10_000_000).nullable().default(null),
  overSelection: z.number().min(1).max(3).default(1),
  /** Fewer reports than this share of `perRound` fail the round. */
  quorum: z.number().gt(0).max(1).default(0.8),
  /** Probability that a participant leaves between the start of training and its report. */
  dropout: share.default(0),
  /** Probability that a participant takes ten times as long as others. */
  stragglers: share.default(0),
  /** `diurnal`: devices are there by night of their own time zone, mostly. */
  availability: z.enum(['always', 'diurnal']).default('always'),
  /** Virtual time that a round waits for reports. */
  deadlineSeconds: positive.default(600),
  malicious: maliciousSchema.default({ kind: 'none' }),
});

const privacySchema = z.strictObject({
  /** Of all rounds together; null (in TypeScript also Infinity): no noise. */
  epsilon: z.preprocess((value: number | 'Infinity' | null | undefined) => (value === Infinity || value === 'Infinity' ? null : value), positive.nullable()).default(3),
  delta: z.number().gt(0).lt(1).default(1e-5),
  /** L2 norm of a contribution; absent: the model's own bound. */
  clip: positive.optional(),
  /** `central` adds the noise once and exists in experiments only. */
  mode: z.enum(['central', 'local', 'distributed']).default('distributed'),
  /** Rate at which every shop samples its shoppers in secret. */
  sampling: z.number().gt(0).max(1).default(1),
  encoding: z.enum(['sparse', 'rotated']).optional(),
  adaptiveClip: z.boolean().default(false),
  /**
   * Noise as in a cohort of so many participants, scaled down to the cohort that is simulated: what a large federation would
   * get, at the cost of a small one. What is measured is then an estimate of that federation, and no release of this one.
   */
  noiseCohort: count.optional(),
});

/** `mean`, a robust rule or a strategy by name, with its defaults; or one of the latter two with its settings. */
const aggregateSchema = z.union([
  z.enum(['mean', ...robustRules, ...strategyKinds]),
  z.strictObject({ robust: robustSchema }),
  z.strictObject({ strategy: strategySchema }),
], { error: `expected one of mean, ${[...robustRules, ...strategyKinds].join(', ')}, or { robust } or { strategy } with settings` }).default('mean');

/** When rounds are, and what is known then. */
const scheduleSchema = z.discriminatedUnion('kind', [
  /** All training orders in every round. */
  z.strictObject({ kind: z.literal('at-once'), everySeconds: positive.default(3_600) }),
  /**
   * Rounds go through the time of the orders: each trains on what was bought before it, and its release is tested on what is bought
   * until the next round. With other `startDays` and `testDays` than the usual `everyDays`, calendars of different rounds are
   * tested alike: from the same day on, in steps of `testDays`, each asking for what is new to a shopper who has all before it.
   * With `tests: 'held-out'` each release is asked what the protocol holds out, the same after every round, and a result is that
   * of the last: what a year of rounds comes to.
   */
  z.strictObject({ kind: z.literal('calendar'), everyDays: positive.default(7), startDays: positive.optional(), testDays: positive.optional(), tests: z.enum(['following-days', 'held-out']).default('following-days') })
    .refine(({ tests, testDays }) => tests === 'following-days' || testDays === undefined, { path: ['testDays'], error: 'expected none with tests held-out' }),
]);

export const baselines = ['popularity', 'local-only', 'central'] as const;
export type Baseline = (typeof baselines)[number];

export const scenarioSchema = z.strictObject({
  data: z.string().min(1).default('online-retail'),
  protocol: z.enum(protocols).default('last-basket'),
  model: z.union([z.enum(modelKinds).transform((kind) => ({ kind, hyperParameters: {} })), z.strictObject({ kind: z.enum(modelKinds), hyperParameters: z.record(z.string(), z.json()).default({}) })], { error: `expected one of ${modelKinds.join(', ')}, or { kind, hyperParameters }` }).prefault('neighbours'),
  population: populationSchema.prefault({}),
  clients: clientsSchema.prefault({}),
  aggregate: aggregateSchema,
  /** Whose contribution is clipped and hidden. */
  unit: z.enum(['shopper', 'shop']).default('shopper'),
  weightedUpTo: count.optional(),
  privacy: privacySchema.prefault({}),
  rounds: count.max(10_000).default(1),
  schedule: scheduleSchema.prefault({ kind: 'at-once' }),
  /** Test after every so many rounds, and after the last. */
  evaluateEvery: count.default(1),
  /** Instead of a federation: what it is compared with, on the same split. */
  baseline: z.enum(baselines).optional(),
  /** `sums`: what participants send is summed where it is made; `messages`: every participant speaks the whole protocol. */
  fidelity: z.enum(['sums', 'messages']).default('sums'),
  seed: z.number().int().min(0).max(2 ** 31 - 1).default(1),
});

/**
 * With all defaults filled in.
 * @interface
 */
export type Scenario = Readonly<z.output<typeof scenarioSchema>>;
/**
 * As a file says it, with defaults left out.
 * @interface
 */
export type ScenarioInput = z.input<typeof scenarioSchema>;

/** The same for scenarios whose test cases are the same, as far as data of that name are. */
export function askedOf(scenario: Scenario): string {
  return canonicalJson([scenario.data, scenario.protocol, testedDays(scenario)]);
}

/** Whether every round is asked something else, so that a result is of all of them. */
export function asksFollowingDays({ schedule }: Pick<Scenario, 'schedule'>): boolean {
  return schedule.kind === 'calendar' && schedule.tests === 'following-days';
}

/** The days of a calendar that are tested, counted from the first order's, and in what steps; null where they do not matter. */
function testedDays({ schedule, rounds, evaluateEvery }: Pick<Scenario, 'schedule' | 'rounds' | 'evaluateEvery'>): Readonly<Record<string, number>> | null {
  if (schedule.kind !== 'calendar' || schedule.tests === 'held-out') return null;
  const { everyDays, startDays = everyDays, testDays = everyDays } = schedule;
  // Only where every round is tested, all days are, whatever the rounds.
  return { from: startDays, until: startDays + rounds * everyDays, step: testDays, ...(evaluateEvery === 1 ? {} : { everyDays, evaluateEvery }) };
}

/** The same for scenarios that one baseline can be compared with: tested on the same, and the last time trained on the same. */
export function baselineGroundOf(scenario: Scenario): string {
  const { schedule, rounds } = scenario;
  if (schedule.kind !== 'calendar' || schedule.tests !== 'held-out') return askedOf(scenario);
  const { everyDays, startDays = everyDays } = schedule;
  return canonicalJson([askedOf(scenario), Math.round((startDays + (rounds - 1) * everyDays) * 86_400)]);
}

/**
 * A scenario of what somebody wrote down, a {@link ScenarioInput}: checked, and with the defaults of what is left out.
 * @throws CestaError `config.invalid` naming the field
 */
export function parseScenario(value: unknown): Scenario {
  const parsed = scenarioSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('config.invalid', `scenario: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
