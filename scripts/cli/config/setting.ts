/**
 * One setting of a verb: what it is called, what it takes, and how a text becomes such a value. Flags, variables and
 * files give their values to the same schema, so that none of them can say what another could not.
 */
import { InvalidArgumentError } from 'commander';
import { z } from 'zod';

export interface Setting<S extends z.ZodType = z.ZodType> {
  /** As commander takes it: `--port <n>`. */
  readonly flags: string;
  readonly help: string;
  /** What a value, or each of a list, has to be, after "expected". */
  readonly expected: string;
  readonly schema: S;
  /** A flag or a variable as a file would have it; what is no such value is left to the schema. */
  readonly fromText: (text: string) => unknown;
  /** The value, as a file would have it, where nothing is given; without it the setting may be absent. */
  readonly fallback?: () => unknown;
  /** May be given several times; a variable separates them by commas. */
  readonly isList: boolean;
  readonly isSwitch: boolean;
  /** How the value is shown to others, where that is not as it stands. */
  readonly redact?: (value: unknown) => unknown;
}

interface Words {
  readonly flags: string;
  readonly help: string;
}

const plain = { isList: false, isSwitch: false } as const;
export const asIs = (text: string): string => text;

export function text(flags: string, help: string, fallback: string): Setting<z.ZodString> {
  return { flags, help, expected: 'a text that is not empty', schema: z.string().min(1), fromText: asIs, fallback: () => fallback, ...plain };
}

export function choice<const T extends string>(flags: string, help: string, choices: readonly T[], fallback: NoInfer<T>): Setting<z.ZodType<T>> {
  return { flags, help: `${help} (choices: ${choices.join(', ')})`, expected: `one of ${choices.join(', ')}`, schema: z.enum(choices), fromText: asIs, fallback: () => fallback, ...plain };
}

/** Bounds of a number, ends included; `above` and `below` without theirs. */
interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
  readonly isWhole?: boolean;
}

export function number({ flags, help }: Words, bounds: Bounds, fallback: number): Setting<z.ZodNumber> {
  const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity, isWhole = false } = bounds;
  const base = z.number().min(min).max(max).gt(above).lt(below);
  return { flags, help, expected: describe(bounds), schema: isWhole ? base.int() : base, fromText: toNumber, fallback: () => fallback, ...plain };
}

function describe({ min, max, above, below, isWhole = false }: Bounds): string {
  const what = isWhole ? 'a whole number' : 'a number';
  if (min !== undefined && max !== undefined) return `${what} in ${min}..${max}`;
  if (above !== undefined && below !== undefined) return `${what} between ${above} and ${below}`;
  const least = above === undefined ? (min === undefined ? '' : `of at least ${min}`) : `above ${above}`;
  const most = below === undefined ? (max === undefined ? '' : `at most ${max}`) : `below ${below}`;
  return `${what} ${[least, most].filter((bound) => bound !== '').join(' and ')}`;
}

/** An empty text is no zero. */
function toNumber(text: string): unknown {
  return text.trim() === '' ? text : Number(text);
}

export function flag(flags: string, help: string): Setting<z.ZodBoolean> {
  const fromText = (text: string): unknown => (text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text);
  return { flags, help, expected: 'true or false', schema: z.boolean(), fromText, fallback: () => false, isList: false, isSwitch: true };
}

export function json<S extends z.ZodType>(flags: string, help: string, expected: string, schema: S): Setting<S> {
  return { flags, help, expected, schema, fromText: toJson, ...plain };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A text that a parser of command-line values understands. */
export function parsed<T>({ flags, help }: Words, expected: string, parse: (text: string) => T, fallback?: () => string): Setting<z.ZodType<T>> {
  return { flags, help, expected, schema: through(parse), fromText: asIs, ...(fallback === undefined ? {} : { fallback }), ...plain };
}

export function list<T>({ flags, help }: Words, expected: string, parse: (text: string) => T, fallback: readonly string[] = []): Setting<z.ZodType<readonly T[]>> {
  const split = (text: string): unknown => text.split(',').map((part) => part.trim());
  return { flags, help, expected, schema: z.array(through(parse)), fromText: split, fallback: () => fallback, isList: true, isSwitch: false };
}

function through<T>(parse: (text: string) => T): z.ZodType<T, string> {
  return z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** The same setting, absent unless it is given. */
export function optional<S extends z.ZodType>({ fallback: _none, ...setting }: Setting<S>): Setting<z.ZodOptional<S>> {
  return { ...setting, schema: setting.schema.optional() };
}

/** `tlsClientCa` for `--tls-client-ca <file>`. */
export function keyOf({ flags }: Pick<Setting, 'flags'>): string {
  return nameOf({ flags }).slice(2).replaceAll(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase());
}

/** `--tls-client-ca`. */
export function nameOf({ flags }: Pick<Setting, 'flags'>): string {
  return flags.split(' ', 1)[0];
}

/** `CESTA_TLS_CLIENT_CA`. */
export function variableOf(setting: Pick<Setting, 'flags'>): string {
  return `CESTA_${nameOf(setting).slice(2).replaceAll('-', '_').toUpperCase()}`;
}
