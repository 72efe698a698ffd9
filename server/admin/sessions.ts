/**
 * Who is logged in: sessions in memory alone, by the digest of what their holder presents. They end by themselves after a
 * time, and with the process. A session is worth no more than the token it came from: once that is replaced or withdrawn,
 * nobody acts under it.
 */
import { randomBytes } from 'node:crypto';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import type { Clock } from '../clock.ts';

export const sessionMs = 12 * 3_600_000;
export const idleMs = 30 * 60_000;
/** Of one operator, at a time; the oldest goes. */
const maxSessions = 32;

export interface OpenedSession {
  /** 32 random bytes, hex; kept as a digest. */
  readonly session: string;
  readonly expiresAt: string;
}

export interface Sessions {
  /** @param tokenHash of the operator, as it is now */
  open(operator: string, tokenHash: string): OpenedSession;
  /** The operator of a session that is in force, which is used by that; null for any other. */
  use(session: string): string | null;
  end(session: string): void;
}

interface Session {
  readonly operator: string;
  readonly tokenHash: string;
  readonly endsAt: number;
  usedAt: number;
}

/** @param tokenHashOf digest of the token of an operator that is in force */
export function createSessions(clock: Pick<Clock, 'now' | 'date'>, tokenHashOf: (operator: string) => string | null): Sessions {
  const sessions = new Map<string, Session>();
  const isOver = ({ operator, tokenHash, endsAt, usedAt }: Session, now: number): boolean => now >= endsAt || now - usedAt >= idleMs || tokenHashOf(operator) !== tokenHash;

  function makeRoom(operator: string, now: number): void {
    for (const [key, session] of sessions) if (isOver(session, now)) sessions.delete(key);
    const own = [...sessions].filter(([, session]) => session.operator === operator);
    for (const [key] of own.slice(0, Math.max(0, own.length - maxSessions + 1))) sessions.delete(key);
  }

  return {
    open(operator, tokenHash) {
      const now = clock.now();
      makeRoom(operator, now);
      const session = randomBytes(32).toString('hex');
      sessions.set(keyOf(session), { operator, tokenHash, endsAt: now + sessionMs, usedAt: now });
      return { session, expiresAt: new Date(clock.date().getTime() + sessionMs).toISOString() };
    },
    use(session) {
      const key = keyOf(session);
      const found = sessions.get(key);
      if (found === undefined) return null;
      const now = clock.now();
      if (isOver(found, now)) {
        sessions.delete(key);
        return null;
      }
      found.usedAt = now;
      return found.operator;
    },
    end: (session) => void sessions.delete(keyOf(session)),
  };
}

function keyOf(session: string): string {
  return sha256Hex(new TextEncoder().encode(session));
}
