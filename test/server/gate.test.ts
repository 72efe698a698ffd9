/** What a gate does next, whatever happened before: also what an earlier process decided and did not get to do. */
import { describe, expect, it } from 'vitest';
import { nextGateStep, type GateGround } from '../../server/gate.ts';
import type { EvaluationRecord } from '../../server/storage/storage.ts';
import type { GateVerdict } from '../../shared/evaluation/gate-rule.ts';

const served = { version: 2, sha256: 'served' };
const candidate = { version: 3, sha256: 'candidate' };
const verdictOf = (decision: GateVerdict['decision']): GateVerdict => ({ decision, tolerance: 0.05, testable: 1, served: 1, gain: 0, servedGain: 0, noiseStd: 0 });
const attempt = (changes: Partial<EvaluationRecord> = {}): EvaluationRecord => ({ round: 'main-4', candidate: candidate.sha256, served: served.sha256, state: 'failed', spend: 'abandoned', verdict: null, ...changes });
const decided = (decision: GateVerdict['decision'], changes: Partial<EvaluationRecord> = {}): EvaluationRecord => attempt({ state: 'done', spend: 'committed', verdict: verdictOf(decision), ...changes });
const step = (changes: Partial<GateGround> = {}): string => nextGateStep({ candidate, served, evaluations: [], mostCharged: 4, ...changes }).kind;

describe('a gate', () => {
  it('has nothing to do without a candidate, without anything to compare it with, or for one that was overtaken', () => {
    expect(step({ candidate: null })).toBe('none');
    expect(step({ served: null })).toBe('none');
    expect(step({ served: { version: 4, sha256: 'newer' } })).toBe('none');
  });

  it('evaluates a candidate, again after a failure, three times at most', () => {
    expect(step()).toBe('evaluate');
    expect(step({ evaluations: [attempt(), attempt({ spend: 'committed' })] })).toBe('evaluate');
    expect(step({ evaluations: [attempt(), attempt(), attempt()] })).toBe('stuck');
    expect(step({ evaluations: [attempt({ candidate: 'another' }), attempt({ candidate: 'another' }), attempt({ candidate: 'another' })] })).toBe('evaluate');
  });

  it('takes no more than the share of the budget that is for evaluations: training has the rest', () => {
    const charged = [1, 2, 3].map(() => decided('promote', { candidate: 'another' }));
    expect(step({ evaluations: charged })).toBe('evaluate');
    expect(step({ evaluations: [...charged, attempt({ candidate: 'another', spend: 'reserved' })] })).toBe('stuck');
    expect(step({ evaluations: charged, mostCharged: 3 })).toBe('stuck');
  });

  it('goes through with what was decided', () => {
    expect(step({ evaluations: [attempt(), decided('promote')] })).toBe('promote');
    expect(step({ evaluations: [decided('refuse')] })).toBe('reject');
    expect(step({ evaluations: [decided('rollback')] })).toBe('rollback');
  });

  it('rolls back once: where that is done, the rejection is left', () => {
    expect(step({ evaluations: [decided('rollback')], served: { version: 4, sha256: 'restored' } })).toBe('reject');
  });

  it('compares again when something else is served than what it was compared with', () => {
    expect(step({ evaluations: [decided('promote', { served: 'older' })] })).toBe('evaluate');
    expect(step({ evaluations: [decided('refuse', { served: 'older' })] })).toBe('reject');
  });
});
