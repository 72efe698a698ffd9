import { describe, expect, it } from 'vitest';
import type { Commit } from '../../../server/ledger/public-record.ts';
import { openRoundLedger, type RoundLedgerContext } from '../../../server/ledger/round-ledger.ts';
import { openEvidence } from '../../../shared/ledger/evidence.ts';
import { noWitnesses } from '../../../shared/ledger/witness-policy.ts';
import { decodeEntry, membersOf, planEntry } from '../../../shared/ledger/log-entries.ts';
import { planRules } from '../../../shared/ledger/plan-rules.ts';
import { replayLog } from '../../../shared/ledger/replay.ts';
import { cosignNote, formatNote, parseNote, type NoteKey } from '../../../shared/ledger/signed-note.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { LogAppend } from '../../../server/storage/storage.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { planOf } from '../support/fixtures.ts';
import { memoryLog, memoryRecord, recordKey } from '../support/records.ts';
import { roundRig } from '../support/round-rig.ts';
import { shopNamed } from '../support/test-client.ts';

const witness = signingKey(new Uint8Array(32).fill(31));
const witnesses: NoteKey[] = [{ name: 'auditor', publicKey: witness.publicKey, kind: 'witness' }];
const forever = new AbortController().signal;
const [corner, market] = ['corner', 'market'].map((name) => shopNamed(name).key.publicKey);

async function rig(changes: Partial<RoundLedgerContext> = {}) {
  const log = memoryLog();
  const record = await memoryRecord(log, witnesses);
  const clock = fakeClock();
  const failed: string[] = [];
  const context: RoundLedgerContext = {
    record, clock, quorum: 0, witnessMs: 5_000,
    storage: {
      failRound: (round, { code }) => Promise.resolve(void failed.push(`${round} ${code}`)),
    },
    ...changes,
  };
  const cosign = () => {
    const { text } = parseNote(record.checkpoint());
    return record.cosign(formatNote({ text, signatures: [cosignNote(text, 'auditor', witness, 1_700_000_000)] }));
  };
  return { context, record, log, clock, failed, cosign, commit: (append: LogAppend) => log.appendLog(append) };
}

describe('what a round says in the public record', () => {
  it('adds up for whoever replays it, with shops by their keys', async () => {
    const { context, log, commit } = await rig();
    for (const [index, plan] of [1, 2].map((number) => planOf({ mode: 'local', rounds: 2 }, number)).entries()) {
      const ledger = await openRoundLedger(context, plan, commit, forever);
      expect(await openEvidence(planEntry(plan), ledger.evidence, recordKey.publicKey, noWitnesses)).toMatchObject({ size: 5 * index + 1 });
      await ledger.training([corner, market], commit);
      await ledger.released({ version: index + 1, sha256: String(index + 1).repeat(64), survivors: [market] }, commit);
    }
    expect(replayLog(log.entries, planRules)).toMatchObject({ inconsistency: null, totals: { entries: 10, tasks: [{ plans: 2, rounds: { charged: 2, released: 2 }, release: { version: 2 } }] } });
    expect(decodeEntry(log.entries[1])).toMatchObject({ type: 'roster', members: membersOf([corner, market]) });
    expect(decodeEntry(log.entries[3])).toMatchObject({ type: 'survivors', members: membersOf([market]) });
  });

  it('fails the round when the plan cannot be recorded', async () => {
    const { context, failed, commit } = await rig();
    const plan = planOf();
    await openRoundLedger(context, plan, commit, forever);
    await expect(openRoundLedger(context, plan, commit, forever)).rejects.toMatchObject({ code: 'log.inconsistent' });
    expect(failed).toEqual(['trial-1 log.inconsistent']);
  });

  it('says nothing of what the journal refuses', async () => {
    const { context, log, failed, commit } = await rig();
    const refuse = () => Promise.reject(new CestaError('budget.exhausted', 'no share is left'));
    await expect(openRoundLedger(context, planOf({ mode: 'local' }), refuse, forever)).rejects.toMatchObject({ code: 'budget.exhausted' });
    const ledger = await openRoundLedger(context, planOf({ mode: 'local' }), commit, forever);
    await expect(ledger.training([corner], refuse)).rejects.toMatchObject({ code: 'budget.exhausted' });
    expect([log.entries.length, failed]).toEqual([1, ['trial-1 budget.exhausted']]);
  });

  it('says whose reports an evaluation has, which makes no release', async () => {
    const { context, log, commit } = await rig();
    const ledger = await openRoundLedger(context, planOf({ mode: 'local' }), commit, forever);
    await ledger.training([corner, market], commit);
    await ledger.survivors([market]);
    expect(replayLog(log.entries, planRules)).toMatchObject({ inconsistency: null, totals: { entries: 4, tasks: [{ rounds: { charged: 1, released: 0 } }] } });
  });
});

describe('a round that asks for witnesses', () => {
  it('waits until enough have signed a head above its plan', async () => {
    const { context, cosign, clock, record, commit } = await rig({ quorum: 1 });
    await cosign();
    let isOpen = false;
    const opening = openRoundLedger(context, planOf(), commit, forever).then((ledger) => {
      isOpen = true;
      return ledger;
    });
    await expect.poll(() => record.size).toBe(1);
    clock.advance(4_999);
    expect(isOpen).toBe(false);
    await cosign();
    const { evidence } = await opening;
    await openEvidence(planEntry(planOf()), evidence, recordKey.publicKey, { witnesses, quorum: 1 });
    expect(clock.pending).toBe(0);
  });

  it('fails when they do not sign in time, or when the coordinator stops', async () => {
    const late = await rig({ quorum: 1 });
    const opening = expect(openRoundLedger(late.context, planOf(), late.commit, forever)).rejects.toMatchObject({ code: 'round.failed' });
    await expect.poll(() => late.clock.pending).toBe(1);
    late.clock.advance(5_000);
    await opening;
    const stopped = await rig({ quorum: 1 });
    const stopping = new AbortController();
    const other = expect(openRoundLedger(stopped.context, planOf(), stopped.commit, stopping.signal)).rejects.toMatchObject({ code: 'round.failed' });
    await expect.poll(() => stopped.clock.pending).toBe(1);
    stopping.abort();
    await other;
    expect([late.failed, stopped.failed, stopped.clock.pending]).toEqual([['trial-1 round.failed'], ['trial-1 round.failed'], 0]);
  });
});

describe('the order of things in a round', () => {
  it('is: charge with roster and spend, train; release with survivors and result, news', async () => {
    const order: string[] = [];
    const note = (what: string) => async (_about: unknown, commit: Commit) => {
      await commit({ position: 0, entries: [] });
      order.push(...round.log.splice(0), what);
    };
    const round = roundRig(['a', 'b'], {}, { ledger: { training: note('roster and spend'), released: note('survivors and result') } });
    round.join('a', 'b');
    await round.settle();
    for (const shop of ['a', 'b']) round.report(shop);
    await round.run.ended;
    expect(order).toEqual([
      'a <- invite', 'b <- invite', 'disk: charged, 2 members', 'roster and spend',
      'a <- train', 'b <- train', 'a <- upload', 'b <- upload', 'disk: a reported, b reported', 'a <- accepted', 'b <- accepted',
      'disk: release', 'survivors and result',
    ]);
    expect(round.log).toEqual(['a <- round-done', 'b <- round-done']);
  });

  it('tells nobody to train when the spend cannot be recorded, and announces no release without its entry', async () => {
    const fail = () => Promise.reject(new CestaError('storage.failed', 'no space'));
    const early = roundRig(['a', 'b'], {}, { ledger: { training: fail } });
    early.join('a', 'b');
    expect((await early.run.ended).round).toMatchObject({ phase: 'failed', code: 'storage.failed' });
    expect(early.log.filter((line) => line.includes('train'))).toEqual([]);
    const late = roundRig(['a', 'b'], {}, { ledger: { released: fail } });
    late.join('a', 'b');
    await late.settle();
    for (const shop of ['a', 'b']) late.report(shop);
    expect((await late.run.ended).round).toMatchObject({ phase: 'failed' });
  });
});
