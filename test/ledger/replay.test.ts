import { describe, expect, it } from 'vitest';
import { planEvents } from '../../shared/federation/plan-cost.ts';
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import { cumulate, decodeEntry, encodeEntry, isProven, membersOf, planEntry, spendEntry, type LogEntry, type LogEntryOf } from '../../shared/ledger/log-entries.ts';
import { planRules } from '../../shared/ledger/plan-rules.ts';
import { createReplay, replayLog, type Inconsistency } from '../../shared/ledger/replay.ts';
import { statement } from '../../shared/secagg/labels.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { ledgerOrders } from '../../shared/privacy/budget.ts';
import { bytesToHex } from '../../shared/protocol/digest.ts';
import { planOf } from '../server/support/fixtures.ts';

const zeros = ledgerOrders.map(() => 0);
const shops = ['1', '2', '3'].map((digit) => digit.repeat(64));

const plans = [1, 2].map((number) => planOf({ mode: 'local', rounds: 2 }, number));

interface Story {
  readonly plan: LogEntryOf<'round-plan'>;
  readonly roster: LogEntryOf<'roster'>;
  readonly spend: LogEntryOf<'budget-spend'>;
  readonly survivors: LogEntryOf<'survivors'>;
  readonly result: LogEntryOf<'round-result'>;
}

/** A round as it ought to be recorded. */
function storyOf(plan: Plan, version: number, before: readonly (number | null)[]): Story {
  const ref = { task: plan.task, round: plan.round, planHash: planHash(plan) };
  return {
    plan: planEntry(plan),
    roster: { type: 'roster', ...ref, members: membersOf(shops) },
    spend: spendEntry(ref, planEvents(plan), before),
    survivors: { type: 'survivors', ...ref, members: membersOf(shops.slice(1)) },
    result: { type: 'round-result', ...ref, version, release: String(version).repeat(64) },
  };
}

const first = storyOf(plans[0], 1, zeros);
const second = storyOf(plans[1], 2, cumulate(zeros, planEvents(plans[0])));
const inOrder = ({ plan, roster, spend, survivors, result }: Story): LogEntry[] => [plan, roster, spend, survivors, result];
const honest = [...inOrder(first), ...inOrder(second)];

function inconsistencyOf(entries: readonly LogEntry[]): Inconsistency | null {
  return replayLog(entries.map(encodeEntry), planRules).inconsistency;
}

describe('the replay of a log', () => {
  it('adds up what an honest log says', () => {
    const { totals, inconsistency } = replayLog(honest.map(encodeEntry), planRules);
    expect(inconsistency).toBeNull();
    expect(totals).toMatchObject({ entries: 10, equivocations: 0, nodes: { enrolled: 0, revoked: 0 } });
    expect(totals.tasks).toMatchObject([{ task: 'trial', plans: 2, rounds: { charged: 2, released: 2 }, release: { version: 2, sha256: '2'.repeat(64) } }]);
    expect(totals.tasks[0].events).toEqual(plans.flatMap(planEvents));
    expect(totals.tasks[0].rdp).toEqual(cumulate(zeros, plans.flatMap(planEvents)).map((value) => expect.closeTo(value ?? NaN, 9) as unknown));
  });

  it('keeps the hash that the federation computes', () => {
    expect(first.plan.planHash).toBe(planHash(plans[0]));
  });

  const { plan, roster, spend, survivors, result } = first;
  const otherTask = { ...plans[0], task: 'other' };
  const bad = 'f'.repeat(64);
  const cases: readonly [name: string, entries: readonly LogEntry[], index: number, reason: string][] = [
    ['a second plan for a round', [plan, { ...plan }], 1, 'expected one plan, got a second'],
    ['a plan under a hash that is not its own', [{ ...plan, planHash: bad }], 0, `got ${bad}`],
    ['a spend before its plan', [spend, plan], 0, 'expected the plan before it, got none'],
    ['a spend that names another plan', [plan, { ...spend, planHash: bad }], 1, 'expected the plan'],
    ['a spend for another task', [plan, { ...spend, task: 'other' }], 1, 'expected task trial, got other'],
    ['a second spend', [plan, spend, spend], 2, 'expected one spend, got a second'],
    ['a spend that says less than its plan costs', [plan, { ...spend, events: spend.events.map((event) => ({ ...event, variance: 1e9 })) }], 1, 'expected the events of its plan'],
    ['a spend that says nothing', [plan, { ...spend, events: [] }], 1, 'expected the events of its plan'],
    ['a spend that forgets the rounds before', [plan, spend, result, second.plan, { ...second.spend, cumulative: spend.cumulative }], 4, 'expected cumulative RDP'],
    ['cumulative RDP at other orders', [plan, { ...spend, cumulative: { orders: [2], rdp: [0.1] } }], 1, 'expected RDP at the orders'],
    ['cumulative RDP of another length', [plan, { ...spend, cumulative: { ...spend.cumulative, rdp: [...spend.cumulative.rdp, 1] } }], 1, 'another list'],
    ['a result before its spend', [plan, roster, result], 2, 'expected the spend before it, got none'],
    ['a result without a plan', [result], 0, 'expected the plan before it, got none'],
    ['a second result', [plan, spend, result, { ...result, version: 2, release: bad }], 3, 'nothing after the result'],
    ['survivors after the result', [plan, roster, spend, result, survivors], 4, 'nothing after the result'],
    ['a second roster', [plan, roster, { ...roster, members: membersOf(shops.slice(1)) }], 2, 'expected one roster, got a second'],
    ['a second set of survivors', [plan, roster, spend, survivors, { ...survivors, members: roster.members }], 4, 'expected one set of survivors, got a second'],
    ['survivors without a roster', [plan, spend, survivors], 2, 'expected the roster before them'],
    ['survivors before the spend', [plan, roster, survivors], 2, 'expected the spend before them'],
    ['more survivors than members', [plan, roster, spend, { ...survivors, members: { ...survivors.members, count: 4 } }], 3, 'expected at most the 3 of the roster, got 4'],
    ['a version that is not new', [plan, spend, result, second.plan, second.spend, { ...second.result, version: 1 }], 5, 'expected a version above 1, got 1'],
    ['one release for two rounds', [plan, spend, result, second.plan, second.spend, { ...second.result, release: result.release }], 5, 'expected a release of its own'],
    ['the plan of no known version', [planEntry({ ...plans[0], protocol: 99 } as unknown as Plan)], 0, 'plan of trial-1'],
    ['a round moved to another task', [plan, planEntry(otherTask)], 1, 'expected one plan, got a second'],
    ['a task that changes its promise', [plan, planEntry(planOf({ mode: 'none' }, 2))], 1, 'expected the terms of task trial'],
    ['a node enrolled twice', [{ type: 'node-enrolled', node: bad }, { type: 'node-enrolled', node: bad }], 1, 'expected one enrolment'],
    ['a node revoked twice', [{ type: 'node-revoked', node: bad, reason: 'expelled' }, { type: 'node-revoked', node: bad, reason: 'retired' }], 1, 'one revocation'],
  ];
  it.each(cases)('finds %s', (_name, entries, index, reason) => {
    const found = inconsistencyOf(entries);
    expect(found?.index).toBe(index);
    expect(found?.reason).toContain(reason);
  });

  const candidate: LogEntry[] = [plan, spend, { ...result, held: true }];
  const served = (changes: Partial<LogEntryOf<'release-served'>> = {}): LogEntryOf<'release-served'> => ({ type: 'release-served', task: 'trial', version: 1, release: result.release, change: 'promotion', reason: 'operator', ...changes });
  const rolledBack = served({ version: 3, release: '3'.repeat(64), restores: 1, change: 'rollback' });

  it('tells what is served from what was held back, promoted and rolled back', () => {
    const totalsAfter = (entries: readonly LogEntry[]) => replayLog(entries.map(encodeEntry), planRules).totals.tasks[0];
    expect(totalsAfter(candidate)).toMatchObject({ rounds: { released: 1, held: 1 }, release: null });
    expect(totalsAfter([...candidate, served()])).toMatchObject({ rounds: { released: 1, held: 0 }, release: { version: 1, sha256: result.release, restores: null } });
    const restored = [...honest, rolledBack];
    expect(inconsistencyOf(restored)).toBeNull();
    expect(totalsAfter(restored)).toMatchObject({ rounds: { released: 2, held: 0 }, release: { version: 3, sha256: rolledBack.release, restores: { version: 1, sha256: result.release } } });
  });

  const nextHeld: LogEntry[] = [second.plan, second.spend, { ...second.result, held: true }];
  const changes: readonly [name: string, entries: readonly LogEntry[], index: number, reason: string][] = [
    ['what is served and nobody made', [plan, spend, served()], 2, 'expected one that was held back'],
    ['what is served in a task of no plan', [served()], 0, 'expected one that was held back'],
    ['what is served and was not held back', [plan, spend, result, served()], 3, 'expected one that was held back'],
    ['what is served twice', [...candidate, served(), served()], 4, 'expected one that was held back'],
    ['what is served under another digest', [...candidate, served({ release: bad })], 3, 'expected one that was held back'],
    ['what is served below what was served', [...candidate, ...inOrder(second), served()], 8, 'expected a version above 2, which was served, got 1'],
    ['a restoration of what nobody made', [...honest, { ...rolledBack, restores: 3 }], 10, 'expected it to restore the release of a round'],
    ['a restoration of a restoration, whose parameters are of a round', [...honest, rolledBack, { ...rolledBack, version: 4, release: bad, restores: 3 }], 11, 'expected it to restore the release of a round'],
    ['a restoration under a version that is not new', [...honest, { ...rolledBack, version: 2 }], 10, 'expected a version above 2, got 2'],
    ['a restoration under the digest of the old release', [...honest, { ...rolledBack, release: result.release }], 10, 'expected a release of its own'],
    ['a result below a restoration', [...inOrder(first), { ...rolledBack, version: 2 }, ...inOrder(second)], 10, 'expected a version above 2, got 2'],
    ['a result below a candidate', [plan, spend, { ...result, version: 2, held: true }, second.plan, second.spend, { ...second.result, version: 1 }], 5, 'expected a version above 2, got 1'],
  ];
  it.each(changes)('finds %s', (_name, entries, index, reason) => {
    const found = inconsistencyOf(entries);
    expect(found?.index).toBe(index);
    expect(found?.reason).toContain(reason);
  });

  it('lets a candidate be served while a later one is held', () => {
    expect(inconsistencyOf([...candidate, ...nextHeld, served(), served({ version: 2, release: second.result.release })])).toBeNull();
    expect(inconsistencyOf([...candidate, ...nextHeld, served({ version: 2, release: second.result.release }), served()])?.index).toBe(7);
  });

  it('finds a budget that is overspent, though every sum is right', () => {
    const once = planOf({ mode: 'local', rounds: 1 }, 1);
    const twice = { ...once, round: 'trial-2' };
    const a = storyOf(once, 1, zeros);
    const b = storyOf(twice, 2, cumulate(zeros, planEvents(once)));
    expect(inconsistencyOf([...inOrder(a), b.plan])).toBeNull();
    expect(inconsistencyOf([...inOrder(a), b.plan, b.roster, b.spend])).toMatchObject({ index: 7, reason: expect.stringContaining('all of the budget') as unknown });
  });

  it('names the first inconsistency and counts what came before it', () => {
    const entries = [...inOrder(first), second.result, first.plan];
    const { totals, inconsistency } = replayLog(entries.map(encodeEntry), planRules);
    expect(inconsistency?.index).toBe(5);
    expect(totals.entries).toBe(5);
  });

  it('finds that a plan, a roster or a spend was left out of the middle', () => {
    for (let out = 0; out < 8; out += 1) {
      const rest = honest.filter((_, i) => i !== out);
      const isFound = inconsistencyOf(rest) !== null;
      // Leaving out survivors or a result contradicts nothing: a round may fail.
      expect([out, isFound]).toEqual([out, ![3, 4].includes(out)]);
    }
  });

  it('leaves what it knows as it was when it refuses an entry', () => {
    const replay = createReplay(planRules);
    for (const entry of inOrder(first)) replay.add(entry);
    const before = JSON.stringify(replay.totals());
    for (const entry of [second.spend, second.result, first.plan, { ...second.plan, planHash: bad }]) expect(() => replay.add(entry)).toThrow();
    expect(JSON.stringify(replay.totals())).toBe(before);
    expect(replay.rdpOf('trial')).toEqual(first.spend.cumulative.rdp);
    expect(replay.rdpOf('nothing')).toEqual(zeros);
  });

  it('takes spends as said by whoever wrote them, and rounds that promise nothing', () => {
    const plan0 = planOf({ mode: 'none' });
    const story = storyOf(plan0, 1, zeros);
    expect(story.spend.events).toEqual([]);
    expect(inconsistencyOf(inOrder(story))).toBeNull();
    expect(replayLog(honest.map(encodeEntry), null).inconsistency).toBeNull();
  });
});

describe('log entries', () => {
  it('have one form in bytes', () => {
    for (const entry of honest) expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
    const text = new TextDecoder().decode(encodeEntry(first.roster));
    for (const changed of [` ${text}`, text.replace('"members"', '"extra":1,"members"'), `\ufeff${text}`, text.replace('{"', '{ "'), '{}', '', '[', 'null']) {
      expect(() => decodeEntry(new TextEncoder().encode(changed))).toThrow(expect.objectContaining({ code: 'protocol.malformed' }));
    }
    expect(() => decodeEntry(Uint8Array.of(0xff))).toThrow('UTF-8');
    expect(() => decodeEntry(new TextEncoder().encode('{"node":"x","type":"__proto__"}'))).toThrow('log entry');
  });

  it('that no bundle can carry are refused when they are made', () => {
    const plan = { ...plans[0], model: { kind: 'popularity', hyperParameters: { text: 'x'.repeat(70_000) } } } as Plan;
    expect(() => encodeEntry(planEntry(plan))).toThrow(expect.objectContaining({ code: 'protocol.too-large' }));
  });

  it('name a set of shops in any order by one root', () => {
    expect(membersOf([...shops].reverse())).toEqual(membersOf([...shops, shops[0]]));
    expect(membersOf(shops)).not.toEqual(membersOf(shops.slice(1)));
    expect(membersOf(shops).count).toBe(3);
  });

  it('carry infinite RDP as null, for ever after', () => {
    const infinite = zeros.map(() => null);
    expect(cumulate(infinite, [])).toEqual(infinite);
  });

  it('prove that a shop said two things', async () => {
    const key = signingKey(new Uint8Array(32).fill(9));
    const say = (text: string): { statement: string; signature: string } => {
      const bytes = statement('r3', new Uint8Array(32), text);
      return { statement: bytesToHex(bytes), signature: key.sign(bytes) };
    };
    const entry: LogEntryOf<'equivocation'> = { type: 'equivocation', node: key.publicKey, round: 'trial-1', first: say('yes'), second: say('no') };
    expect(await isProven(entry)).toBe(true);
    expect(await isProven({ ...entry, second: entry.first })).toBe(false);
    expect(await isProven({ ...entry, second: { ...entry.second, signature: entry.first.signature } })).toBe(false);
    expect(await isProven({ ...entry, node: bytesToHex(new Uint8Array(32)) })).toBe(false);
    expect(inconsistencyOf([{ ...entry, second: entry.first }])?.reason).toContain('one twice');
  });
});
