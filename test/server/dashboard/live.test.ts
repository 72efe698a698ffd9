/** The feed alone, over responses that are looked into and time that is moved. */
import { describe, expect, it } from 'vitest';
import { createLive, type LiveFeed, type LiveLimits, type StreamResponse } from '../../../server/dashboard/live.ts';
import { liveSchema, type Live } from '../../../server/dashboard/schemas.ts';
import { everybodyIn, withState } from '../../../shared/federation/member-states.ts';
import type { Round } from '../../../shared/federation/round.ts';
import type { InviteeState, MemberState } from '../../../shared/federation/round-state.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { planOf, silent, taskOf } from '../support/fixtures.ts';

interface Rig {
  readonly live: LiveFeed;
  readonly clock: FakeClock;
  /** Counted so far; changing it is news. */
  readonly figures: { logSize: number; reads: number };
  /** Lets time pass, and what that starts come to its end. */
  readonly pass: (ms: number) => Promise<void>;
}

interface Listener extends StreamResponse {
  readonly written: string[];
  readonly state: { isEnded: boolean; isDestroyed: boolean };
  backlog: number;
  hangUp(): void;
}

function rig(limits: Partial<LiveLimits> = {}): Rig {
  const clock = fakeClock();
  const figures = { logSize: 0, reads: 0 };
  const live = createLive({ clock, logger: silent, tally: () => ({ bytesUp: 1, bytesDown: 2, refused: 0 }), isMeasured: false, limits });
  const nothing = (): Promise<never> => Promise.reject(new Error('not asked for here'));
  live.watch({
    connections: () => 0, shopsReady: () => 0,
    logSize: () => {
      figures.reads += 1;
      return figures.logSize;
    },
    budgets: () => Promise.resolve([{ task: 'trial', epsilonSpent: 1, epsilonLeft: 2, epsilonLimit: 3, delta: 1e-5 }]),
    tasks: () => [{ spec: taskOf(), state: 'active', releases: { current: null, find: nothing, form: nothing, list: nothing }, schedule: { phase: 'waiting', over: null } }],
    lastRound: () => Promise.resolve(null),
  });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    live, clock, figures,
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 50) {
        clock.advance(50);
        await settle();
      }
    },
  };
}

function listener(): Listener {
  const written: string[] = [];
  const state = { isEnded: false, isDestroyed: false };
  let hangUp: () => void = () => undefined;
  const response = {
    written, state, backlog: 0,
    get writableLength() {
      return response.backlog;
    },
    write: (text: string) => written.push(text) > 0,
    end(text: string) {
      written.push(text);
      state.isEnded = true;
    },
    destroy: () => void (state.isDestroyed = true),
    once: (_event: string, action: () => void) => void (hangUp = action),
    writeHead: () => undefined,
    flushHeaders: () => undefined,
    hangUp: () => hangUp(),
  };
  return response as unknown as Listener;
}

const idsOf = ({ written }: Listener): number[] => written.flatMap((text) => (text.startsWith('id: ') ? [Number(/^id: (\d+)/.exec(text)?.[1])] : []));
const eventsOf = ({ written }: Listener): Live[] => written.flatMap((text) => (text.startsWith('id: ') ? [liveSchema.parse(JSON.parse(text.split('\ndata: ')[1]))] : []));
const codeOf = (action: () => void): string => {
  try {
    action();
    return 'ok';
  } catch (error) {
    return error instanceof CestaError ? error.code : String(error);
  }
};

describe('the feed of a coordinator', () => {
  it('tells what is so at once, then only what has changed, in order and at most once in an interval', async () => {
    const { live, figures, pass } = rig({ intervalMs: 250 });
    const reader = listener();
    live.stream(reader);
    await pass(1000);
    expect(eventsOf(reader).map(({ logSize }) => logSize)).toEqual([0]);
    for (let change = 1; change <= 40; change += 1) {
      figures.logSize = change;
      await pass(50);
    }
    await pass(300);
    const sizes = eventsOf(reader).map(({ logSize }) => logSize);
    expect(sizes.at(-1)).toBe(40);
    expect(sizes.length).toBeGreaterThan(4);
    // Two seconds of changes, and the first event before them.
    expect(sizes.length).toBeLessThanOrEqual(1 + 2 * 4 + 1);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(idsOf(reader)).toEqual(sizes.map((_, index) => index + 1));
  });

  it('gives each reader the same events, whenever it came', async () => {
    const { live, figures, pass } = rig();
    const [early, late] = [listener(), listener()];
    live.stream(early);
    await pass(300);
    figures.logSize = 1;
    await pass(300);
    live.stream(late);
    await pass(300);
    figures.logSize = 2;
    await pass(300);
    expect([idsOf(early), idsOf(late)]).toEqual([[1, 2, 3], [2, 3]]);
    expect(late.written[0]).toBe(early.written[1].replace(/"at":"[^"]*"/, () => /"at":"[^"]*"/.exec(late.written[0])?.[0] ?? ''));
  });

  it('says that it is still there when nothing happens', async () => {
    const { live, pass } = rig({ heartbeatMs: 15_000 });
    const reader = listener();
    live.stream(reader);
    await pass(14_000);
    expect(reader.written).toHaveLength(1);
    await pass(17_000);
    expect(reader.written.slice(1)).toEqual([': still here\n\n', ': still here\n\n']);
  });

  it('looks at nothing while nobody watches', async () => {
    const { live, figures, clock, pass } = rig();
    const reader = listener();
    live.stream(reader);
    await pass(600);
    reader.hangUp();
    await pass(600);
    const { reads } = figures;
    await pass(5_000);
    expect([figures.reads, clock.pending]).toEqual([reads, 0]);
  });

  it('has room for so many readers, and again when one has gone', async () => {
    const { live, pass } = rig({ streams: 2 });
    const [first, second] = [listener(), listener()];
    live.stream(first);
    live.stream(second);
    expect(codeOf(() => live.stream(listener()))).toBe('limit.rate');
    first.hangUp();
    expect(codeOf(() => live.stream(listener()))).toBe('ok');
    await pass(300);
  });

  it('cuts off who does not read, and nobody else', async () => {
    const { live, figures, pass } = rig({ backlogBytes: 1000 });
    const [slow, quick] = [listener(), listener()];
    live.stream(slow);
    live.stream(quick);
    await pass(300);
    slow.backlog = 1001;
    figures.logSize = 1;
    await pass(300);
    figures.logSize = 2;
    await pass(300);
    expect([slow.state.isDestroyed, idsOf(slow)]).toEqual([true, [1]]);
    expect([quick.state.isDestroyed, idsOf(quick)]).toEqual([false, [1, 2, 3]]);
  });

  it('ends with the coordinator, and lets nobody in any more', async () => {
    const { live, clock, pass } = rig();
    const reader = listener();
    live.stream(reader);
    await pass(300);
    live.close();
    expect([reader.written.at(-1), reader.state.isEnded]).toEqual(['event: end\ndata: {}\n\n', true]);
    expect(codeOf(() => live.stream(listener()))).toBe('coordinator.draining');
    await pass(1000);
    expect(clock.pending).toBe(0);
  });

  it('shows the round that is open as it goes on, and what was known of one that failed', async () => {
    const { live, clock } = rig();
    const plan = planOf({ min: 2, target: 3 });
    const carried = { waiting: new Set<string>(), reported: 0 } as never;
    const invited = everybodyIn<InviteeState>('pending', ['a', 'b', 'c', 'd']);
    const answered = ['a', 'b', 'c'].reduce((states, id) => withState(states, id, 'joined'), invited);
    const members = withState(withState(everybodyIn<MemberState>('working', ['a', 'b', 'c']), 'b', 'reported'), 'c', 'away');
    const steps: Round[] = [
      { plan, phase: 'recruiting', invited, carried, deadline: clock.now() + 5_000 },
      { plan, phase: 'recruiting', invited: answered, carried, deadline: clock.now() + 5_000 },
      { plan, phase: 'training', members, carried, deadline: clock.now() + 20_000 },
      { plan, phase: 'failed', code: 'round.failed', reason: 'too few' },
    ];
    const shown: unknown[] = [];
    for (const step of steps) {
      live.round(step);
      shown.push((await live.snapshot()).round);
    }
    expect(shown).toMatchObject([
      { round: 'trial-1', number: 1, phase: 'recruiting', invited: 4, waiting: 4, joined: 0, declined: 0, deadlineAt: new Date(clock.date().getTime() + 5_000).toISOString(), endedAt: null },
      { invited: 4, waiting: 1, joined: 3, declined: 0 },
      { phase: 'training', invited: 4, joined: 3, working: 1, reported: 1, dropped: 1, declined: 1, deadlineAt: new Date(clock.date().getTime() + 20_000).toISOString() },
      { phase: 'failed', joined: 3, reported: 1, dropped: 2, declined: 1, deadlineAt: null, endedAt: clock.date().toISOString(), failure: { code: 'round.failed', message: 'too few' } },
    ]);
  });
});
