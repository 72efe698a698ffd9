import { describe, expect, it } from 'vitest';
import { wholeTicks } from '../../../../server/dashboard/page/charts/ticks.ts';
import { bytesInWords, durationInWords, endOfRound, entryInWords, leftInWords, oddsInWords, participantsInWords } from '../../../../server/dashboard/page/words.ts';
import type { LiveRound } from '../../../../server/dashboard/schemas.ts';
import { logEntrySchema, planEntry, type LogEntry } from '../../../../shared/ledger/log-entries.ts';
import { planOf } from '../../support/fixtures.ts';

const digest = 'ab'.repeat(32);
const ofRound = { task: 'trial', round: 'trial-1', planHash: digest };

const round: LiveRound = {
  task: 'trial', round: 'trial-3', number: 3, purpose: 'training', phase: 'training', openedAt: '2026-01-01T00:00:00.000Z', deadlineAt: null, endedAt: null,
  invited: 6, waiting: 0, joined: 5, working: 2, reported: 2, dropped: 1, declined: 1, bytesUp: 0, bytesDown: 0, version: null, failure: null,
};

describe('figures in words', () => {
  it('have units', () => {
    expect([0, 999, 1000, 1_234_567].map(bytesInWords)).toEqual(['0 bytes', '999 bytes', '1.00 kB', '1.23 MB']);
    expect([-5, 12.4, 1500, 61_000, 3_720_000].map(durationInWords)).toEqual(['0 ms', '12 ms', '1.5 s', '1 min 1 s', '1 h 2 min']);
    expect([0, 1e-9, 0.5].map(leftInWords)).toEqual(['0', 'less than 0.001', '0.5']);
  });

  it('say what epsilon does to odds', () => {
    expect(oddsInWords(1, 'one shopper')).toContain('odds that one shopper took part multiplied by at most e^1 = 2.72: a guess of 50 % may become one of 73.1 %');
    expect(oddsInWords(0, 'one shopper')).toContain('e^0 = 1: a guess of 50 % may become one of 50 %');
    expect(oddsInWords(20, 'one shopper')).toContain('more than 99.99 %');
  });

  it('say where everybody stands, and how a round ended', () => {
    expect(participantsInWords(round)).toBe('6 participants were invited, 5 joined, 2 working, 2 reported, 1 dropped, 1 declined or left before training.');
    expect(endOfRound({ ...round, phase: 'done', version: 2 })).toBe('Round 3 of trial is done: 2 reports, release 2.');
    expect(endOfRound({ ...round, phase: 'failed', failure: { code: 'round.failed', message: 'too few' } })).toBe('Round 3 of trial failed: round.failed.');
  });

  it('put ticks of whole numbers on an axis, as many as there is room for', () => {
    expect(wholeTicks(1, 4, 12)).toEqual([1, 2, 3, 4]);
    expect(wholeTicks(1, 52, 4)).toEqual([1, 18, 35, 52]);
    expect(wholeTicks(3, 3, 4)).toEqual([3]);
  });
});

describe('entries of the public record in words', () => {
  const entries: readonly LogEntry[] = [
    planEntry(planOf()),
    { type: 'roster', ...ofRound, members: { root: digest, count: 4 } },
    { type: 'budget-spend', ...ofRound, events: [], cumulative: { orders: [2], rdp: [0] } },
    { type: 'survivors', ...ofRound, members: { root: digest, count: 1 } },
    { type: 'round-result', ...ofRound, version: 2, release: digest, held: true },
    { type: 'release-served', task: 'trial', version: 3, release: digest, restores: 1, change: 'rollback', reason: 'operator' },
    { type: 'node-enrolled', node: digest },
    { type: 'node-revoked', node: digest, reason: 'compromised' },
    { type: 'equivocation', node: digest, round: 'trial-1', first: { statement: 'aa', signature: digest.repeat(2) }, second: { statement: 'bb', signature: digest.repeat(2) } },
  ];

  it('cover every type there is, and name rounds, versions and counts', () => {
    expect(entries.map(({ type }) => type).toSorted()).toEqual(logEntrySchema.options.map((option) => option.shape.type.value).toSorted());
    expect(entries.map(entryInWords)).toEqual([
      'The terms of round trial-1 were fixed, before anybody was invited.',
      '4 participants train in round trial-1.',
      'Round trial-1 was charged to the privacy budget: nothing is promised.',
      '1 report is in the sum of round trial-1.',
      'Round trial-1 ended in release 2 (abababababab), which is held back.',
      'Release 3 of trial is served (rollback by the operator): the parameters of release 1.',
      'Node abababababab was enrolled.',
      'Node abababababab was revoked: compromised.',
      'Node abababababab signed two different statements in round trial-1.',
    ]);
  });
});
