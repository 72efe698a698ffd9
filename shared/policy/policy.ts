/**
 * The policy file `cesta.policy`: the red lines of an organisation, one a line, which code holds every start to. It says
 * what may be configured; it does not find out whether what is configured is wise.
 */
import type { eventSchema } from '../commerce/events.ts';
import { productSchema } from '../commerce/catalogue.ts';
import { privacyModes } from '../federation/plan.ts';
import { CestaError } from '../protocol/errors.ts';
import { jurisdictionNames, type JurisdictionName } from './jurisdictions.ts';

/** `none` can be allowed, too: a policy says so in words then. */
export type PolicyMode = (typeof privacyModes)[number];

export type Rule =
  /** Epsilon of a whole task, or the most a shop node spends; a mode without privacy has none that is small enough. */
  | { readonly kind: 'max-epsilon'; readonly value: number }
  | { readonly kind: 'max-delta'; readonly value: number }
  /** Participants that a sum is made of, at the least. */
  | { readonly kind: 'min-cohort'; readonly value: number }
  /** Age of the oldest events that a shop node uses. */
  | { readonly kind: 'max-retention-days'; readonly value: number }
  /** Products of it are in no catalogue that is published or trained on, so no shelf has them. */
  | { readonly kind: 'banned-category'; readonly value: string }
  /** No product may have it. */
  | { readonly kind: 'banned-field'; readonly value: ProductField }
  /** With one such line, those that are named and no other. */
  | { readonly kind: 'allowed-processor'; readonly value: string }
  | { readonly kind: 'allowed-mode'; readonly value: readonly PolicyMode[] }
  | { readonly kind: 'jurisdiction'; readonly value: JurisdictionName };

export type Directive = Rule & { readonly line: number };

export interface Policy {
  /** Name of the file, for messages. */
  readonly file: string;
  readonly directives: readonly Directive[];
}

export const productFields = (Object.keys(productSchema.shape) as (keyof typeof productSchema.shape)[]).filter((field): field is Exclude<keyof typeof productSchema.shape, 'id'> => field !== 'id');
export type ProductField = (typeof productFields)[number];

/** Fields of events that become a product's. */
const productFieldOf: Readonly<Record<string, ProductField>> = { item_name: 'title', item_category: 'category', item_brand: 'brand' } satisfies Partial<Record<keyof typeof eventSchema.shape, ProductField>>;

const mayRepeat: readonly Rule['kind'][] = ['banned-category', 'banned-field', 'allowed-processor'];

const parsers: { readonly [K in Rule['kind']]: (text: string) => Extract<Rule, { kind: K }>['value'] | null } = {
  'max-epsilon': (text) => numberIn(text, (value) => value > 0),
  'max-delta': (text) => numberIn(text, (value) => value > 0 && value < 1),
  'min-cohort': (text) => numberIn(text, (value) => Number.isInteger(value) && value >= 1),
  'max-retention-days': (text) => numberIn(text, (value) => Number.isInteger(value) && value >= 1),
  'banned-category': (text) => text,
  'banned-field': (text) => productFields.find((field) => field === (productFieldOf[text] ?? text)) ?? null,
  'allowed-processor': (text) => text,
  'allowed-mode': (text) => {
    const modes = text.split(',').map((part) => privacyModes.find((mode) => mode === part.trim()));
    return modes.every((mode) => mode !== undefined) ? modes : null;
  },
  jurisdiction: (text) => jurisdictionNames.find((name) => name === text) ?? null,
};

const expected: Readonly<Record<Rule['kind'], string>> = {
  'max-epsilon': 'a number above 0',
  'max-delta': 'a number between 0 and 1',
  'min-cohort': 'a whole number of at least 1',
  'max-retention-days': 'a whole number of at least 1',
  'banned-category': 'a category',
  'banned-field': `one of ${[...productFields, ...Object.keys(productFieldOf)].join(', ')}`,
  'allowed-processor': 'the name of a processor',
  'allowed-mode': `one or more of ${privacyModes.join(', ')}, separated by commas`,
  jurisdiction: `one of ${jurisdictionNames.join(', ')}`,
};

function numberIn(text: string, isRight: (value: number) => boolean): number | null {
  const value = Number(text);
  return Number.isFinite(value) && isRight(value) ? value : null;
}

function isKind(name: string): name is Rule['kind'] {
  return Object.hasOwn(parsers, name);
}

/**
 * Reads a policy file: a directive and its value a line; `#` and what follows it is a comment.
 * @throws CestaError `config.invalid` with the line: for what is no directive, or a value that it cannot have
 * @example
 * parsePolicy('cesta.policy', 'max-epsilon 3\nbanned-category alcohol # house rule').directives.length; // 2
 */
export function parsePolicy(file: string, text: string): Policy {
  const directives: Directive[] = [];
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = index + 1;
    const words = raw.replace(/(?:^|\s)#.*$/s, '').trim();
    if (words === '') return;
    const [, name, value] = /^(\S+)\s*(.*)$/s.exec(words) ?? [];
    const directive = { ...ruleOf(`${file}:${line}`, name, value), line };
    const before = directives.find(({ kind }) => kind === directive.kind);
    if (before !== undefined && !mayRepeat.includes(directive.kind)) throw new CestaError('config.invalid', `${file}:${line}: expected ${directive.kind} once, got it on line ${before.line} as well`);
    directives.push(directive);
  });
  return { file, directives };
}

function ruleOf(place: string, name: string, text: string): Rule {
  if (!isKind(name)) throw new CestaError('config.invalid', `${place}: expected one of ${Object.keys(parsers).join(', ')}, got ${JSON.stringify(name)}`);
  const value = text === '' ? null : parsers[name](text);
  if (value === null) throw new CestaError('config.invalid', `${place}: ${name}: expected ${expected[name]}, got ${JSON.stringify(text)}`);
  // The parser of a kind gives the value of that kind.
  return { kind: name, value } as Rule;
}

/** The directives of one kind. */
export function directivesOf<K extends Rule['kind']>({ directives }: Policy, kind: K): readonly Extract<Directive, { kind: K }>[] {
  return directives.filter((directive): directive is Extract<Directive, { kind: K }> => directive.kind === kind);
}
