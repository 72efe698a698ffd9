import { describe, expect, it } from 'vitest';
import { createAggregation } from '../../server/aggregation.ts';
import type { Receipts } from '../../server/receipts.ts';
import { makeReceipt } from '../../shared/ledger/receipt.ts';
import { key } from './support/round-rig.ts';
import { createStragglers, type LateEvent, type Stragglers } from '../../server/stragglers.ts';
import { createStagingAreas } from '../../server/uploads.ts';
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { fakeClock, type FakeClock } from './support/fake-clock.ts';
import { planOf, silent } from './support/fixtures.ts';
import { digestOf } from './support/test-client.ts';

interface Rig {
  readonly stragglers: Stragglers;
  readonly clock: FakeClock;
  readonly log: string[];
  readonly late: string[];
  /** A round with these members, of whom the stragglers have not reported when it closes. */
  readonly close: (number: number, reported: readonly string[], slow: readonly string[], changes?: Partial<Plan>, receipts?: Partial<Receipts>) => Plan;
  /** Announces and sends a whole report. */
  readonly report: (participant: string, plan: Plan, units?: number) => void;
  readonly announce: (participant: string, plan: Plan, units?: number) => void;
  readonly send: (participant: string, plan: Plan, units?: number) => boolean;
}

/** A disk that takes no time. */
function receiptsAtOnce({ round }: Plan, log: string[]): Receipts {
  const say = (participant: string): void => void log.push(`${participant} <- accepted ${round}`);
  const receipt = makeReceipt(key, { round, planHash: 'a'.repeat(64), shop: 'shop', node: 'b'.repeat(64), sha256: 'c'.repeat(64), acceptedAt: '2026-01-01T00:00:00.000Z' });
  return { report: say, exclude: () => undefined, of: () => receipt, settled: () => Promise.resolve(null) };
}

function rigOf(maxStaleness: number, areas = createStagingAreas(2)): Rig {
  const clock = fakeClock();
  const log: string[] = [];
  const late: string[] = [];
  const stragglers = createStragglers({
    maxStaleness, logger: silent, clock, onChange: () => undefined,
    gateway: { send: (to, message) => log.push(`${to} <- ${message.type}${'round' in message ? ` ${message.round}` : ''}`) > 0 },
  });
  const vector = (plan: Plan, units: number): Int32Array => new Int32Array(plan.statisticLength).fill(units * plan.bounds.gridScale);
  const rig: Rig = {
    stragglers, clock, log, late,
    close(number, reported, slow, changes = {}, receipts = {}) {
      const plan = { ...planOf({ buffered: maxStaleness, target: 4 }, number), ...changes };
      const onLate = (event: LateEvent, participant: string): void => void late.push(`${event} ${participant}`);
      const carried = stragglers.open(plan, onLate);
      for (const participant of [...reported, ...slow]) expect(carried.has(participant)).toBe(false);
      const aggregation = createAggregation({ plan, clock, areas, stallMs: 30_000, onGrant: (to) => void (slow.includes(to) && log.push(`${to} <- upload ${plan.round}`)), onStall: (participant, error) => void stragglers.exclude(participant, error) });
      for (const participant of reported) {
        const update = vector(plan, 1);
        aggregation.announce(participant, { length: update.length, sha256: digestOf(update) });
        aggregation.take(participant, 0, update);
        aggregation.accumulate(participant);
      }
      stragglers.adopt({ plan, aggregation, receipts: { ...receiptsAtOnce(plan, log), ...receipts } }, slow);
      return plan;
    },
    announce(participant, plan, units = 1) {
      const update = vector(plan, units);
      expect(stragglers.message(participant, { type: 'report', seq: 1, round: plan.round, planHash: planHash(plan), length: update.length, sha256: digestOf(update) })).toBe(true);
    },
    send: (participant, plan, units = 1) => stragglers.chunk(participant, { round: plan.round, seq: 1, offset: 0, data: vector(plan, units) }),
    report(participant, plan, units) {
      rig.announce(participant, plan, units);
      expect(rig.send(participant, plan, units)).toBe(true);
    },
  };
  return rig;
}

const agesOf = (stragglers: Stragglers): string[] => stragglers.take().map(({ staleness, participants }) => `${participants} of age ${staleness}`);
const release = (version: number) => ({ version, sha256: 'e'.repeat(64) });

describe('the buffer', () => {
  it('takes late reports by the age of their plan, each once, and is empty after a release', () => {
    const { stragglers, close, report } = rigOf(3);
    const first = close(1, ['a', 'b'], ['s', 't']);
    expect(agesOf(stragglers)).toEqual(['2 of age 0']);
    stragglers.released(release(1));
    report('s', first);
    expect(stragglers.held).toBe(1);
    close(2, ['a', 'b'], []);
    expect(agesOf(stragglers)).toEqual(['1 of age 1', '2 of age 0']);
    stragglers.released(release(2));
    report('t', first);
    close(3, ['a'], []);
    expect(agesOf(stragglers)).toEqual(['1 of age 2', '1 of age 0']);
    expect(agesOf(stragglers)).toEqual([]);
  });

  it('has at most maxStaleness + 1 vectors and as many plans, however many shops are slow', () => {
    const { stragglers, close, report } = rigOf(2);
    const plans: Plan[] = [];
    for (let number = 1; number <= 8; number += 1) {
      const slow = Array.from({ length: 50 }, (_, i) => `slow-${number}-${i}`);
      // Two of every plan that is still admitted come just now.
      for (const plan of plans.slice(-2)) for (const i of [2 * (number % 20), 2 * (number % 20) + 1]) report(`slow-${plans.indexOf(plan) + 1}-${i}`, plan);
      plans.push(close(number, ['a', 'b'], slow));
      const parts = stragglers.take();
      expect(parts.map(({ staleness }) => staleness)).toEqual([2, 1, 0].slice(-Math.min(number, 3)));
      stragglers.released(release(number));
      expect(plans.filter((_, index) => stragglers.isBusy(`slow-${index + 1}-0`)).length).toBeLessThanOrEqual(2);
    }
  });

  it('gives the vector of a plan up when nobody is waited for any more', () => {
    const { stragglers, close, log } = rigOf(2);
    const first = close(1, ['a', 'b'], ['s']);
    stragglers.take();
    stragglers.released(release(1));
    expect(stragglers.message('s', { type: 'leave', seq: 1, round: first.round })).toBe(true);
    expect(stragglers.isBusy('s')).toBe(false);
    // Pieces that are still on the way are nobody's fault.
    expect(stragglers.chunk('s', { round: first.round, seq: 2, offset: 0, data: Int32Array.of(1) })).toBe(true);
    expect(log).toEqual([]);
  });

  it('tells the open round what comes and who is lost', () => {
    const { stragglers, close, report, late } = rigOf(2);
    const first = close(1, ['a', 'b'], ['s', 't', 'u']);
    stragglers.take();
    stragglers.released(release(1));
    expect([...stragglers.open(planOf({ buffered: 2 }, 2), (event, participant) => void late.push(`${event} ${participant}`))]).toEqual([['s', 'working'], ['t', 'working'], ['u', 'working']]);
    report('s', first);
    stragglers.restarted('t');
    // A connection that ends is no loss.
    stragglers.left('u');
    expect(late).toEqual(['late-report s', 'late-loss t']);
  });
});

describe('a plan whose receipts the disk does not take', () => {
  it('is given up with all its reports, so that it fails one round and not every one after it', async () => {
    const { stragglers, close, report, log } = rigOf(3);
    const failure = new CestaError('storage.failed', 'no space left on /var/lib/cesta');
    const first = close(1, ['a', 'b'], ['s', 't'], {}, { settled: () => Promise.resolve(failure) });
    stragglers.take();
    stragglers.released(release(1));
    report('s', first);
    close(2, ['a', 'b'], []);
    expect(await stragglers.settled()).toBe(failure);
    expect(log.slice(-2).sort()).toEqual(['s <- round-failed trial-1', 't <- round-failed trial-1']);
    expect(stragglers.held).toBe(0);
    expect(stragglers.isBusy('s')).toBe(false);
    expect(await stragglers.settled()).toBeNull();
    expect(agesOf(stragglers)).toEqual(['2 of age 0']);
  });
});

describe('while a release is made', () => {
  it('a whole report waits, and is in the next sum with the age it then has', () => {
    const { stragglers, close, report, log } = rigOf(2);
    const first = close(1, ['a', 'b'], ['s']);
    report('s', first, 5);
    expect(agesOf(stragglers)).toEqual(['2 of age 0']);
    expect(log).toEqual(['s <- upload trial-1']);
    stragglers.released(release(1));
    expect(log.at(-1)).toBe('s <- accepted trial-1');
    close(2, ['a'], []);
    const [older] = stragglers.take();
    expect(older).toMatchObject({ participants: 1, staleness: 1 });
    expect([...older.reports.sum]).toEqual([5, 5, 5, 5]);
  });

  it('a whole report that the release makes too old is in no sum, and its shop is told so', () => {
    const { stragglers, close, report, log } = rigOf(1);
    const first = close(1, ['a', 'b'], ['s']);
    stragglers.take();
    stragglers.released(release(1));
    close(2, ['a', 'b'], []);
    report('s', first);
    stragglers.take();
    stragglers.released(release(2));
    expect(log).toEqual(['s <- upload trial-1', 's <- round-done trial-1']);
    close(3, ['a'], []);
    expect(agesOf(stragglers)).toEqual(['1 of age 0']);
  });

  it('and it fails: its own stragglers are out, what was taken is lost and said so, and what came meanwhile counts', () => {
    const { stragglers, close, report, log, clock } = rigOf(2);
    const first = close(1, ['a', 'b'], ['s', 't']);
    stragglers.take();
    stragglers.released(release(1));
    report('s', first);
    const second = close(2, ['a', 'b'], ['u']);
    stragglers.take();
    report('t', first);
    log.length = 0;
    stragglers.failed({ type: 'round-failed', round: second.round, code: 'storage.failed', message: 'no space left' });
    expect(log).toEqual(['s <- round-failed trial-1', 't <- accepted trial-1']);
    expect(['s', 't', 'u'].map((name) => stragglers.isBusy(name))).toEqual([false, true, false]);
    close(3, ['a'], []);
    expect(agesOf(stragglers)).toEqual(['1 of age 1', '1 of age 0']);
    stragglers.released(release(2));
    expect(clock.pending).toBe(0);
  });
});

describe('older plans', () => {
  it('of another model are given up when a round opens: their reports fit no sum of it', () => {
    const { stragglers, close, report, log } = rigOf(5);
    const first = close(1, ['a', 'b'], ['s', 't']);
    stragglers.take();
    stragglers.released(release(1));
    report('s', first);
    log.length = 0;
    close(2, ['a', 'b'], [], { model: { kind: 'popularity', hyperParameters: { other: true } } });
    expect(log).toEqual(['t <- round-done trial-1', 's <- round-done trial-1']);
    expect(agesOf(stragglers)).toEqual(['2 of age 0']);
  });

  it('share staging areas with the open round: who waits gets one as soon as any is free', () => {
    const { stragglers, close, announce, send, log, clock } = rigOf(3, createStagingAreas(1));
    const first = close(1, ['a'], ['s']);
    stragglers.take();
    stragglers.released(release(1));
    const second = close(2, ['a'], ['t']);
    stragglers.take();
    stragglers.released(release(2));
    announce('s', first);
    announce('t', second);
    expect(log).toEqual(['s <- upload trial-1']);
    send('s', first);
    expect(log.slice(1)).toEqual(['t <- upload trial-2', 's <- accepted trial-1']);
    send('t', second);
    expect(log.at(-1)).toBe('t <- accepted trial-2');
    close(3, ['a'], []);
    stragglers.take();
    stragglers.released(release(3));
    expect(clock.pending).toBe(0);
  });

  it('lose a straggler whose upload stalls', () => {
    const { stragglers, close, announce, clock, log } = rigOf(3);
    const first = close(1, ['a'], ['s']);
    stragglers.take();
    stragglers.released(release(1));
    announce('s', first);
    clock.advance(30_000);
    expect(log.at(-1)).toBe('s <- round-failed trial-1');
    expect(stragglers.isBusy('s')).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('give silent stragglers up when so many rounds could have run to their deadlines, and invite them again', () => {
    const { stragglers, close, report, clock, log, late } = rigOf(3);
    const first = close(1, ['a'], ['s', 't']);
    stragglers.take();
    stragglers.released(release(1));
    report('t', first);
    stragglers.open(planOf({ buffered: 3 }, 2), (event, participant) => void late.push(`${event} ${participant}`));
    clock.advance(3 * first.deadlines.trainingMs - 1);
    expect(stragglers.isBusy('s')).toBe(true);
    clock.advance(1);
    expect(log.at(-1)).toBe('s <- round-done trial-1');
    expect(late).toEqual(['late-loss s']);
    expect(['s', 't'].map((name) => stragglers.isBusy(name))).toEqual([false, true]);
    expect(clock.pending).toBe(0);
  });

  it('leave no timer behind when all ends', () => {
    const { stragglers, close, announce, clock, log } = rigOf(3);
    const first = close(1, ['a'], ['s', 't']);
    stragglers.take();
    stragglers.released(release(1));
    announce('s', first);
    stragglers.close('the coordinator is stopping');
    expect(log.slice(-2).sort()).toEqual(['s <- round-failed trial-1', 't <- round-failed trial-1']);
    expect(clock.pending).toBe(0);
    expect(stragglers.isBusy('t')).toBe(false);
  });
});
