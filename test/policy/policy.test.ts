import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import { allowedCatalogue, enforcePolicy, factsOfPlan, factsOfProducts, factsOfTask, isWithin, screened, violationsOf } from '../../shared/policy/checks.ts';
import { parsePolicy } from '../../shared/policy/policy.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import { catalogue, model, taskInput, taskOf } from '../server/support/fixtures.ts';

const text = `# red lines
max-epsilon 3
max-delta 1e-5   # of the whole task
min-cohort 5

max-retention-days 365
banned-category alcohol
banned-category Food > Sweets
banned-field price
allowed-processor host
allowed-processor backup
allowed-mode distributed, local
jurisdiction gdpr
`;
const policy = parsePolicy('cesta.policy', text);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    const { code, message } = toCestaError(thrown);
    return `${code} ${message}`;
  }
  return 'none';
}

describe('a policy file', () => {
  it('is read line by line, without comments', () => {
    expect(policy.directives.map(({ kind, line }) => `${line} ${kind}`)).toEqual(['2 max-epsilon', '3 max-delta', '4 min-cohort', '6 max-retention-days', '7 banned-category', '8 banned-category', '9 banned-field', '10 allowed-processor', '11 allowed-processor', '12 allowed-mode', '13 jurisdiction']);
    expect(policy.directives[1]).toEqual({ kind: 'max-delta', value: 1e-5, line: 3 });
  });

  it.each([
    ['max-epsilon 3\nmax-epsilom 4', 'p:2: expected one of max-epsilon'],
    ['max-epsilon', 'p:1: max-epsilon: expected a number above 0, got ""'],
    ['max-epsilon -1', 'p:1: max-epsilon: expected a number above 0'],
    ['max-delta 1', 'p:1: max-delta: expected a number between 0 and 1'],
    ['min-cohort 2.5', 'p:1: min-cohort: expected a whole number'],
    ['banned-field mail', 'p:1: banned-field: expected one of title, category'],
    ['allowed-mode distributed,fast', 'p:1: allowed-mode: expected one or more of'],
    ['jurisdiction mars', 'p:1: jurisdiction: expected one of gdpr, ccpa'],
    ['\nmin-cohort 5\nmin-cohort 3', 'p:3: expected min-cohort once, got it on line 2 as well'],
    ['constructor 3', 'p:1: expected one of max-epsilon'],
  ])('%j is refused with its line', (lines, message) => {
    expect(refusal(() => parsePolicy('p', lines))).toContain(`config.invalid ${message}`);
  });
});

describe('what a policy finds', () => {
  it('is nothing within it, and every line that is broken outside', () => {
    const within = { epsilon: 3, delta: 1e-5, minCohort: 5, retentionDays: 365, mode: 'local', processors: ['host'], jurisdiction: 'gdpr', fields: ['title'], categories: ['Food > Bread'] } as const;
    expect(violationsOf(policy, within)).toEqual([]);
    const outside = { epsilon: Infinity, delta: 1e-4, minCohort: 4, retentionDays: 366, mode: 'none', processors: ['host', 'cloud'], jurisdiction: null, fields: ['price'], categories: ['Drinks > Alcohol > Wine', 'Food > Sweets'] } as const;
    expect(violationsOf(policy, outside).map(({ line }) => line)).toEqual([2, 3, 4, 6, 7, 8, 9, 10, 12, 13]);
    expect(refusal(() => enforcePolicy(policy, outside, 'serve'))).toContain('policy.violated serve: cesta.policy:2: max-epsilon: expected at most 3 epsilon, got no limit; cesta.policy:3:');
  });

  it('has no say about what a start does not decide', () => {
    expect(violationsOf(policy, {})).toEqual([]);
  });

  it('takes a task without privacy for one without limit', () => {
    expect(violationsOf(policy, factsOfTask(taskOf())).map(({ line }) => line)).toEqual([2, 3, 4, 12]);
  });

  it('takes a sum of one group for a sum: no group may be smaller than a cohort', () => {
    const cohort = parsePolicy('p', 'min-cohort 5');
    const grouped = (minParticipants: number) => parseTaskSpec({
      ...taskInput({ min: minParticipants, target: 24 }) as object,
      privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, rounds: 1 },
      robust: { rule: 'median', byzantine: 1, groups: 3 },
    });
    const factsOf = (minParticipants: number) => {
      const task = grouped(minParticipants);
      return [factsOfTask(task), factsOfPlan(makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null }))];
    };
    expect(factsOf(14).map((facts) => violationsOf(cohort, facts))).toEqual(Array(2).fill([{ line: 1, reason: 'min-cohort: expected sums of at least 5 participants, got 4' }]));
    expect(factsOf(15).flatMap((facts) => violationsOf(cohort, facts))).toEqual([]);
  });
});

describe('a banned category', () => {
  it('is a level of a path, or several in a row, whatever the case', () => {
    const found = ['alcohol', 'Drinks/ALCOHOL', 'Alcohol | Beer', 'a > alcohol > b', 'non-alcohol', 'alcoholic', ''].map((category) => isWithin(category, 'Alcohol'));
    expect(found).toEqual([true, true, true, true, false, false, false]);
    expect([isWithin('Shop > Food > Sweets > Gum', 'Food > Sweets'), isWithin('Food > Gum > Sweets', 'Food > Sweets')]).toEqual([true, false]);
  });

  it('leaves its products out of a catalogue, and out of what others publish, less banned fields', () => {
    const products = [{ id: 'wine', title: 'red', category: 'Drinks > Alcohol', price: 5 }, { id: 'tea', title: 'green', category: 'Drinks', price: 2 }];
    expect(allowedCatalogue(policy, createCatalogue(products)).products.map(({ id }) => id)).toEqual(['tea']);
    expect(screened(policy, products)).toEqual([{ id: 'tea', title: 'green', category: 'Drinks' }]);
    expect(factsOfProducts(screened(policy, products))).toEqual({ fields: ['title', 'category'], categories: ['Drinks'] });
  });
});
