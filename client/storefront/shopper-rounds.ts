/** A shopper of degree 3 in the rounds, as the page sees it; what does the work is loaded when the first seat is taken. */
import type { RoundsNews } from './rounds-seat.ts';
import { measureDatabase } from './device-constants.ts';
import type { Change } from './profile.ts';
import { apply, databaseNames, improving, maxDeltaOf, tell, type ShopperState } from './shopper-state.ts';

/** Takes a seat once the history is there. */
export async function sit(state: ShopperState): Promise<void> {
  const { turn } = state;
  const { url, takePart } = state.options;
  try {
    await state.opening;
    const [{ openSeat }, reports] = await Promise.all([import('./rounds-seat.ts'), spentOnReports()]);
    const history = improving(state);
    if (history === null || state.turn !== turn || state.seat !== null) return;
    const maxEpsilon = state.all.settings.maxEpsilon - reports;
    // Nothing is left that a round could spend.
    if (maxEpsilon <= 0) return;
    state.seat = openSeat({ ...takePart, url, maxEpsilon, maxDelta: maxDeltaOf(state), history, tell: (news) => hear(state, news) });
  } catch {
    hear(state, { participation: 'failed' });
  }
}

async function spentOnReports(): Promise<number> {
  if ((await databaseNames())?.includes(measureDatabase) === false) return 0;
  const { reportsSpent } = await import('./reports-spent.ts');
  return reportsSpent();
}

/** The round is left before this returns. */
export function stand(state: ShopperState): void {
  state.seat?.withdraw();
  state.seat = null;
}

/** The bound of a seat is fixed: another one is taken. */
export async function sitAgain(state: ShopperState): Promise<void> {
  const { seat } = state;
  state.seat = null;
  await seat?.close();
  if (state.degree === 3) await sit(state);
}

export function changeSettings(state: ShopperState, change: Change): void {
  const { maxEpsilon } = state.all.settings;
  apply(state, change, 'settings');
  if (state.all.settings.maxEpsilon !== maxEpsilon) void sitAgain(state);
}

/** What this device spent, and in which round last: it outlives every choice. */
export async function readSpent(state: ShopperState): Promise<void> {
  const { heldOnDevice } = await import('./held-on-device.ts');
  const held = await heldOnDevice({ maxEpsilon: state.all.settings.maxEpsilon, maxDelta: maxDeltaOf(state) });
  if (held !== null) hear(state, { epsilonSpent: held.spent.epsilon, lastRound: held.receipts.at(-1)?.receipt.round ?? null });
}

function hear(state: ShopperState, { bytesSent, ...news }: RoundsNews): void {
  const { rounds } = state;
  state.rounds = { ...rounds, ...news, ...(bytesSent === undefined ? {} : { bytesSent: rounds.bytesSent + bytesSent, messagesSent: rounds.messagesSent + 1 }) };
  tell(state, 'privacy');
}
