import { describe, expect, it } from 'vitest';
import { compareRuns, overSeeds } from '../../../shared/evaluation/significance.ts';
import { summaryOf } from '../../../scripts/experiment/summary.ts';
import { exampleResult, exampleRun } from './example-result.ts';

describe('the summary of an experiment', () => {
  const result = exampleResult();
  const { rows, comparedBy, comparedWith } = summaryOf(result);

  it('has a row a cell, then a row a baseline', () => {
    expect(rows.map(({ kind, label, seeds }) => [kind, label, seeds])).toEqual([['cell', 'epsilon 1', [1, 2, 3]], ['cell', 'epsilon 8', [1, 2, 3]], ['baseline', 'popularity', [1]]]);
    expect(rows[0].point).toEqual({ 'privacy.epsilon': 1, aggregate: 'mean' });
    expect(rows[2].point).toEqual({});
  });

  it('gives every metric over the seeds, those of the experiment first', () => {
    expect(Object.keys(rows[0].metrics)).toEqual(['ndcg@10', 'gini@10', 'recall@10']);
    expect(rows[0].metrics['ndcg@10']).toEqual(overSeeds(result.cells[0].runs.map(({ metrics }) => metrics['ndcg@10'])));
    expect(rows[2].metrics['ndcg@10']).toMatchObject({ seeds: 1, sd: null, interval: null });
    const { low, high } = rows[0].shopperIntervals['ndcg@10'];
    expect(low).toBeLessThan(rows[0].metrics['ndcg@10'].mean);
    expect(high).toBeGreaterThan(rows[0].metrics['ndcg@10'].mean);
  });

  it('compares every row but one with that one, and adjusts p for their number', () => {
    expect([comparedWith, comparedBy]).toEqual(['popularity', 'ndcg@10']);
    const [first, second, reference] = rows.map(({ comparison }) => comparison);
    expect(reference).toBeNull();
    const ndcg10 = (at: number): Float64Array[] => result.cells[at].runs.map(({ tests }) => tests.ndcg10);
    const alone = compareRuns(ndcg10(1), [result.baselines.popularity?.[0].tests.ndcg10 ?? new Float64Array()]);
    expect(second).toEqual({ ...alone, adjustedP: 2 * alone.p });
    expect(second?.low).toBeGreaterThan(0.15);
    expect(first?.high).toBeLessThan(0);
    expect(first?.adjustedP).toBeGreaterThanOrEqual(first?.p ?? 1);
  });

  it('compares by the first metric that has a value for each shopper', () => {
    const byRecall = summaryOf(exampleResult({ metrics: ['gini@10', 'recall@10', 'ndcg@10'] }));
    expect(byRecall.comparedBy).toBe('recall@10');
    expect(byRecall.rows[1].comparison?.difference).toBeCloseTo(2 * (rows[1].comparison?.difference ?? 0), 12);
    expect(summaryOf(exampleResult({ metrics: ['gini@10'] })).comparedBy).toBe('ndcg@10');
  });

  it('does not pair what was tested on other data, another split or other days', () => {
    for (const other of [{ protocol: 'next-month' as const }, { schedule: { kind: 'calendar' as const } }]) {
      const cells = [...result.cells, { point: {}, label: 'other', runs: [exampleRun(other, 0.3)] }];
      expect(summaryOf(exampleResult({ cells })).rows[2]).toMatchObject({ label: 'other', comparison: null });
    }
    const cells = [{ point: {}, label: 'other', runs: [exampleRun({}, 0.3, { dataHash: 'e'.repeat(64) })] }];
    expect(summaryOf(exampleResult({ cells })).rows[0].comparison).toBeNull();
  });

  it('counts rounds by seed, and bytes by participant and round', () => {
    // 10 participants in one round and 5 in the other.
    expect(rows[0]).toMatchObject({ rounds: 2, failedRounds: 1, bytesUpPerParticipant: 400, bytesDownPerParticipant: 2000, epsilon: 1, delta: 1e-5 });
    expect(rows[2]).toMatchObject({ rounds: 0, failedRounds: 0, bytesUpPerParticipant: null, epsilon: null, delta: null });
  });

  it('leaves out what has no run, and refuses to compare with it', () => {
    const cells = [...result.cells, { point: {}, label: 'nothing yet', runs: [] }];
    expect(summaryOf(exampleResult({ cells })).rows).toHaveLength(3);
    expect(() => summaryOf(exampleResult({ cells, comparedWith: 'nothing yet' }))).toThrow(/comparedWith: expected one of "epsilon 1", "epsilon 8", "popularity", got "nothing yet"/);
  });
});
