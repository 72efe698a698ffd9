import { describe, expect, it } from 'vitest';
import { createSessions, idleMs, sessionMs, type Sessions } from '../../../server/admin/sessions.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';

function opened(): { clock: FakeClock; sessions: Sessions; tokens: Map<string, string> } {
  const clock = fakeClock();
  const tokens = new Map([['admin', 'a'], ['other', 'b']]);
  return { clock, tokens, sessions: createSessions(clock, (name) => tokens.get(name) ?? null) };
}

describe('a session', () => {
  it('is its operator\'s until it is ended', () => {
    const { sessions } = opened();
    const { session } = sessions.open('admin', 'a');
    expect(session).toMatch(/^[0-9a-f]{64}$/);
    expect([sessions.use(session), sessions.use('0'.repeat(64))]).toEqual(['admin', null]);
    sessions.end(session);
    expect(sessions.use(session)).toBeNull();
  });

  it('ends when nobody uses it for half an hour', () => {
    const { clock, sessions } = opened();
    const { session } = sessions.open('admin', 'a');
    clock.advance(idleMs - 1);
    expect(sessions.use(session)).toBe('admin');
    clock.advance(idleMs - 1);
    expect(sessions.use(session)).toBe('admin');
    clock.advance(idleMs);
    expect(sessions.use(session)).toBeNull();
  });

  it('ends after twelve hours, however much it is used', () => {
    const { clock, sessions } = opened();
    const { session, expiresAt } = sessions.open('admin', 'a');
    const end = Date.parse(expiresAt);
    expect(end - clock.date().getTime()).toBe(sessionMs);
    while (clock.date().getTime() + idleMs / 2 < end) {
      clock.advance(idleMs / 2);
      expect(sessions.use(session)).toBe('admin');
    }
    clock.advance(end - clock.date().getTime());
    expect(sessions.use(session)).toBeNull();
  });

  it('ends with the token that it came from', () => {
    const { sessions, tokens } = opened();
    const [replaced, removed] = [sessions.open('admin', 'a').session, sessions.open('other', 'b').session];
    tokens.set('admin', 'c').delete('other');
    expect([sessions.use(replaced), sessions.use(removed)]).toEqual([null, null]);
  });

  it('gives way when its operator opens too many, and to nobody else\'s', () => {
    const { sessions } = opened();
    const other = sessions.open('other', 'b').session;
    const all = Array.from({ length: 40 }, () => sessions.open('admin', 'a').session);
    expect(all.filter((session) => sessions.use(session) !== null)).toEqual(all.slice(8));
    expect(sessions.use(other)).toBe('other');
  });
});
