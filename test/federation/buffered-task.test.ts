import { describe, expect, it } from 'vitest';
import { parsePlan, planHash } from '../../shared/federation/plan.ts';
import { parseTaskSpec } from '../../shared/federation/task.ts';
import { planOf, taskInput } from '../server/support/fixtures.ts';
import { examplePlan, maskedPlan } from './plans.ts';

const buffered = { kind: 'buffered', maxStaleness: 3 } as const;
const task = (changes: object): unknown => ({ ...(taskInput() as object), ...changes });

describe('a buffered task', () => {
  it('says so in every plan, and other plans are what they were', () => {
    expect(parsePlan(examplePlan({ aggregation: buffered })).aggregation).toEqual(buffered);
    expect(Object.keys(planOf())).not.toContain('aggregation');
    expect(planHash(examplePlan({ aggregation: buffered }))).not.toBe(planHash(examplePlan()));
    expect(planHash(parsePlan(examplePlan()))).toBe(planHash(examplePlan()));
  });

  it('is one of rounds unless it says otherwise', () => {
    expect(parseTaskSpec(task({})).aggregation).toEqual({ kind: 'rounds' });
    expect(parseTaskSpec(task({ aggregation: buffered })).aggregation).toEqual(buffered);
  });

  it('is refused in mode distributed with field and reason, and so is such a plan', () => {
    const distributed = task({ aggregation: buffered, privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5 }, cohort: { minParticipants: 5, targetParticipants: 5 } });
    expect(() => parseTaskSpec(distributed)).toThrow(expect.objectContaining({ code: 'plan.invalid', message: expect.stringMatching(/masks cancel only among reports of the same round[^]*aggregation\.kind/) as string }));
    expect(() => parsePlan({ ...maskedPlan, aggregation: buffered })).toThrow(expect.objectContaining({ code: 'plan.invalid' }));
  });

  it('is refused for a staleness that is not in 1..100', () => {
    for (const maxStaleness of [0, 101, 1.5]) {
      expect(() => parseTaskSpec(task({ aggregation: { kind: 'buffered', maxStaleness } }))).toThrow(expect.objectContaining({ code: 'plan.invalid', message: expect.stringContaining('maxStaleness') as string }));
    }
  });
});
