/** From an experiment to its scenarios: the product of all sweeps in the order of the file, times the seeds, and the baselines. */
import { canonicalJson, type Json } from '../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { asksFollowingDays, baselineGroundOf, scenarioSchema, type Baseline, type Scenario } from '../../shared/simulation/scenario.ts';
import { scenarioError } from './field-errors.ts';
import { isPlainObject, isSweep, laidOver, withValueAt, type Fields } from './fields.ts';
import { labelOf } from './labels.ts';
import type { ParsedExperiment } from './parse.ts';
import type { Point } from './result.ts';

/** One scenario a seed. */
export interface PlannedCell {
  readonly point: Point;
  readonly label: string;
  readonly scenarios: readonly Scenario[];
}

export interface Expansion {
  readonly axes: readonly string[];
  readonly cells: readonly PlannedCell[];
  readonly baselines: Readonly<Partial<Record<Baseline, readonly Scenario[]>>>;
  /** Label of a cell or name of a baseline. */
  readonly comparedWith: string;
}

interface Axis {
  readonly path: string;
  readonly values: readonly Json[];
}

/** Of `variants`, which have no path of their own. */
const variantPath = 'variant';
const mostRuns = 10_000;
const noiseSettings: readonly string[] = ['clip', 'sampling', 'encoding', 'adaptiveClip', 'noiseCohort'];
/** Models that end at the same parameters whatever the seed, where nothing is private. */
const withoutDraws: readonly string[] = ['popularity', 'neighbours', 'ease', 'slist', 'item-knn'];

/** @throws CestaError `config.invalid` naming the field */
export function expand(experiment: ParsedExperiment): Expansion {
  const { variants } = experiment;
  const axes = [...(variants === undefined ? [] : [{ path: variantPath, values: Object.keys(variants) }]), ...axesOf(experiment.scenario, '')];
  const paths = axes.map(({ path }) => path);
  const points = axes.reduce<readonly Point[]>((rows, { path, values }) => rows.flatMap((row) => values.map((value) => ({ ...row, [path]: value }))), [{}]);
  const runs = points.length * experiment.seeds.length;
  if (runs > mostRuns) throw new CestaError('config.invalid', `experiment: expected at most ${mostRuns} runs, got ${runs} of ${points.length} points and ${experiment.seeds.length} seeds`);
  const cells = points.map((point): PlannedCell => {
    const fields = fieldsAt(experiment, point);
    const quiet = point['privacy.epsilon'] === null ? withoutNoiseSettings(fields, paths) : fields;
    const scenarios = experiment.seeds.map((seed) => scenarioOf(quiet, point, { seed }));
    return { point, label: labelOf(point) || labelOf({ model: scenarios[0].model.kind }), scenarios };
  });
  refuseTwins(cells);
  const baselines = Object.fromEntries(experiment.baselines.map((baseline) => [baseline, baselineOf(experiment, baseline, cells)]));
  return { axes: paths, cells, baselines, comparedWith: resolveCompared(experiment, cells) };
}

/** Before the point is set in it. */
function fieldsAt({ scenario, variants = {} }: ParsedExperiment, { [variantPath]: variant }: Point): Fields {
  return typeof variant === 'string' ? laidOver(scenario, variants[variant]) : scenario;
}

function axesOf(fields: Fields, prefix: string): readonly Axis[] {
  return Object.entries(fields).flatMap(([name, value]): readonly Axis[] => {
    const path = prefix + name;
    // Lists are values of hyper-parameters; anywhere else a field takes one value.
    const isList = Array.isArray(value) && !path.startsWith('model.hyperParameters.');
    if (!isSweep(value) && !isList) return isPlainObject(value) ? axesOf(value, `${path}.`) : [];
    const values = (isSweep(value) ? value.sweep : value) as readonly Json[];
    if (values.length === 0) throw new CestaError('config.invalid', `${path}: expected at least one value to sweep, got none`);
    return [{ path, values }];
  });
}

/**
 * The end of a frontier, where there is no noise: what says how noise is added has nothing to say there, and a scenario that says it
 * would be refused. A setting that is swept itself stays: whoever wants it against no noise is told.
 */
function withoutNoiseSettings({ privacy, ...fields }: Fields, axes: readonly string[]): Fields {
  if (!isPlainObject(privacy)) return fields;
  const kept = Object.entries(privacy).filter(([name]) => !noiseSettings.includes(name) || axes.includes(`privacy.${name}`));
  return { ...fields, privacy: Object.fromEntries(kept) };
}

function scenarioOf(fields: Fields, point: Point, extra: { readonly seed: number; readonly baseline?: Baseline }): Scenario {
  const input = { ...Object.entries(point).filter(([path]) => path !== variantPath).reduce((filled, [path, value]) => withValueAt(filled, path.split('.'), value), fields), ...extra };
  const parsed = scenarioSchema.safeParse(input);
  if (!parsed.success) throw scenarioError(parsed.error, input);
  return parsed.data;
}

/** Two cells of one scenario would be one run with two names. */
function refuseTwins(cells: readonly PlannedCell[]): void {
  const seen = new Map<string, string>();
  for (const { point, label, scenarios: [scenario] } of cells) {
    const key = canonicalJson(scenario);
    const twin = seen.get(key);
    if (twin !== undefined) throw new CestaError('config.invalid', `${Object.keys(point).join(', ')}: expected distinct values to sweep, got ${label} as well as ${twin}`);
    seen.set(key, label);
  }
}

/** A baseline has no rounds under privacy: what only these understand is left out, so that it is the same run whatever they say. */
function baselineOf(experiment: ParsedExperiment, baseline: Baseline, [{ point, scenarios }, ...rest]: readonly PlannedCell[]): readonly Scenario[] {
  const other = rest.find((cell) => baselineGroundOf(cell.scenarios[0]) !== baselineGroundOf(scenarios[0]));
  const swept = other === undefined ? undefined : Object.keys(point).find((path) => point[path] !== other.point[path]);
  if (swept !== undefined) throw new CestaError('config.invalid', `baselines: expected none where ${swept} is swept, since one baseline is trained and tested on one split, got ${baseline}`);
  const [seed, ...others] = experiment.seeds;
  const first = scenarioOf(fieldsAt(experiment, point), point, { seed, baseline });
  const { data, protocol, model, population, rounds, schedule, evaluateEvery } = first;
  const kept = { data, protocol, model, population, rounds, schedule, ...(asksFollowingDays(first) ? { evaluateEvery } : {}), privacy: { epsilon: null }, baseline };
  const isFixed = baseline === 'popularity' || (baseline === 'central' && withoutDraws.includes(model.kind));
  return [seed, ...(isFixed ? [] : others)].map((each) => scenarioOf(kept, {}, { seed: each }));
}

function resolveCompared({ comparedWith, baselines }: ParsedExperiment, cells: readonly PlannedCell[]): string {
  if (comparedWith === undefined) return baselines[0] ?? cells[0].label;
  const found = typeof comparedWith === 'string'
    ? [...baselines, ...cells.map(({ label }) => label)].find((label) => label === comparedWith)
    : cells.find(({ point }) => Object.entries(comparedWith).every(([path, value]) => Object.hasOwn(point, path) && canonicalJson(point[path]) === canonicalJson(value)))?.label;
  if (found === undefined) throw new CestaError('config.invalid', `comparedWith: expected one of ${[...baselines, ...cells.map(({ label }) => label)].join('; ')}, got ${JSON.stringify(comparedWith)}`);
  return found;
}
