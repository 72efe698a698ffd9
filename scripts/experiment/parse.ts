/**
 * An experiment from what a file says: `unknown` at first, then `--quick` and `--set` laid over it, then checked field by field.
 * The scenarios themselves are checked once they are expanded (expand.ts).
 */
import * as z from 'zod';
import { metricNames } from '../../shared/evaluation/scenario-metrics.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { baselines, scenarioSchema, type Baseline } from '../../shared/simulation/scenario.ts';
import { aggregateAliases } from './aliases.ts';
import { scenarioFields, unknownField } from './field-errors.ts';
import { isPlainObject, isSweep, laidOver, valueAt, withValueAt, type Fields } from './fields.ts';
import type { Point } from './result.ts';

export interface ParsedExperiment {
  readonly name: string;
  readonly question: string | undefined;
  readonly seeds: readonly number[];
  readonly metrics: readonly string[];
  readonly baselines: readonly Baseline[];
  readonly comparedWith: string | Point | undefined;
  /** By name, fields that belong together: laid over the scenario, one at a time. */
  readonly variants: Readonly<Record<string, Fields>> | undefined;
  /** Fields of a scenario in the order of the file, sweeps in them still. */
  readonly scenario: Fields;
}

export interface Overrides {
  /** Of the file: its name, unless the experiment says one. */
  readonly name?: string;
  readonly quick?: boolean;
  /** `path=value`: JSON, or else a text; a list sweeps. */
  readonly set?: readonly string[];
  readonly seeds?: readonly number[];
}

const distinct = <T extends z.ZodType>(schema: T): z.ZodArray<T> => z.array(schema).refine((values) => new Set(values).size === values.length, 'expected distinct values');

const termsSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected up to 64 letters, digits, dots, dashes and underscores').default('experiment'),
  question: z.string().min(1).optional(),
  seeds: distinct(z.number().int().min(0).max(2 ** 31 - 1)).min(1).default([1]),
  metrics: distinct(z.enum(metricNames)).min(1).default(['ndcg@10']),
  baselines: distinct(z.enum(baselines)).default([]),
  comparedWith: z.union([z.string().min(1), z.record(z.string(), z.json())]).optional(),
  variants: z.record(z.string().min(1), z.record(z.string(), z.unknown())).optional(),
});
const termNames = Object.keys(termsSchema.shape);
const topFields = Object.keys(scenarioSchema.shape).filter((name) => name !== 'seed' && name !== 'baseline');

/** @throws CestaError `config.invalid` naming the field */
export function parseExperiment(value: unknown, { name, quick = false, set = [], seeds }: Overrides = {}): ParsedExperiment {
  if (!isPlainObject(value)) throw new CestaError('config.invalid', `experiment: expected an object, got ${value === undefined ? 'nothing' : typeof value === 'function' ? 'a function' : JSON.stringify(value)}`);
  const { quick: overlay, ...given } = value;
  let fields: Fields = { ...(name === undefined ? {} : { name }), ...given };
  if (overlay !== undefined && !isPlainObject(overlay)) throw new CestaError('config.invalid', `quick: expected an object, got ${JSON.stringify(overlay)}`);
  if (quick) {
    if (overlay === undefined) throw new CestaError('config.invalid', 'quick: expected what --quick lays over the experiment, got nothing');
    fields = laidOver(fields, overlay);
  }
  for (const setting of set) fields = applySetting(fields, setting);
  if (seeds !== undefined) fields = { ...fields, seeds };
  // What is not laid over is checked as well: a mistake there would show on the day it is asked for.
  else if (overlay !== undefined && !quick) splitFields(laidOver(fields, overlay));
  return splitFields(fields);
}

function splitFields(fields: Fields): ParsedExperiment {
  const of = (isTerm: boolean): Fields => Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== undefined && termNames.includes(name) === isTerm));
  const stray = Object.keys(of(false)).find((name) => !topFields.includes(name));
  if (stray !== undefined) throw unknownField([stray], [...termNames, 'quick', ...scenarioFields()]);
  const terms = termsSchema.safeParse(of(true));
  if (!terms.success) {
    const [{ path, message }] = terms.error.issues;
    const got = JSON.stringify(fields[String(path[0])]);
    throw new CestaError('config.invalid', `${path.join('.')}: ${message.replace(/^[^:]*: (?=expected)/, '').replace(/, received .*$/s, '')}, got ${got}`, { cause: terms.error });
  }
  const { question, comparedWith, variants, ...rest } = terms.data;
  return { ...rest, question, comparedWith, variants: variants === undefined ? undefined : variantsOf(variants), scenario: plainTree(of(false), '') };
}

function variantsOf(variants: Readonly<Record<string, Fields>>): Readonly<Record<string, Fields>> {
  return Object.fromEntries(Object.entries(variants).map(([name, fields]) => {
    const stray = Object.keys(fields).find((field) => !topFields.includes(field));
    if (stray !== undefined) throw unknownField([stray], scenarioFields());
    return [name, plainTree(fields, '')];
  }));
}

function applySetting(fields: Fields, setting: string): Fields {
  const at = setting.indexOf('=');
  const path = setting.slice(0, at).trim();
  if (at < 1 || !/^[\w]+(\.[\w]+)*$/.test(path)) throw new CestaError('usage.invalid', `--set: expected path=value such as privacy.epsilon=1, got ${JSON.stringify(setting)}`);
  if (/^quick(\.|$)/.test(path)) throw new CestaError('usage.invalid', `--set: expected a field of the experiment, got ${path}; what --quick lays over is set without it, after --quick`);
  const value = valueOf(setting.slice(at + 1));
  // An object is laid under what the variants say of it, and heard where they say nothing.
  const variants = isPlainObject(fields['variants']) ? Object.values(fields['variants']) : [];
  const unheard = variants.length > 0 && !isPlainObject(value) && variants.every((variant) => valueAt(variant, path.split('.')) !== undefined);
  if (unheard) throw new CestaError('usage.invalid', `--set: expected a field that variants leave as it is, got ${path}, which each of them sets itself`);
  return withValueAt(fields, path.split('.'), value);
}

function valueOf(text: string): unknown {
  if (text === 'Infinity') return Infinity;
  try {
    // JSON has no infinity; in a list of epsilons it is the end of the frontier.
    return JSON.parse(text.replace(/(?<=[[,:]\s*)Infinity(?=\s*[\],}])/g, '"Infinity"')) as unknown;
  } catch (cause) {
    if (/^\s*[[{"]/.test(text)) throw new CestaError('usage.invalid', `--set: expected a text or JSON, whose texts are in quotes, such as '["mean","median"]', got ${text}`, { cause });
    return text;
  }
}

/** JSON alone, so that what is hashed is what was said: `Infinity` as epsilon is null, other spellings of a rule are its name. */
function plainTree(fields: Fields, prefix: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined).map(([name, value]) => [name, plain(value, prefix + name)]));
}

function plain(value: unknown, path: string): unknown {
  if (isSweep(value)) return { sweep: value.sweep.map((one) => plain(one, path)) };
  if (Array.isArray(value)) return value.map((one) => plain(one, path));
  if (isPlainObject(value)) return plainTree(value, `${path}.`);
  if (path === 'privacy.epsilon' && (value === Infinity || value === 'Infinity')) return null;
  if (path === 'aggregate' && typeof value === 'string' && Object.hasOwn(aggregateAliases, value)) return aggregateAliases[value as keyof typeof aggregateAliases];
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw new CestaError('config.invalid', `${path}: expected a value that JSON can carry, got ${typeof value === 'number' ? String(value) : typeof value}`);
}
