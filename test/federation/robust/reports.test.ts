import { describe, expect, it } from 'vitest';
import { createReportSum } from '../../../shared/federation/report-sum.ts';
import { parsePlan, type Plan } from '../../../shared/federation/plan.ts';
import type { RobustSpec } from '../../../shared/federation/robust/rule.ts';
import { mostKeptNumbers } from '../../../shared/federation/robust/terms.ts';
import { parseTaskSpec } from '../../../shared/federation/task.ts';
import { planOf, taskInput } from '../../server/support/fixtures.ts';
import { examplePlan, maskedPlan } from '../plans.ts';

const cohort = { minParticipants: 5, targetParticipants: 7, maxParticipants: 7 };

/** Bounds without noise, of which the count slot takes an eighth a shopper. */
function planWith(robust: RobustSpec, changes: Partial<Plan> = {}): Plan {
  return parsePlan(examplePlan({ privacy: { mode: 'none' }, cohort, robust, ...changes }));
}

/** A report of sums over so many shoppers, in the units of the model. */
function reportOf({ bounds }: Plan, shoppers: number, ...sums: number[]): Int32Array {
  return Int32Array.from([...sums, shoppers * bounds.countValue], (value) => Math.round(value * bounds.gridScale));
}

function combined(plan: Plan, reports: readonly Int32Array[]) {
  const sum = createReportSum(plan);
  for (const report of reports) sum.add(report);
  return sum.decode();
}

const median: RobustSpec = { rule: 'median', byzantine: 1 };

describe('reports under a robust rule', () => {
  it('are combined as means per shopper, for as many shoppers as all reports together', () => {
    const plan = planWith(median);
    // Means 1, 2, 3, 4, 5; counts 10, 10, 20, 10, 10, whose trimmed mean is 10.
    const { sum, shoppers, noiseStd, robust } = combined(plan, [reportOf(plan, 10, 10, 0, 0), reportOf(plan, 10, 20, 0, 0), reportOf(plan, 20, 60, 0, 0), reportOf(plan, 10, 40, 0, 0), reportOf(plan, 10, 50, 0, 0)]);
    expect([...sum]).toEqual([150, 0, 0]);
    expect({ shoppers, noiseStd }).toEqual({ shoppers: 50, noiseStd: 0 });
    expect(robust).toEqual({ rule: 'median', byzantine: 1, reports: 5, leftOut: [] });
  });

  it('do not let one that lies about its count speak for the others', () => {
    const plan = planWith(median);
    const honest = Array.from({ length: 4 }, () => reportOf(plan, 10, 10, 20, 0));
    for (const lie of [reportOf(plan, 100_000, 0, 0, 0), reportOf(plan, 0, 100_000, 0, 0), reportOf(plan, -5000, -9000, 0, 0)]) {
      const { sum, shoppers } = combined(plan, [...honest, lie]);
      expect({ sum: [...sum], shoppers }).toEqual({ sum: [50, 100, 0], shoppers: 50 });
    }
  });

  it('that were chosen by none of the others are named by their place, for the log', () => {
    const plan = planWith({ rule: 'multi-krum', byzantine: 1 });
    const reports = [reportOf(plan, 10, 10, 0, 0), reportOf(plan, 10, 11, 0, 0), reportOf(plan, 10, 900, 0, 0), reportOf(plan, 10, 12, 0, 0), reportOf(plan, 10, 11, 0, 0)];
    const { sum, robust } = combined(plan, reports);
    expect(robust?.leftOut).toEqual([2]);
    expect(sum[0]).toBeCloseTo(55, 4);
  });

  it('leave as much noise as the rule does', () => {
    const noisy = planWith(median, { privacy: examplePlan().privacy });
    const { noiseStd } = combined(noisy, Array.from({ length: 5 }, () => reportOf(noisy, 10, 0, 0, 0)));
    // Noise of 1.5 in each report: sqrt(pi / 2) times that of their sum.
    expect(noiseStd).toBeCloseTo(1.5 * Math.sqrt((Math.PI / 2) * 5), 9);
  });

  it('let the clip norm follow the middle of what each would make of it', () => {
    const base = examplePlan().bounds;
    const plan = planWith(median, { statisticLength: 5, bounds: { ...base, clipBit: { value: 0.125, quantile: 0.5, rate: 0.5 } } });
    const withBits = (bits: number): Int32Array => Int32Array.of(0, 0, 0, 10 * 128, bits * 128);
    const spoilt = combined(plan, [withBits(0), withBits(0), withBits(0), withBits(10), withBits(10)]);
    expect(spoilt.nextClipNorm).toBe(combined(plan, Array.from({ length: 5 }, () => withBits(0))).nextClipNorm);
    expect(spoilt.nextClipNorm).not.toBe(combined(plan, Array.from({ length: 5 }, () => withBits(10))).nextClipNorm);
  });

  it('are refused by length like any other', () => {
    expect(() => createReportSum(planWith(median)).add(new Int32Array(3))).toThrow(expect.objectContaining({ code: 'update.wrong-length' }));
    expect(() => createReportSum(planWith(median)).decode()).toThrow(expect.objectContaining({ code: 'round.failed' }));
  });
});

describe('a task with a robust rule', () => {
  const refused = (changes: object, message: string): void => {
    expect(() => parseTaskSpec({ ...(taskInput({ min: 5, target: 7, robust: median }) as object), ...changes })).toThrow(
      expect.objectContaining({ code: 'plan.invalid', message: expect.stringContaining(message) as string }),
    );
  };

  it('has it in every plan', () => {
    expect(planOf({ min: 5, target: 7, robust: median }).robust).toEqual(median);
    expect(Object.keys(planOf())).not.toContain('robust');
  });

  it('is refused where its quorum is too small for the rule', () => {
    refused({ robust: { rule: 'krum', byzantine: 2 } }, 'expected cohort.minParticipants of at least 7 for krum against 2, got 5');
    refused({ robust: { rule: 'bulyan', byzantine: 1 } }, 'at least 7 for bulyan against 1');
    refused({ robust: { rule: 'median', byzantine: 3 } }, 'at least 7 for median against 3');
  });

  it('is refused where masks hide reports, where they are of several models, and with groups of what is not masked', () => {
    refused({ privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5 } }, 'masks leave no reports for');
    refused({ aggregation: { kind: 'buffered', maxStaleness: 1 } }, 'expected none in a buffered task');
    refused({ robust: { ...median, groups: 3 } }, 'expected none in mode none, where every report is seen by itself');
    expect(() => parsePlan({ ...maskedPlan, robust: median })).toThrow(expect.objectContaining({ code: 'plan.invalid' }));
  });

  it('is refused where reports would not fit into memory, or their distances take too long', () => {
    const plan = examplePlan({ privacy: { mode: 'none' }, cohort: { minParticipants: 5, targetParticipants: 64, maxParticipants: 64 } });
    const largest = mostKeptNumbers / 64;
    expect(parsePlan({ ...plan, statisticLength: largest, robust: median }).robust).toEqual(median);
    expect(() => parsePlan({ ...plan, statisticLength: largest + 1, robust: median })).toThrow('numbers in all reports');
    expect(() => parsePlan({ ...plan, statisticLength: largest, robust: { rule: 'krum', byzantine: 1 } })).toThrow('products for the distances that krum needs');
  });
});
