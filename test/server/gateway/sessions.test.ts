import { describe, expect, it } from 'vitest';
import { createSessions } from '../../../server/gateway/sessions.ts';
import type { Link } from '../../../server/gateway/link.ts';

const link: Link = { send: () => true, refuse: () => undefined, expel: () => undefined, close: () => undefined, terminate: () => undefined };

describe('sessions nobody is connected with', () => {
  it('are kept for those who come back, and forgotten from the oldest on when there are too many', () => {
    let tokens = 0;
    const sessions = createSessions(() => `token ${(tokens += 1)}`, 2);
    const token = new Map(['a', 'b', 'c', 'd'].map((name) => [name, sessions.claim(name, link, undefined).token]));
    for (const name of ['a', 'b', 'c']) sessions.leave(name);
    expect(sessions.claim('a', link, token.get('a')).resumed).toBe(false);
    expect(sessions.claim('b', link, token.get('b')).resumed).toBe(true);
    expect(sessions.claim('c', link, token.get('c')).resumed).toBe(true);
    expect(sessions.linkOf('d')).toBe(link);
  });
});
