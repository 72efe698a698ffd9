/** What the privacy panel shows, read off the state: nothing here is counted twice or estimated. */
import type { PrivacyState } from './api.ts';
import { capOf, maxDeltaOf, type ShopperState } from './shopper-state.ts';

export function privacyOf(state: ShopperState): PrivacyState {
  const { options, degree, chosen, all, store, rounds } = state;
  const cap = capOf(state);
  return {
    degree, chosen,
    cap: cap === null ? null : { degree: cap.degree, by: cap.by },
    notice: options.notice ?? null,
    stored: {
      events: all.events.length,
      items: new Set(all.events.map(({ item_id: id }) => id)).size,
      place: degree === 0 ? 'nowhere' : store === null ? 'memory' : 'device',
    },
    sent: { bytes: rounds.bytesSent, messages: rounds.messagesSent },
    epsilon: { spent: rounds.epsilonSpent, bound: all.settings.maxEpsilon, delta: maxDeltaOf(state) },
    lastRound: rounds.lastRound,
    participation: rounds.participation,
    receipts: all.receipts.map(({ receipt }) => receipt),
    settings: all.settings,
  };
}
