/**
 * Who is connected. One shop, one key, one live connection; whoever presents the token of the session takes over
 * from a connection that hangs half-open, so that a lost network does not lock a shop out. Sessions nobody is connected
 * with are forgotten when there are too many: names cost a stranger nothing.
 */
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Link } from './link.ts';

interface Session {
  readonly token: string;
  link: Link | null;
  ready: boolean;
}

export interface Claim {
  /** The token to present when reconnecting. */
  readonly token: string;
  /** Whether the shop continues the session it had, with what it knows of the open round. */
  readonly resumed: boolean;
}

export interface Sessions {
  /**
   * Makes `link` the live connection of a participant whose key was verified.
   * @throws CestaError `node.name-taken` when another connection is live and `presented` is not its token.
   */
  claim(participant: string, link: Link, presented: string | undefined): Claim;
  markReady(participant: string): void;
  /** Ends the live connection of a participant; the session can be resumed. Tells whether it was ready. */
  leave(participant: string): boolean;
  linkOf(participant: string): Link | null;
  /** Participants with a live connection. */
  connected(): string[];
  /** Participants that are connected and ready, by the time they connected. */
  ready(): string[];
}

const maxAway = 10_000;

export function createSessions(newToken: () => string, maxSessionsAway = maxAway): Sessions {
  const sessions = new Map<string, Session>();
  /** Of them, those without a connection, the longest away first. */
  const away = new Set<string>();

  function keepAway(participant: string): void {
    away.add(participant);
    for (const oldest of away) {
      if (away.size <= maxSessionsAway) return;
      away.delete(oldest);
      sessions.delete(oldest);
    }
  }

  return {
    claim(participant, link, presented) {
      const current = sessions.get(participant);
      const resumed = current !== undefined && presented === current.token;
      if (current !== undefined && current.link !== null && !resumed) {
        throw new CestaError('node.name-taken', `shop ${participant}: expected no other live connection, got one; it may be an old one that has not timed out`);
      }
      const replaced = current?.link ?? null;
      const token = newToken();
      sessions.delete(participant);
      away.delete(participant);
      sessions.set(participant, { token, link, ready: false });
      replaced?.terminate();
      return { token, resumed };
    },
    markReady(participant) {
      const session = sessions.get(participant);
      if (session !== undefined) session.ready = true;
    },
    leave(participant) {
      const session = sessions.get(participant);
      if (session === undefined) return false;
      const wasReady = session.ready;
      session.link = null;
      session.ready = false;
      keepAway(participant);
      return wasReady;
    },
    linkOf: (participant) => sessions.get(participant)?.link ?? null,
    connected: () => [...sessions].filter(([, session]) => session.link !== null).map(([participant]) => participant),
    ready: () => [...sessions].filter(([, session]) => session.ready).map(([participant]) => participant),
  };
}
