/** Holds what a start would do against a policy: every line that is broken is named, with the reason. */
import type { Catalogue, Product } from '../commerce/catalogue.ts';
import { createCatalogue } from '../commerce/catalogue.ts';
import type { Plan } from '../federation/plan.ts';
import { cohortOfSession, sessionsOf } from '../federation/session-cohort.ts';
import type { TaskSpec } from '../federation/task.ts';
import { CestaError } from '../protocol/errors.ts';
import type { JurisdictionName } from './jurisdictions.ts';
import { directivesOf, productFields, type Directive, type Policy, type PolicyMode, type ProductField } from './policy.ts';

/** What is about to be done; a part that is absent is not decided by this start. */
export interface PolicyFacts {
  /** Infinity where nothing limits it. */
  readonly epsilon?: number;
  readonly delta?: number;
  /** Of the smallest sum that anybody sees: that of a group, where there are groups. */
  readonly minCohort?: number;
  /** Infinity where nothing ends it. */
  readonly retentionDays?: number;
  readonly fields?: readonly ProductField[];
  readonly categories?: readonly string[];
  readonly processors?: readonly string[];
  readonly mode?: PolicyMode;
  /** Null where none is set. */
  readonly jurisdiction?: JurisdictionName | null;
}

/** @throws CestaError `policy.violated` naming file, line and reason of each line that is broken */
export function enforcePolicy(policy: Policy, facts: PolicyFacts, subject: string): void {
  const reasons = violationsOf(policy, facts).map(({ line, reason }) => `${policy.file}:${line}: ${reason}`);
  if (reasons.length > 0) throw new CestaError('policy.violated', `${subject}: ${reasons.join('; ')}`);
}

export interface Violation {
  readonly line: number;
  readonly reason: string;
}

export function violationsOf(policy: Policy, facts: PolicyFacts): readonly Violation[] {
  return policy.directives.flatMap((directive): Violation[] => {
    const complaint = complaintOf(policy, directive, facts);
    return complaint === null ? [] : [{ line: directive.line, reason: `${directive.kind}: ${complaint}` }];
  });
}

function complaintOf(policy: Policy, directive: Directive, facts: PolicyFacts): string | null {
  switch (directive.kind) {
    case 'max-epsilon':
      return atMost('epsilon', directive.value, facts.epsilon);
    case 'max-delta':
      return atMost('delta', directive.value, facts.delta);
    case 'max-retention-days':
      return atMost('days of retention', directive.value, facts.retentionDays);
    case 'min-cohort':
      return facts.minCohort === undefined || facts.minCohort >= directive.value ? null : `expected sums of at least ${directive.value} participants, got ${facts.minCohort}`;
    case 'banned-category': {
      const found = facts.categories?.find((category) => isWithin(category, directive.value));
      return found === undefined ? null : `expected no product of ${JSON.stringify(directive.value)}, got some of ${JSON.stringify(found)}`;
    }
    case 'banned-field':
      return facts.fields?.includes(directive.value) === true ? `expected no product with ${directive.value}, got some` : null;
    case 'allowed-processor': {
      // The lines of a list are broken together: the first one speaks for them.
      const lines = directivesOf(policy, 'allowed-processor');
      const stranger = facts.processors?.find((name) => lines.every(({ value }) => value !== name));
      return stranger === undefined || lines[0].line !== directive.line ? null : `expected none but ${lines.map(({ value }) => value).join(', ')}, got ${stranger}`;
    }
    case 'allowed-mode':
      return facts.mode === undefined || directive.value.includes(facts.mode) ? null : `expected ${directive.value.join(' or ')}, got ${facts.mode}`;
    case 'jurisdiction':
      return facts.jurisdiction === undefined || facts.jurisdiction === directive.value ? null : `expected ${directive.value}, got ${facts.jurisdiction ?? 'none'}`;
    default:
      return directive satisfies never;
  }
}

function atMost(what: string, most: number, value: number | undefined): string | null {
  return value === undefined || value <= most ? null : `expected at most ${most} ${what}, got ${Number.isFinite(value) ? value : 'no limit'}`;
}

/** Of a task, whoever makes it. */
export function factsOfTask(task: TaskSpec): PolicyFacts {
  const { privacy: { mode, epsilon, delta } } = task;
  const isPrivate = mode !== 'none';
  return { mode, epsilon: isPrivate ? (epsilon ?? Infinity) : Infinity, delta: isPrivate ? (delta ?? 1) : 1, minCohort: smallestSum(task) };
}

/** What a plan decides that a shop does not: its own limits bound what it spends. */
export function factsOfPlan(plan: Plan): PolicyFacts {
  return { mode: plan.privacy.mode, minCohort: smallestSum(plan) };
}

function smallestSum(terms: Pick<TaskSpec | Plan, 'cohort' | 'robust'>): number {
  return cohortOfSession(terms.cohort, sessionsOf(terms)).minParticipants;
}

/** Of products that somebody gives or publishes. */
export function factsOfProducts(products: readonly Product[]): Required<Pick<PolicyFacts, 'fields' | 'categories'>> {
  return {
    // A title is always there; an empty one says nothing.
    fields: productFields.filter((field) => products.some((product) => (product[field] ?? '') !== '')),
    categories: [...new Set(products.flatMap(({ category }) => category ?? []))],
  };
}

/** Whether a category path has the banned one as a level, or as several that follow each other; case does not count. */
export function isWithin(category: string, banned: string): boolean {
  const levels = (path: string): string => `>${path.split(/[>/|]/).map((level) => level.trim().toLowerCase()).join('>')}>`;
  return levels(category).includes(levels(banned));
}

/** Whether a product may be in a catalogue. */
export function isAllowed(policy: Policy, { category }: Product): boolean {
  return category === undefined || directivesOf(policy, 'banned-category').every(({ value }) => !isWithin(category, value));
}

/** The catalogue without what is banned: what is in no catalogue is in no sum, no release and on no shelf. */
export function allowedCatalogue(policy: Policy, catalogue: Catalogue): Catalogue {
  const products = catalogue.products.filter((product) => isAllowed(policy, product));
  return products.length === catalogue.products.length ? catalogue : createCatalogue(products);
}

/** What others publish, less what is banned: their products of a banned category, and banned fields of all. */
export function screened(policy: Policy, products: readonly Product[]): readonly Product[] {
  const fields = directivesOf(policy, 'banned-field').map(({ value }) => value);
  return products.filter((product) => isAllowed(policy, product)).map((product) => {
    const rest = Object.fromEntries(Object.entries(product).filter(([field]) => !(fields as readonly string[]).includes(field)));
    return { ...rest, id: product.id, title: fields.includes('title') ? '' : product.title };
  });
}
