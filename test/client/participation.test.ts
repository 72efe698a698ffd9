import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { idle, participate, type Participation, type ParticipationEffect, type ParticipationEvent, type Report } from '../../client/participation.ts';
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import type { SignedReceipt } from '../../shared/ledger/receipt.ts';
import type { Masked } from '../../shared/privacy/vectors.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { ServerMessage } from '../../shared/protocol/messages.ts';
import { examplePlan } from '../federation/plans.ts';

const plan = examplePlan();
const hash = planHash(plan);
const report: Report = { statistic: Int32Array.of(1, 2, 3, 4) as Masked, sha256: 'cd'.repeat(32) };
const heard = (message: ServerMessage): ParticipationEvent => ({ kind: 'message', message });
const invite = (invited: Plan = plan) => heard({ type: 'invite', plan: invited, signature: '00'.repeat(64) });
const train = heard({ type: 'train', round: 'main-1', deadlineMs: 1_000 });
const upload = heard({ type: 'upload', round: 'main-1' });
const receipt: SignedReceipt = { receipt: { round: 'main-1', planHash: hash, shop: 'corner', node: 'ab'.repeat(32), sha256: report.sha256, acceptedAt: '2026-01-02T03:04:05.000Z' }, signature: '00'.repeat(64) };
const accepted = heard({ type: 'accepted', round: 'main-1', receipt });
const done = heard({ type: 'round-done', round: 'main-1', version: 1, sha256: 'ef'.repeat(32) });
const checked: ParticipationEvent = { kind: 'checked', planHash: hash, refusal: null };
const built: ParticipationEvent = { kind: 'built', planHash: hash, report };
const refusal = (code: CestaError['code']) => heard({ type: 'error', code, message: 'no', hint: '' });
const [up, down, stop]: ParticipationEvent[] = [{ kind: 'up' }, { kind: 'down' }, { kind: 'stop' }];

/** Runs events and names every effect in order: messages by type, news by kind. */
function play(...events: ParticipationEvent[]): { state: Participation; did: string[]; last: string[] } {
  let state = idle;
  const did: string[] = [];
  let last: string[] = [];
  for (const event of events) {
    const [next, effects] = participate(state, event);
    state = next;
    last = effects.map(nameOf);
    did.push(...last);
  }
  return { state, did, last };
}

function nameOf(effect: ParticipationEffect): string {
  if (effect.kind === 'send') return `-> ${effect.message.type}`;
  return effect.kind === 'tell' ? `tell ${effect.news.kind}` : effect.kind;
}

describe('a round', () => {
  it('is checked, joined, trained, offered, sent and accepted, each step once', () => {
    expect(play(up, invite(), checked, train, built, upload, accepted, done).did).toEqual([
      'check', '-> join', 'tell joined', 'tell training', 'build', '-> report', 'send-statistic', 'keep-receipt', 'tell reported', 'abandon', 'tell round-done',
    ]);
  });

  it('is declined with the code of the check', () => {
    const declined: ParticipationEvent = { kind: 'checked', planHash: hash, refusal: new CestaError('budget.exhausted', 'x'.repeat(2_000)) };
    const [state, effects] = participate(play(up, invite()).state, declined);
    expect(effects[0]).toEqual({ kind: 'send', message: { type: 'decline', round: 'main-1', code: 'budget.exhausted', message: 'x'.repeat(1_024) } });
    expect(state.membership).toBeNull();
  });

  it('is declined, not stalled, when the statistic cannot be made', () => {
    const failed: ParticipationEvent = { kind: 'build-failed', planHash: hash, error: new CestaError('privacy.infeasible', 'too many') };
    expect(play(up, invite(), checked, train, failed).last).toEqual(['-> decline', 'tell declined']);
  });

  it('keeps to itself what went wrong once data was looked at', () => {
    const failed: ParticipationEvent = { kind: 'build-failed', planHash: hash, error: new CestaError('internal', 'no such item: umbrella') };
    const [, [sent, told]] = participate(play(up, invite(), checked, train).state, failed);
    expect(sent).toMatchObject({ kind: 'send', message: { type: 'decline', code: 'internal' } });
    expect(JSON.stringify(sent)).not.toContain('umbrella');
    expect(told).toMatchObject({ kind: 'tell', news: { kind: 'declined', message: 'no such item: umbrella' } });
  });

  it('that starts to train without us is left at once', () => {
    expect(play(up, train).did).toEqual(['-> leave']);
    expect(play(up, invite(examplePlan({ round: 'main-2' })), train).last).toEqual(['-> leave']);
  });

  it('of another plan abandons the one before', () => {
    expect(play(up, invite(), checked, train, invite(examplePlan({ round: 'main-2' }))).last).toEqual(['abandon', 'check']);
    expect(play(up, invite(), checked, train, invite(examplePlan({ round: 'main-2' })), built).last).toEqual([]);
  });

  it('of a buffered task is left in words where its report is still waited for', () => {
    const buffered = examplePlan({ aggregation: { kind: 'buffered', maxStaleness: 2 } });
    const of = (kind: 'checked' | 'built'): ParticipationEvent => (kind === 'checked' ? { kind, planHash: planHash(buffered), refusal: null } : { kind, planHash: planHash(buffered), report });
    const next = invite(examplePlan({ round: 'main-2' }));
    const [, effects] = participate(play(up, invite(buffered), of('checked'), train, of('built')).state, next);
    expect(effects.slice(0, 2)).toEqual([{ kind: 'abandon' }, { kind: 'send', message: { type: 'leave', round: 'main-1' } }]);
    expect(play(up, invite(buffered), of('checked'), train, of('built'), upload, accepted, next).last).toEqual(['abandon', 'check']);
  });

  it('done or failed says whether we had part', () => {
    const took = (...events: ParticipationEvent[]) => {
      const [, effects] = participate(play(...events).state, done);
      return effects.flatMap((effect) => (effect.kind === 'tell' && effect.news.kind === 'round-done' ? [effect.news.took] : []));
    };
    expect(took(up, invite(), checked, train, built, upload, accepted)).toEqual(['part']);
    expect(took(up, invite(), checked, train, built, upload)).toEqual(['no part']);
    expect(took(up)).toEqual(['no part']);
    const failed = heard({ type: 'round-failed', round: 'main-1', code: 'round.failed', message: 'too few' });
    expect(play(up, invite(), checked, train, failed).last).toEqual(['abandon', 'tell round-failed']);
    expect(play(up, invite(), checked, train, failed).state.membership).toBeNull();
  });

  it('ends with the task', () => {
    const over = heard({ type: 'task-over', code: 'budget.exhausted', message: 'spent' });
    expect(play(up, invite(), checked, over).last).toEqual(['abandon', 'tell task-over']);
  });

  it('is left when the participant stops, unless its report is in', () => {
    expect(play(up, invite(), checked, train, stop).last).toEqual(['abandon', '-> leave']);
    expect(play(up, invite(), checked, train, built, upload, accepted, stop).last).toEqual(['abandon']);
    expect(play(up, stop).last).toEqual(['abandon']);
  });
});

describe('after a loss of the connection', () => {
  it('a report that was made meanwhile is offered when the connection is back', () => {
    expect(play(up, invite(), checked, train, down, built).last).toEqual([]);
    expect(play(up, invite(), checked, train, down, built, up).last).toEqual(['-> report']);
  });

  it('a report that was offered, or half sent, is offered again as the same bytes', () => {
    for (const before of [[built], [built, upload]]) {
      const { state, last } = play(up, invite(), checked, train, ...before, down, up);
      expect(last).toEqual(['-> report']);
      const [, effects] = participate(state, upload);
      expect(effects).toEqual([{ kind: 'send-statistic', round: 'main-1', statistic: report.statistic }]);
      expect(effects[0].kind === 'send-statistic' && effects[0].statistic).toBe(report.statistic);
    }
  });

  it('the reminder to train is not answered by a second build or a second offer', () => {
    expect(play(up, invite(), checked, train, down, up, train).last).toEqual([]);
    expect(play(up, invite(), checked, train, built, down, up, train).last).toEqual([]);
  });

  it('an accepted report is not offered again', () => {
    expect(play(up, invite(), checked, train, built, upload, accepted, down, up).last).toEqual([]);
  });

  it('an invitation that could not be answered is answered when it is repeated, without a second check', () => {
    expect(play(up, invite(), down, checked).last).toEqual(['tell joined']);
    expect(play(up, invite(), down, checked, up).last).toEqual([]);
    expect(play(up, invite(), down, checked, up, invite()).last).toEqual(['-> join']);
  });

  it('an answer that crossed with the repeated invitation is not given twice', () => {
    expect(play(up, invite(), down, up, checked, invite()).last).toEqual([]);
    expect(play(up, invite(), checked, down, up, invite()).last).toEqual(['-> join']);
  });

  it('a round opened again under the same plan gets the report that was made for it, and no second one', () => {
    const before = [up, invite(), checked, train, built, upload, down, up, invite()];
    expect(play(...before).last).toEqual(['-> join']);
    expect(play(...before, train).last).toEqual(['-> report']);
    const whileBuilding = [up, invite(), checked, train, down, up, invite()];
    expect(play(...whileBuilding, train).last).toEqual([]);
    expect(play(...whileBuilding, built).last).toEqual([]);
    expect(play(...whileBuilding, built, train).last).toEqual(['-> report']);
    expect(play(...whileBuilding, train, built).last).toEqual(['-> report']);
  });
});

describe('a refusal of the coordinator', () => {
  it('ends the round for us when the code says so', () => {
    for (const code of ['round.not-member', 'update.wrong-length', 'update.out-of-range', 'update.corrupt'] as const) {
      expect(play(up, invite(), checked, train, built, refusal(code)).last).toEqual(['abandon', 'tell refused']);
      expect(play(up, invite(), checked, train, built, refusal(code)).state.membership).toBeNull();
    }
  });

  it('of a report offered again leaves it standing: its acceptance may have been lost', () => {
    const { state } = play(up, invite(), checked, train, built, upload, down, up, refusal('protocol.out-of-order'));
    expect(state.membership?.report).toBe(report);
    expect(participate(state, accepted)[0].membership?.stage).toBe('accepted');
  });

  it('does not touch a report that is in', () => {
    expect(play(up, invite(), checked, train, built, upload, accepted, refusal('round.not-member')).state.membership?.stage).toBe('accepted');
  });

  it('of a report that was too late does not cost the next round, whose invitation it crossed', () => {
    const next = examplePlan({ round: 'other-1' });
    const late = play(up, invite(), checked, train, built, done, invite(next), refusal('round.not-member'));
    expect(late.last).toEqual(['tell refused']);
    expect(late.state.membership).toMatchObject({ stage: 'checking', plan: { round: 'other-1' } });
    const [, effects] = participate(late.state, { kind: 'checked', planHash: planHash(next), refusal: null });
    expect(effects.map(nameOf)).toEqual(['-> join', 'tell joined']);
  });
});

describe('whatever the coordinator sends in whatever order', () => {
  const events = fc.constantFrom(up, down, invite(), invite(examplePlan({ round: 'main-2' })), checked, train, built, upload, accepted, done, refusal('round.not-member'), refusal('protocol.out-of-order'));

  it('one plan is noised once as long as its round is open, and only its own bytes are sent', () => {
    fc.assert(fc.property(fc.array(events, { maxLength: 40 }), (sequence) => {
      let state = idle;
      let building = false;
      for (const event of sequence) {
        const wasMember = state.membership?.planHash === hash;
        const [next, effects] = participate(state, event);
        if (!wasMember || next.membership?.planHash !== hash) building = false;
        for (const effect of effects) {
          if (effect.kind === 'build') {
            expect(building).toBe(false);
            building = true;
          }
          if (effect.kind === 'send-statistic') expect(effect.statistic).toBe(report.statistic);
          if (effect.kind === 'send') expect(next.isUp || effect.message.type !== 'report').toBe(true);
        }
        state = next;
      }
    }), { numRuns: 2_000 });
  });
});

describe('a masked round', () => {
  const masked: Plan = examplePlan({
    cohort: { minParticipants: 5, targetParticipants: 6, maxParticipants: 6 },
    privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, rounds: 1, noiseStd: 7, mechanism: 'skellam', sampling: 1, filterOrder: 8, shopsPerShopper: 2, tolerated: 1, colluding: 1 },
  });
  const maskedHash = planHash(masked);
  const begin = [up, invite(masked), { kind: 'checked', planHash: maskedHash, refusal: null }, heard({ type: 'train', round: 'main-1', deadlineMs: 1_000, directory: [['corner', 'ab'.repeat(32)]] })] as const;
  const vector: ParticipationEvent = { kind: 'built', planHash: maskedHash, report };
  const frame = heard({ type: 'masked', round: 'main-1', frame: 'AAAA' });
  const ended = (error: CestaError | null): ParticipationEvent => ({ kind: 'session-ended', planHash: maskedHash, error });

  it('opens a session, hands it every frame, sends its vector as a report, and took part when it revealed its share', () => {
    const { did } = play(...begin, frame, vector, upload, accepted, frame, ended(null), done);
    expect(did).toEqual([
      'check', '-> join', 'tell joined', 'tell training', 'mask', 'session-message', '-> report', 'send-statistic', 'keep-receipt', 'tell reported', 'session-message', 'abandon', 'tell round-done',
    ]);
  });

  it('keeps the receipt of a vector also when it comes after the session is over, and one only', () => {
    const { last, state } = play(...begin, vector, upload, ended(null), accepted);
    expect(last).toEqual(['keep-receipt', 'tell reported']);
    expect(state.membership?.stage).toBe('revealed');
    expect(participate(state, accepted)[1]).toEqual([]);
  });

  it('ignores frames of another round, and of a round it is not in', () => {
    expect(play(...begin, heard({ type: 'masked', round: 'main-2', frame: 'AAAA' })).last).toEqual([]);
    expect(play(up, frame).did).toEqual([]);
  });

  it('is left when the session aborts, wherever it stands', () => {
    const aborted = ended(new CestaError('secagg.too-few', 'too few'));
    for (const before of [[], [vector], [vector, upload], [vector, upload, accepted]]) {
      const { last, state } = play(...begin, ...before, aborted);
      expect(last).toEqual(['abandon', '-> leave', 'tell declined']);
      expect(state.membership).toBeNull();
    }
  });

  it('is left when the connection is lost before its share is revealed, and not after', () => {
    for (const before of [[], [vector], [vector, upload], [vector, upload, accepted]]) {
      expect(play(...begin, ...before, down).last).toEqual(['abandon', 'tell declined']);
    }
    const revealed = play(...begin, vector, upload, accepted, ended(null), down, up, done);
    expect(revealed.did.at(-1)).toBe('tell round-done');
    expect(revealed.did).not.toContain('tell declined');
  });

  it('is left when the coordinator names this participant, even after its vector was accepted', () => {
    expect(play(...begin, vector, upload, accepted, refusal('secagg.invalid')).last).toEqual(['abandon', 'tell refused']);
  });
});
