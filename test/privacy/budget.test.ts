import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epsilonOf } from '../../shared/privacy/accounting/epsilon.ts';
import type { PrivacyEvent } from '../../shared/privacy/accounting/events.ts';
import { rdpEpsilon } from '../../shared/privacy/accounting/rdp.ts';
import { abandon, acrossShops, chargedEvents, commit, filterLimit, filterOrderFor, filterOrderOf, generalFilterOrder, ledgerOrders, openBudget, reportBudget, reserve, restoreBudget, settle, type BudgetState } from '../../shared/privacy/budget.ts';
import type { CestaError } from '../../shared/protocol/errors.ts';

const skellam: PrivacyEvent = { kind: 'skellam', l2: 1000, l1: 1e6, variance: 9e6, sampling: 1, count: 1 };
const gaussian: PrivacyEvent = { kind: 'gaussian', sigma: 3, sampling: 1, count: 1 };
const terms = { epsilon: 4, delta: 1e-6, filterOrder: 8, shopsPerShopper: 2 };

/** Reserves and commits `event` until the budget refuses; returns how often it did not. */
function spendAll(state: BudgetState, event: PrivacyEvent): { state: BudgetState; admitted: number } {
  for (let admitted = 0; ; admitted += 1) {
    try {
      state = commit(reserve(state, `round ${admitted}`, [event]), `round ${admitted}`);
    } catch (error) {
      expect((error as CestaError).code).toBe('budget.exhausted');
      return { state, admitted };
    }
  }
}

describe('the budget', () => {
  it('admits exactly as many rounds as the promise holds for at its order', () => {
    for (const event of [skellam, gaussian]) {
      const { state, admitted } = spendAll(openBudget(terms), event);
      const at = (count: number): number => rdpEpsilon([{ ...event, count }], terms.delta, { orders: [terms.filterOrder], refine: false }).epsilon;
      expect(at(admitted)).toBeLessThanOrEqual(terms.epsilon);
      expect(at(admitted + 1)).toBeGreaterThan(terms.epsilon);
      expect(epsilonOf(chargedEvents(state), terms.delta, { crossCheck: false }).epsilon).toBeLessThanOrEqual(terms.epsilon);
    }
  });

  it('a plan\'s own order admits the whole plan', () => {
    const planned: PrivacyEvent[] = [{ ...skellam, count: 40 }];
    const { epsilon } = rdpEpsilon(planned, 1e-6);
    const { admitted } = spendAll(openBudget({ ...terms, epsilon: epsilon * (1 + 1e-9), filterOrder: filterOrderFor(planned, 1e-6) }), skellam);
    expect(admitted).toBe(40);
  });

  it('never admits more than the promise, whatever is asked for in whatever order', () => {
    const anyEvent = fc.oneof(
      fc.double({ min: 0.5, max: 20, noNaN: true }).map((sigma): PrivacyEvent => ({ kind: 'gaussian', sigma, sampling: 1, count: 1 })),
      fc.double({ min: 1e6, max: 1e8, noNaN: true }).map((variance): PrivacyEvent => ({ ...skellam, variance })),
      fc.double({ min: 0.01, max: 1, noNaN: true }).map((epsilon): PrivacyEvent => ({ kind: 'pure', epsilon, delta: 0, count: 1 })),
    );
    fc.assert(fc.property(fc.array(fc.tuple(anyEvent, fc.boolean()), { maxLength: 40 }), (requests) => {
      let state = openBudget(terms);
      requests.forEach(([event, keep], i) => {
        try {
          state = reserve(state, `${i}`, [event]);
          state = keep ? commit(state, `${i}`) : abandon(state, `${i}`);
        } catch (error) {
          expect((error as CestaError).code).toBe('budget.exhausted');
        }
      });
      const charged = chargedEvents(state);
      if (charged.length > 0) expect(rdpEpsilon(charged, terms.delta).epsilon).toBeLessThanOrEqual(terms.epsilon);
    }), { seed: 6, numRuns: 60 });
  });

  it('is charged by the reservation, not by the commit', () => {
    const reserved = reserve(openBudget(terms), 'a', [skellam]);
    expect(chargedEvents(reserved)).toEqual([skellam]);
    expect(chargedEvents(commit(reserved, 'a'))).toEqual([skellam]);
    expect(chargedEvents(abandon(reserved, 'a'))).toEqual([]);
  });

  it('a crash leaves every open reservation spent', () => {
    let state = reserve(openBudget(terms), 'a', [skellam]);
    state = abandon(reserve(state, 'b', [skellam]), 'b');
    state = reserve(state, 'c', [skellam]);
    const settled = settle(state);
    expect(chargedEvents(settled)).toHaveLength(2);
    expect(() => abandon(settled, 'a')).toThrow('id: expected an open reservation, got a (committed)');
    expect(settle(settled)).toEqual(settled);
  });

  it('transitions are pure, and the state is plain data', () => {
    const empty = openBudget(terms);
    const reserved = reserve(empty, 'a', [skellam]);
    expect(empty.journal).toEqual([]);
    expect(empty.rdp.every((value) => value === 0)).toBe(true);
    expect(JSON.parse(JSON.stringify(reserved))).toEqual(reserved);
    expect(reserved.rdp).toHaveLength(ledgerOrders.length);
    expect(reserved.rdp[0]).toBeGreaterThan(0);
  });

  it('refuses double use, unknown ids and malformed events', () => {
    const state = reserve(openBudget(terms), 'a', [skellam]);
    expect(() => reserve(state, 'a', [skellam])).toThrow('id');
    expect(() => commit(state, 'b')).toThrow('b (unknown)');
    expect(() => commit(commit(state, 'a'), 'a')).toThrow('a (committed)');
    expect(() => reserve(state, 'b', [])).toThrow('events: expected at least one');
    expect(() => reserve(state, 'b', [{ ...skellam, variance: -1 }])).toThrow('variance');
    expect(() => reserve(state, 'b', [{ kind: 'pure', epsilon: 0.1, delta: 1e-9, count: 1 }])).toThrow('failure probability');
  });

  it.each([['epsilon', 0], ['epsilon', NaN], ['delta', 0], ['delta', 1], ['filterOrder', 1], ['filterOrder', NaN], ['shopsPerShopper', 0]])('refuses terms with %s = %d', (field, value) => {
    expect(() => openBudget({ ...terms, [field]: value })).toThrow(expect.objectContaining({ code: 'privacy.invalid', message: expect.stringContaining(field) as string }) as Error);
  });

  it('refuses an order at which nothing could ever be admitted', () => {
    expect(() => openBudget({ ...terms, epsilon: 0.5, filterOrder: 2 })).toThrow('an order whose limit is above 0');
  });

  it('reports what is spent, for one shop and for several', () => {
    const { state } = spendAll(openBudget(terms), { kind: 'gaussian', sigma: 2, sampling: 0.1, count: 10 });
    const report = reportBudget(state);
    expect(report.spent.epsilon).toBeLessThanOrEqual(4);
    expect(report.spentAcrossShops.epsilon).toBeGreaterThan(report.spent.epsilon);
    expect(report.filterUsed).toBeGreaterThan(0.5);
    expect(report.filterUsed).toBeLessThanOrEqual(1);
    expect(report.charged).toHaveLength(1);
  });

  it('a journal restores the budget it came from', () => {
    let state = reserve(openBudget(terms), 'a', [skellam]);
    state = abandon(reserve(state, 'b', [gaussian]), 'b');
    state = commit(reserve(state, 'c', [skellam]), 'c');
    expect(restoreBudget(terms, state.journal)).toEqual(state);
    expect(chargedEvents(restoreBudget(terms, state.journal))).toEqual([skellam, skellam]);
  });

  it('a general order loses little against the best one for a known plan', () => {
    for (const epsilon of [0.25, 1, 3, 8]) {
      const order = generalFilterOrder({ epsilon, delta: 1e-5 });
      const noisy = filterOrderOf({ epsilon, delta: 1e-5, rounds: 20, sampling: 1 });
      const room = (filterOrder: number): number => filterLimit({ epsilon, delta: 1e-5, filterOrder }) / filterOrder;
      expect(room(order)).toBeGreaterThanOrEqual(room(noisy));
      expect(room(noisy) / room(order)).toBeGreaterThan(0.98);
    }
  });

  it('a person in k shops is a shift of k', () => {
    expect(acrossShops({ ...gaussian, sampling: 0.1 }, 2)).toMatchObject({ sigma: 1.5, sampling: expect.closeTo(0.19, 12) as number });
    expect(acrossShops(skellam, 3)).toMatchObject({ l2: 3000, l1: 3e6, sampling: 1 });
    expect(acrossShops({ kind: 'laplace', scale: 4, count: 1 }, 2)).toMatchObject({ scale: 2 });
    expect(acrossShops({ kind: 'zcdp', rho: 0.1, count: 1 }, 2)).toMatchObject({ rho: 0.4 });
    expect(acrossShops({ kind: 'pure', epsilon: 0.5, delta: 0, count: 1 }, 2)).toMatchObject({ epsilon: 1, delta: 0 });
  });
});
