/** What is wrong with a scenario of an experiment file, by field: expected this, got that; for unknown fields, which one was meant. */
import * as z from 'zod';
import { CestaError } from '../../shared/protocol/errors.ts';
import { scenarioSchema } from '../../shared/simulation/scenario.ts';
import { editsBetween } from '../cli/config/closest.ts';
import { isPlainObject, valueAt } from './fields.ts';

type Issue = z.core.$ZodIssue;

/** The first thing that is wrong. */
export function scenarioError(error: z.ZodError, input: unknown): CestaError {
  // A field that nobody knows explains others that are missing.
  const all = error.issues.map((issue) => deepest(issue, input));
  const issue = all.find(({ code }) => code === 'unrecognized_keys') ?? all[0];
  if (issue.code === 'unrecognized_keys') return unknownField([...issue.path.map(String), issue.keys[0]], scenarioFields());
  const path = issue.path.map(String);
  return new CestaError('config.invalid', `${path.join('.')}: ${expectation(issue)}, got ${shown(valueAt(input, path))}`, { cause: error });
}

/** @param known dotted paths of all fields there are */
export function unknownField(path: readonly string[], known: readonly string[]): CestaError {
  const [parent, leaf] = split(path.join('.'));
  const [best] = known.map((field) => {
    const [elsewhere, name] = split(field);
    const edits = name.startsWith(leaf) || leaf.startsWith(name) ? Number(name !== leaf) : editsBetween(leaf, name);
    // A field of the same object is meant rather than one of another.
    return { field, distance: edits + (elsewhere === parent ? 0 : 2) };
  }).sort((a, b) => a.distance - b.distance);
  return new CestaError('config.invalid', `${path.join('.')}: expected a known field, got this one; the closest is ${best.field}`);
}

/** Where a field is, and its name, without regard to capitals. */
function split(field: string): readonly [parent: string, name: string] {
  const at = field.lastIndexOf('.');
  return [field.slice(0, Math.max(0, at)), field.slice(at + 1).toLowerCase()];
}

/** Of the alternatives of a union, the one whose shape the value has. */
function deepest(issue: Issue, input: unknown): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const branches = issue.errors.filter((issues) => issues.length > 0);
  const value = valueAt(input, issue.path.map(String));
  const shaped = isPlainObject(value) ? branches.find((issues) => issues.some(({ code, path }) => path.length > 0 || code === 'unrecognized_keys')) : undefined;
  if (shaped === undefined) return issue;
  const inner = shaped.map((nested) => deepest({ ...nested, path: [...issue.path, ...nested.path] }, input));
  return inner.find(({ code }) => code === 'unrecognized_keys') ?? inner[0];
}

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return `expected ${[...new Set(issue.errors.flat().map((nested) => expectation(nested).replace(/^expected /, '')))].join(' or ')}`;
  if (issue.code === 'invalid_value') return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
  // "Too small: expected number to be >0", "Invalid input: expected number, received string".
  return issue.message.replace(/^[^:]*: (?=expected)/, '').replace(/, received .*$/s, '');
}

function shown(value: unknown): string {
  return typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(value);
}

/** Dotted paths of all fields of a scenario that an experiment may set. */
export function scenarioFields(): readonly string[] {
  const schema: unknown = z.toJSONSchema(scenarioSchema, { io: 'input', unrepresentable: 'any' });
  return [...new Set(pathsOf(schema, ''))].filter((path) => path !== 'seed' && path !== 'baseline');
}

function pathsOf(schema: unknown, prefix: string): string[] {
  if (!isPlainObject(schema)) return [];
  const { properties, anyOf, oneOf } = schema;
  const own = isPlainObject(properties) ? Object.entries(properties).flatMap(([name, inner]) => [prefix + name, ...pathsOf(inner, `${prefix}${name}.`)]) : [];
  const others = [anyOf, oneOf].flatMap((list: unknown) => (Array.isArray(list) ? list.flatMap((inner) => pathsOf(inner, prefix)) : []));
  return [...own, ...others];
}
