/**
 * Where the value of a setting comes from: flags before variables, variables before the file, the file before what is
 * usual. Whatever is given is checked, even where a stronger source says otherwise, and what nobody knows is refused.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { closest } from './closest.ts';
import { variableOf, type Setting } from './setting.ts';

export type SettingTable = Readonly<Record<string, Setting>>;

export type ConfigOf<T extends SettingTable> = { readonly [K in keyof T]: z.output<T[K]['schema']> };

/** A value as it was given, and by whom: `flag --port`, `variable CESTA_PORT`, `file cesta.json`, `default`. */
export interface Sourced {
  readonly value: unknown;
  readonly source: string;
}

export interface Effective<T extends SettingTable> {
  readonly config: ConfigOf<T>;
  /** What is in force, with secrets blotted out; settings that are absent are not in it. */
  readonly shown: Readonly<Record<string, Sourced>>;
}

export interface Given {
  /** Texts, lists of texts and switches by key, as they were on the command line. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: string | undefined;
  /** Variables that other verbs, or the call itself, understand. */
  readonly otherVariables: readonly string[];
}

interface Layer {
  readonly source: (key: string) => string;
  readonly values: Readonly<Record<string, unknown>>;
}

const prefix = 'CESTA_';

/** @throws CestaError `config.invalid` naming the key, the variable or the file; `data.not-found` for a file that cannot be read. */
export function resolveSettings<T extends SettingTable>(table: T, { flags, env, file, otherVariables }: Given): Effective<T> {
  const layers: Layer[] = [
    { source: () => 'default', values: present(Object.entries(table).map(([key, { fallback }]) => [key, fallback?.()])) },
    ...(file === undefined ? [] : [fileLayer(table, file)]),
    variableLayer(table, env, otherVariables),
    { source: (key) => `flag --${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, values: present(Object.entries(table).map(([key, setting]) => [key, fromFlag(setting, flags[key])])) },
  ];
  for (const layer of layers) check(table, layer);
  const values = Object.assign({}, ...layers.map((layer) => layer.values)) as Record<string, unknown>;
  const shown = Object.fromEntries(Object.keys(table).filter((key) => key in values).map((key): [string, Sourced] => {
    const { redact = (value: unknown) => value } = table[key];
    const source = layers.findLast((layer) => key in layer.values)?.source(key) ?? 'default';
    return [key, { value: redact(values[key]), source }];
  }));
  return { config: z.strictObject(schemasOf(table)).parse(values) as ConfigOf<T>, shown };
}

function schemasOf(table: SettingTable): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(table).map(([key, { schema }]) => [key, schema]));
}

function present(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function fromFlag(setting: Setting, given: unknown): unknown {
  return typeof given === 'string' ? setting.fromText(given) : given;
}

function fileLayer(table: SettingTable, file: string): Layer {
  let values: unknown;
  try {
    values = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new CestaError('config.invalid', `${file}: expected JSON, got other text (${cause.message})`, { cause });
    throw new CestaError('data.not-found', `--config: expected a file that can be read, got ${file}`, { cause });
  }
  const object = z.record(z.string(), z.unknown()).safeParse(values);
  if (!object.success) throw new CestaError('config.invalid', `${file}: expected a JSON object, got ${kindOf(values)}`);
  const unknown = Object.keys(object.data).find((key) => !Object.hasOwn(table, key));
  if (unknown !== undefined) throw new CestaError('config.invalid', `${file}: expected known settings, got ${JSON.stringify(unknown)}; the closest is ${JSON.stringify(closest(unknown, Object.keys(table)))}`);
  return { source: () => `file ${file}`, values: object.data };
}

function variableLayer(table: SettingTable, env: Given['env'], others: readonly string[]): Layer {
  const keys = new Map(Object.entries(table).map(([key, setting]) => [variableOf(setting), key]));
  const given = Object.entries(env).filter(([name, value]) => name.startsWith(prefix) && value !== undefined && !others.includes(name));
  const unknown = given.find(([name]) => !keys.has(name));
  if (unknown !== undefined) throw new CestaError('config.invalid', `${unknown[0]}: expected known variables, got this one; the closest is ${closest(unknown[0], [...keys.keys(), ...others])}`);
  const values = present(given.map(([name, text]) => {
    const key = keys.get(name) ?? name;
    return [key, table[key].fromText(text ?? '')];
  }));
  return { source: (key) => `variable ${variableOf(table[key])}`, values };
}

function check(table: SettingTable, { source, values }: Layer): void {
  for (const [key, value] of Object.entries(values)) {
    const setting = table[key];
    if (setting.schema.safeParse(value).success) continue;
    const [kind, name = ''] = source(key).split(/ (.*)/s);
    const shown = setting.redact === undefined ? JSON.stringify(value) : 'another';
    // A flag at fault is a matter of usage, like one that nobody knows.
    throw new CestaError(kind === 'flag' ? 'usage.invalid' : 'config.invalid', `${kind === 'file' ? `${name}: ${key}` : name}: expected ${setting.isList ? 'a list, each ' : ''}${setting.expected}, got ${shown}`);
  }
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}
