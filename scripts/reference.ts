/**
 * Runs a file of reference cases through the privacy engine: published values and independently computed ones.
 * The rule that must never fail is soundness: a reported epsilon is never below the true one.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { epsilonOf } from '../shared/privacy/accounting/epsilon.ts';
import { noiseMultiplierFor } from '../shared/privacy/accounting/calibration.ts';
import { zcdpEpsilon, zcdpEpsilonSimple, zcdpGaussianEpsilon } from '../shared/privacy/accounting/conversions.ts';
import * as discrete from '../shared/privacy/accounting/discrete-gaussian.ts';
import type { GaussianEvent, PrivacyEvent } from '../shared/privacy/accounting/events.ts';
import { gaussianDelta, gaussianEpsilon, gaussianLogDelta, gaussianSigma } from '../shared/privacy/accounting/gaussian.ts';
import { laplaceRdp } from '../shared/privacy/accounting/laplace.ts';
import { rdpEpsilon } from '../shared/privacy/accounting/rdp.ts';
import { sampledGaussianLogDelta, sampledGaussianRdp } from '../shared/privacy/accounting/sampled-gaussian.ts';
import { integerSensitivity, skellamRdp, skellamReleaseEpsilon } from '../shared/privacy/accounting/skellam.ts';
import * as toeplitz from '../shared/privacy/accounting/toeplitz.ts';
import { restartedTreeRho, treeRho, treeSensitivitySquared } from '../shared/privacy/accounting/tree.ts';
import { nextClipNorm, valueNoiseMultiplier } from '../shared/privacy/adaptive-clip.ts';
import { membershipEpsilonLowerBound, oneRunEpsilonLowerBound, oneRunPValue } from '../shared/privacy/audit.ts';
import { heuristicScale, roundedNormBound } from '../shared/privacy/rounding.ts';
import { noiseShares, residualVariance, shortfallVariance } from '../shared/privacy/xnoise.ts';
import { CestaError } from '../shared/protocol/errors.ts';

/** One compared quantity. */
interface Check {
  readonly name: string;
  readonly expected: number;
  readonly got: number;
  readonly pass: boolean;
}

export interface ReferenceCase {
  readonly id: string;
  readonly kind: string;
  /** By quantity; one-sided limits are named `at least ...` and `at most ...`. */
  readonly expected: Readonly<Record<string, number>>;
  /** By quantity; `error` alone when the engine refused the case. */
  readonly got: Readonly<Record<string, number | string>>;
  readonly pass: boolean;
}

export interface ReferenceResult {
  readonly cases: readonly ReferenceCase[];
  readonly passed: number;
  readonly failed: number;
}

function near(name: string, expected: number, got: number, tolerance: number): Check {
  return { name, expected, got, pass: Math.abs(got - expected) <= tolerance * Math.abs(expected) };
}

function list(name: string, labels: readonly number[], expected: readonly number[], got: (label: number, index: number) => number, tolerance: number): Check[] {
  return labels.map((label, index) => near(`${name} at ${label}`, expected[index], got(label, index), tolerance));
}

const atLeast = (name: string, limit: number, got: number): Check => ({ name: `${name} at least`, expected: limit, got, pass: got >= limit });
const atMost = (name: string, limit: number, got: number): Check => ({ name: `${name} at most`, expected: limit, got, pass: got <= limit });

const number = z.number();
const numbers = z.array(number);
const optional = number.optional();

/** A kind of case: the fields it needs, and what to compare. */
interface Kind<Shape extends z.ZodRawShape> {
  readonly shape: Shape;
  readonly checks: (fields: z.infer<z.ZodObject<Shape>>) => Check[];
}

type Evaluator = (fields: unknown) => Check[];

/** Binds a kind's schema to its comparison; a case that lacks a field is an error of the file. */
function kind<Shape extends z.ZodRawShape>(shape: Shape, checks: Kind<Shape>['checks']): Evaluator {
  const schema = z.object(shape);
  return (fields) => checks(schema.parse(fields));
}

const tightFields = { delta: number, tight_eps: number, tight_abs_err: number, rdp_eps_exact: number, rdp_eps_google: optional };

function epsilonChecks(events: readonly PrivacyEvent[], fields: z.infer<z.ZodObject<typeof tightFields>>): Check[] {
  const { epsilon, rdp } = epsilonOf(events, fields.delta, { crossCheck: false });
  const commonOrders = rdpEpsilon(events, fields.delta, { refine: false }).epsilon;
  return [
    near('rdp_eps_exact', fields.rdp_eps_exact, commonOrders, 1e-7),
    ...(fields.rdp_eps_google === undefined ? [] : [atMost('rdp_eps', fields.rdp_eps_google * (1 + 1e-9), rdp)]),
    atLeast('eps', fields.tight_eps - fields.tight_abs_err, epsilon),
    atMost('eps', fields.tight_eps * 1.002 + fields.tight_abs_err, epsilon),
  ];
}

const gaussianEvent = (sampling: number, sigma: number, count: number): GaussianEvent => ({ kind: 'gaussian', sampling, sigma, count });

/** "2..128,256" as a list. */
function orderList(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [from, to = from] = range.split('..').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

const treeFields = { sigma: number, delta: number, rho: number, rdp_eps: number, exact_gauss_eps: number, cdp_eps: optional };

function treeChecks(rho: number, fields: z.infer<z.ZodObject<typeof treeFields>>): Check[] {
  return [
    near('rho', fields.rho, rho, 1e-12),
    near('rdp_eps', fields.rdp_eps, rdpEpsilon([{ kind: 'zcdp', rho, count: 1 }], fields.delta, { refine: false }).epsilon, 1e-9),
    ...(fields.cdp_eps === undefined ? [] : [near('cdp_eps', fields.cdp_eps, zcdpEpsilon(rho, fields.delta), 1e-6)]),
    near('exact_gauss_eps', fields.exact_gauss_eps, zcdpGaussianEpsilon(rho, fields.delta), 1e-9),
  ];
}

const kinds: Readonly<Record<string, Evaluator>> = {
  subsampled_gaussian: kind({ q: number, sigma: number, T: number, ...tightFields }, (c) => epsilonChecks([gaussianEvent(c.q, c.sigma, c.T)], c)),
  heterogeneous_subsampled_gaussian: kind({ parts: z.array(z.object({ q: number, sigma: number, T: number })), ...tightFields },
    (c) => epsilonChecks(c.parts.map((part) => gaussianEvent(part.q, part.sigma, part.T)), c)),
  rdp_subsampled_gaussian: kind({ q: number, sigma: number, orders: numbers, rdp: numbers },
    (c) => list('rdp', c.orders, c.rdp, (order) => sampledGaussianRdp(order, { sampling: c.q, sigma: c.sigma }), 1e-9)),
  subsampled_gaussian_single_step_delta: kind({ q: number, sigma: number, eps: number, delta_remove: number, delta_add: number }, (c) => {
    const mechanism = { sampling: c.q, sigma: c.sigma };
    return [
      near('delta_remove', c.delta_remove, Math.exp(sampledGaussianLogDelta('remove', c.eps, mechanism)), 1e-9),
      near('delta_add', c.delta_add, Math.exp(sampledGaussianLogDelta('add', c.eps, mechanism)), 1e-9),
    ];
  }),
  analytic_gaussian_eps: kind({ sigma: number, delta: number, eps: number }, (c) => [near('eps', c.eps, gaussianEpsilon(c), 1e-9)]),
  analytic_gaussian_sigma: kind({ eps: number, delta: number, sigma: number },
    (c) => [near('sigma', c.sigma, gaussianSigma({ epsilon: c.eps, delta: c.delta }), 1e-9)]),
  analytic_gaussian_delta: kind({ sigma: number, eps: number, delta: number, log_delta: number }, (c) => [
    near('delta', c.delta, gaussianDelta({ sigma: c.sigma, epsilon: c.eps }), 1e-9),
    near('log_delta', c.log_delta, gaussianLogDelta({ sigma: c.sigma, epsilon: c.eps }), 1e-9),
  ]),
  calibrate_subsampled_gaussian: kind({ q: number, T: number, eps: number, delta: number, sigma_rdp: number, sigma_tight: number }, (c) => {
    const target = { epsilon: c.eps, delta: c.delta, rounds: c.T, sampling: c.q };
    return [near('sigma_rdp', c.sigma_rdp, noiseMultiplierFor(target, 'rdp'), 1e-3), near('sigma_tight', c.sigma_tight, noiseMultiplierFor(target), 1e-4)];
  }),
  laplace: kind({ b_over_l1sens: number, T: number, delta: number, orders: numbers, rdp_per_step: numbers, rdp_eps: number, exact_eps: optional }, (c) => {
    const events: PrivacyEvent[] = [{ kind: 'laplace', scale: c.b_over_l1sens, count: c.T }];
    const { epsilon } = epsilonOf(events, c.delta, { crossCheck: false });
    return [
      ...list('rdp', c.orders, c.rdp_per_step, (order) => laplaceRdp(order, c.b_over_l1sens), 1e-9),
      near('rdp_eps', c.rdp_eps, rdpEpsilon(events, c.delta, { refine: false }).epsilon, 1e-9),
      atMost('eps', c.rdp_eps, epsilon),
      ...(c.exact_eps === undefined ? [] : [atLeast('eps', c.exact_eps * (1 - 1e-12), epsilon), near('exact_eps', c.exact_eps, epsilon, 1e-9)]),
    ];
  }),
  discrete_gaussian_1d: kind({ sigma2: number, sens: number, eps: number, delta: number, rho: number, norm_const: number, variance: number }, (c) => [
    near('delta', c.delta, discrete.discreteGaussianDelta({ variance: c.sigma2, sensitivity: c.sens, epsilon: c.eps }), 1e-9),
    near('rho', c.rho, discrete.discreteGaussianRho(c.sens, c.sigma2), 1e-9),
    near('norm_const', c.norm_const, discrete.discreteGaussianNormaliser(c.sigma2), 1e-9),
    near('variance', c.variance, discrete.discreteGaussianVariance(c.sigma2), 1e-9),
  ]),
  distributed_skellam: kind({
    l2_clip: number, num_clients: number, dim: number, scale: number, local_stddev: number, steps: number, q: number, delta: number, beta: number,
    rounded_l2_scaled: number, rounded_l1_scaled: number, orders: numbers, rdp_per_step_unsampled: numbers, eps: number, conversion_orders: z.string(),
  }, (c) => {
    const l2 = roundedNormBound(c.l2_clip * c.scale, c.dim, c.beta);
    const release = { ...integerSensitivity(l2, c.dim), variance: c.num_clients * (c.scale * c.local_stddev) ** 2 };
    const plan = { rounds: c.steps, delta: c.delta, sampling: c.q, orders: orderList(c.conversion_orders) };
    return [
      near('rounded_l2_scaled', c.rounded_l2_scaled, release.l2, 1e-9),
      near('rounded_l1_scaled', c.rounded_l1_scaled, release.l1, 1e-9),
      ...list('rdp', c.orders, c.rdp_per_step_unsampled, (order) => skellamRdp(order, release), 1e-9),
      near('eps', c.eps, skellamReleaseEpsilon(release, plan).epsilon, 1e-9),
    ];
  }),
  distributed_discrete_gaussian: kind({
    l2_clip: number, num_clients: number, dim: number, gamma: number, local_stddev: number, steps: number, q: number, delta: number, beta: number,
    tau: number, rounded_l2: number, eps: number, conversion_orders: z.string(),
  }, (c) => {
    const sensitivity = integerSensitivity(roundedNormBound(c.l2_clip / c.gamma, c.dim, c.beta), c.dim);
    const localVariance = (c.local_stddev / c.gamma) ** 2;
    const plan = { rounds: c.steps, delta: c.delta, sampling: c.q, orders: orderList(c.conversion_orders) };
    return [
      near('tau', c.tau, discrete.discreteGaussianSumGap(c.num_clients, localVariance), 1e-9),
      near('rounded_l2', c.rounded_l2, sensitivity.l2 * c.gamma, 1e-12),
      near('eps', c.eps, discrete.distributedDiscreteGaussianEpsilon({ parties: c.num_clients, localVariance, length: c.dim, ...sensitivity }, plan).epsilon, 1e-9),
    ];
  }),
  heuristic_scale_factor: kind({ local_stddev: number, l2_clip: number, bits: number, num_clients: number, dim: number, k_stddevs: number, rho: number, scale: number }, (c) => [
    near('scale', c.scale, heuristicScale({
      vectors: c.num_clients, clipNorm: c.l2_clip, noiseStd: Math.sqrt(c.num_clients) * c.local_stddev, length: c.dim, bits: c.bits, deviations: c.k_stddevs, rho: c.rho,
    }), 1e-12),
  ]),
  rounded_norm_bound: kind({ l2: number, beta: number, dim: number, rounded_l2: number }, (c) => [near('rounded_l2', c.rounded_l2, roundedNormBound(c.l2, c.dim, c.beta), 1e-12)]),
  tree_aggregation_no_restart: kind({ total_steps: number, max_participation: number, min_separation: number, sensitivity_sq: number, ...treeFields }, (c) => {
    const participation = { rounds: c.total_steps, maxParticipations: c.max_participation, minSeparation: c.min_separation };
    return [near('sensitivity_sq', c.sensitivity_sq, treeSensitivitySquared(participation), 0), ...treeChecks(treeRho(participation, c.sigma), c)];
  }),
  tree_aggregation_restart_each_epoch: kind({ steps_list: numbers, ...treeFields }, (c) => treeChecks(restartedTreeRho(c.steps_list, c.sigma), c)),
  matrix_mechanism_toeplitz: kind({
    n: number, bands: number, min_sep: number, max_participations: number, sensitivity_sq: number, max_sq_error_unit_sigma: number, mean_sq_error_unit_sigma: number,
    total_max_rmse: number, total_mean_rmse: number, strategy_coefs_first8: numbers, inverse_coefs_first8: numbers, sigma_mult: number, delta: number, eps: number,
  }, (c) => {
    const coefficients = toeplitz.squareRootStrategy(c.n, c.bands === 0 ? c.n : c.bands);
    const inverse = toeplitz.inverseStrategy(coefficients);
    const square = toeplitz.toeplitzSensitivitySquared(coefficients, { period: c.min_sep, maxParticipations: c.max_participations });
    const error = toeplitz.prefixError(coefficients);
    const firstEight = c.strategy_coefs_first8.map((_, i) => i);
    return [
      near('sensitivity_sq', c.sensitivity_sq, square, 1e-12),
      near('max_sq_error', c.max_sq_error_unit_sigma, error.maxSquared, 1e-12),
      near('mean_sq_error', c.mean_sq_error_unit_sigma, error.meanSquared, 1e-12),
      near('total_max_rmse', c.total_max_rmse, Math.sqrt(error.maxSquared * square), 1e-12),
      near('total_mean_rmse', c.total_mean_rmse, Math.sqrt(error.meanSquared * square), 1e-12),
      ...list('strategy', firstEight, c.strategy_coefs_first8, (i) => coefficients[i], 1e-12),
      ...list('inverse', firstEight, c.inverse_coefs_first8, (i) => inverse[i], 1e-12),
      // sigma_mult is the noise over the whole sensitivity.
      near('eps', c.eps, gaussianEpsilon({ sigma: c.sigma_mult, delta: c.delta }), 1e-9),
    ];
  }),
  adaptive_clip_split: kind({ noise_multiplier: number, clipped_count_stddev: number, value_noise_multiplier: number }, (c) => [
    near('value_noise_multiplier', c.value_noise_multiplier, valueNoiseMultiplier({ noiseMultiplier: c.noise_multiplier, countStd: c.clipped_count_stddev }), 1e-12),
  ]),
  adaptive_clip_update: kind({ C0: number, target_quantile: number, lr: number, noisy_unclipped_fraction: numbers, clip_norms: numbers }, (c) => {
    let clipNorm = c.C0;
    return c.noisy_unclipped_fraction.map((noisyFraction, i) => {
      clipNorm = nextClipNorm({ clipNorm, noisyFraction, quantile: c.target_quantile, rate: c.lr });
      return near(`clip_norm ${i + 1}`, c.clip_norms[i + 1], clipNorm, 1e-12);
    });
  }),
  zcdp_to_dp: kind({ rho: number, delta: number, eps_simple: number, eps_tight_cks: number, eps_gaussian_exact: number }, (c) => [
    near('eps_simple', c.eps_simple, zcdpEpsilonSimple(c.rho, c.delta), 1e-12),
    near('eps_tight_cks', c.eps_tight_cks, zcdpEpsilon(c.rho, c.delta), 1e-6),
    near('eps_gaussian_exact', c.eps_gaussian_exact, zcdpGaussianEpsilon(c.rho, c.delta), 1e-9),
  ]),
  xnoise_simple: kind({ n: number, tolerated: number, dropped: number, central_sigma: number, component_variances: numbers, per_client_base_variance: number, resulting_central_variance: number, shortfall_variance_without_xnoise: number }, (c) => {
    const shares = noiseShares({ participants: c.n, tolerated: c.tolerated, centralVariance: c.central_sigma ** 2 });
    const largestFirst = [...shares.components].reverse();
    return [
      near('per_client_base_variance', c.per_client_base_variance, shares.base, 1e-12),
      ...list('component_variance', c.component_variances.map((_, i) => i), c.component_variances, (i) => largestFirst[i], 1e-12),
      near('resulting_central_variance', c.resulting_central_variance, residualVariance({ participants: c.n, shares, dropped: c.dropped }), 1e-12),
      near('shortfall_variance_without_xnoise', c.shortfall_variance_without_xnoise, shortfallVariance({ participants: c.n, shares, dropped: c.dropped }), 1e-12),
    ];
  }),
  one_run_audit: kind({ m: number, n_guess: number, n_correct: number, significance: number, delta: number, eps_lower: number, p_value_at_eps1: number }, (c) => {
    const audit = { canaries: c.m, guesses: c.n_guess, correct: c.n_correct, delta: c.delta };
    return [near('eps_lower', c.eps_lower, oneRunEpsilonLowerBound(audit, c.significance), 1e-6), near('p_value_at_eps1', c.p_value_at_eps1, oneRunPValue(audit, 1), 1e-6)];
  }),
  clopper_pearson_audit: kind({ n_in: number, n_out: number, tp: number, fp: number, significance: number, delta: number, tpr_lower: number, fpr_upper: number, eps_lower: number }, (c) => {
    const bound = membershipEpsilonLowerBound({ runsWith: c.n_in, truePositives: c.tp, runsWithout: c.n_out, falsePositives: c.fp, delta: c.delta }, c.significance);
    return [near('tpr_lower', c.tpr_lower, bound.tprLower, 1e-6), near('fpr_upper', c.fpr_upper, bound.fprUpper, 1e-6), near('eps_lower', c.eps_lower, bound.epsilon, 1e-6)];
  }),
};

const fileSchema = z.object({ cases: z.array(z.looseObject({ id: z.string(), kind: z.string() })).min(1) });

/**
 * Runs every case of a file `{ cases: [{ id, kind, ... }] }`.
 * @throws CestaError `data.not-found` or `data.unreadable`; a case of an unknown kind or without a field its kind needs
 * is an error of the file. A case that the engine refuses or gets wrong is a failed case.
 * @example
 * const { failed } = await runReference('test/vectors/dp-public.json');
 */
export async function runReference(path: string): Promise<ReferenceResult> {
  const cases = parseCases(path, await readText(path)).map(runCase);
  const passed = cases.filter((result) => result.pass).length;
  return { cases, passed, failed: cases.length - passed };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new CestaError(missing ? 'data.not-found' : 'data.unreadable', `${path}: expected a readable file of reference cases, got ${String(cause)}`, { cause });
  }
}

type RawCase = z.infer<typeof fileSchema>['cases'][number];

function parseCases(path: string, text: string): RawCase[] {
  try {
    const { cases } = fileSchema.parse(JSON.parse(text));
    return cases;
  } catch (cause) {
    throw new CestaError('data.unreadable', `${path}: expected { cases: [{ id, kind, ... }] }, got ${cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)}`, { cause });
  }
}

function runCase(fields: RawCase): ReferenceCase {
  const { id, kind: name } = fields;
  if (!Object.hasOwn(kinds, name)) throw new CestaError('data.unreadable', `case ${id}: expected one of ${Object.keys(kinds).join(', ')}, got ${name}`);
  try {
    const checks = kinds[name](fields);
    const by = (value: (check: Check) => number): Record<string, number> => Object.fromEntries(checks.map((check) => [check.name, value(check)]));
    return { id, kind: name, expected: by((check) => check.expected), got: by((check) => check.got), pass: checks.every((check) => check.pass) };
  } catch (cause) {
    if (cause instanceof z.ZodError) throw new CestaError('data.unreadable', `case ${id} (${name}): expected the fields of its kind, got ${z.prettifyError(cause)}`, { cause });
    if (!(cause instanceof CestaError)) throw cause;
    return { id, kind: name, expected: {}, got: { error: `${cause.code}: ${cause.message}` }, pass: false };
  }
}
