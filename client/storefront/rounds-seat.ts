/**
 * A seat in the rounds for a shopper of degree 3, and what happens on it as the few facts a page shows. Loaded by whoever takes
 * part, and by nobody else.
 */
import type { DataFor } from '../../shared/commerce/purposes.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import type { PrivacyState } from './api.ts';
import type { DeviceEvent } from './device.ts';
import type { DeviceVisit } from './device-history.ts';
import { takePart, type TakePartOptions } from './take-part.ts';

export type ImprovingVisits = DataFor<'improve', readonly DeviceVisit[]>;

/** What became of the device, each where it changed. */
export interface RoundsNews {
  readonly participation?: PrivacyState['participation'];
  /** Of one frame with a part of a report. */
  readonly bytesSent?: number;
  /** In all, by this device's own record. */
  readonly epsilonSpent?: number;
  readonly lastRound?: string | null;
}

export interface SeatOptions extends Omit<TakePartOptions, 'degree' | 'history' | 'onEvent'> {
  readonly history: ImprovingVisits;
  readonly tell: (news: RoundsNews) => void;
}

export interface RoundsSeat {
  learn(history: ImprovingVisits): void;
  /** In force at once: a report that is on its way is cut off, and one that is made is dropped. */
  withdraw(): void;
  /** Leaves in good order, to come back. */
  close(): Promise<void>;
}

/** One tab of an origin takes part: another one, or the page before this one, is asked for again. */
const askAgainMs = 5_000;

export function openSeat({ tell, ...options }: SeatOptions): RoundsSeat {
  let { history } = options;
  let isOver = false;
  let seat = sit();
  function sit(): ReturnType<typeof takePart> {
    tell({ participation: 'connecting' });
    const taken = takePart({ ...options, degree: 3, history, onEvent(event) {
      // What still left, and what was spent on it, is told, however late.
      if (!isOver || event.kind === 'sent' || event.kind === 'trained') tell(newsOf(event));
    } });
    taken.done.catch((thrown: unknown) => {
      if (isOver) return;
      const isElsewhere = toCestaError(thrown).code === 'node.name-taken';
      tell({ participation: isElsewhere ? 'off' : 'failed' });
      if (isElsewhere) setTimeout(() => isOver || (seat = sit()), askAgainMs);
    });
    return taken;
  }
  // A page that comes back from the browser's cache lost its worker when it went there.
  const back = ({ persisted }: PageTransitionEvent): void => {
    if (persisted && !isOver) seat = sit();
  };
  addEventListener('pageshow', back);
  function end(): void {
    isOver = true;
    removeEventListener('pageshow', back);
    tell({ participation: 'off' });
  }
  return {
    learn(visits) {
      history = visits;
      seat.learn(visits);
    },
    withdraw() {
      end();
      seat.consent(0);
    },
    close() {
      end();
      return seat.close();
    },
  };
}

function newsOf(event: DeviceEvent): RoundsNews {
  switch (event.kind) {
    case 'up':
    case 'declined':
    case 'refused':
    case 'round-failed':
    case 'round-done':
      return { participation: 'waiting' };
    case 'down':
      return { participation: 'connecting' };
    case 'joined':
      return { participation: 'training' };
    case 'trained':
      return { epsilonSpent: event.spent.epsilon };
    case 'sent':
      return { bytesSent: event.bytes };
    case 'reported':
      return { participation: 'reported', lastRound: event.round };
    case 'over':
      return { participation: event.error === null ? 'ended' : 'failed' };
    default:
      return {};
  }
}
