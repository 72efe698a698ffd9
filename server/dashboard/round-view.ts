/** The open round in figures and times, folded from every step of it: what a step no longer knows, the one before said. */
import { purposeOf } from '../../shared/federation/plan.ts';
import { nextDeadline, type Round } from '../../shared/federation/round.ts';
import type { Clock } from '../clock.ts';
import { publicMessage } from '../disclosure.ts';
import type { Tally } from '../metrics.ts';
import { progressOf, type RoundProgress } from '../progress.ts';
import type { LiveRound } from './schemas.ts';

/** A round so far, and what it is measured against. */
export interface RoundView {
  readonly shown: LiveRound;
  /** Of the clock. */
  readonly deadline: number | null;
  readonly bytesAtOpening: Pick<Tally, 'bytesUp' | 'bytesDown'>;
}

type Figures = Pick<LiveRound, 'invited' | 'waiting' | 'joined' | 'working' | 'reported' | 'dropped' | 'declined'>;

export function viewRound(before: RoundView | null, round: Round, { clock, tally }: { readonly clock: Pick<Clock, 'now' | 'date'>; readonly tally: Tally }): RoundView {
  const progress = progressOf(round);
  const { plan } = round;
  const last = before?.shown.round === plan.round ? before : null;
  const now = clock.date();
  const deadline = nextDeadline(round);
  // Reckoned once, or every step would move it by the time that clocks differ.
  const deadlineAt = deadline !== null && deadline === last?.deadline ? last.shown.deadlineAt : deadline === null ? null : new Date(now.getTime() + deadline - clock.now()).toISOString();
  const bytesAtOpening = last?.bytesAtOpening ?? tally;
  const isOver = progress.phase === 'done' || progress.phase === 'failed';
  return {
    deadline,
    bytesAtOpening,
    shown: {
      task: plan.task, round: plan.round, number: numberOf(plan.round), purpose: purposeOf(plan), phase: progress.phase,
      openedAt: last?.shown.openedAt ?? now.toISOString(),
      deadlineAt,
      endedAt: isOver ? (last?.shown.endedAt ?? now.toISOString()) : null,
      ...figuresOf(progress, last?.shown ?? null),
      bytesUp: tally.bytesUp - bytesAtOpening.bytesUp,
      bytesDown: tally.bytesDown - bytesAtOpening.bytesDown,
      version: progress.version,
      failure: progress.failure === null ? null : { code: progress.failure.code, message: publicMessage(progress.failure) },
    },
  };
}

/** A round goes on costing bytes between its steps. */
export function shownNow(view: RoundView | null, tally: Pick<Tally, 'bytesUp' | 'bytesDown'>): LiveRound | null {
  if (view === null || view.shown.endedAt !== null) return view?.shown ?? null;
  return { ...view.shown, bytesUp: tally.bytesUp - view.bytesAtOpening.bytesUp, bytesDown: tally.bytesDown - view.bytesAtOpening.bytesDown };
}

function numberOf(round: string): number {
  return Number(round.slice(round.lastIndexOf('-') + 1));
}

function figuresOf({ phase, pending, members, reported, away }: RoundProgress, last: Figures | null): Figures {
  const invited = Math.max(last?.invited ?? 0, pending + members);
  switch (phase) {
    case 'recruiting':
      return { invited, waiting: pending, joined: members, working: 0, reported: 0, dropped: 0, declined: invited - pending - members };
    case 'training':
    case 'masking':
      return { invited, waiting: 0, joined: members, working: members - reported - away, reported, dropped: away, declined: invited - members };
    case 'releasing':
    case 'done': {
      const joined = Math.max(last?.joined ?? 0, members);
      return { invited, waiting: 0, joined, working: 0, reported, dropped: joined - reported, declined: invited - joined };
    }
    case 'failed': {
      // A round that failed knows nobody any more.
      const { joined = 0, reported: inTime = 0 } = last ?? {};
      return { invited, waiting: 0, joined, working: 0, reported: inTime, dropped: joined - inTime, declined: invited - joined };
    }
    default:
      return phase satisfies never;
  }
}
