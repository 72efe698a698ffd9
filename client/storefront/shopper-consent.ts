/** What a person asks for: another degree, or to be forgotten. Down at once; up with the notice, past no signal, on the record. */
import { degrees, type Degree } from '../../shared/commerce/consent.ts';
import type { ConsentReceipt } from '../../shared/commerce/consent-receipt.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { ConsentRequest } from './api.ts';
import { readChoice } from './choice.ts';
import { emptyProfile, withReceipt, type HeldReceipt } from './profile.ts';
import { choose, withdraw } from './shopper-degree.ts';
import { apply, capOf, fetchOf, nowOf, tell, wantedDegree, type ShopperState } from './shopper-state.ts';

/** Lowers before it returns; a promise only so that raising can wait. */
export async function consentTo(state: ShopperState, request: ConsentRequest): Promise<ConsentReceipt | null> {
  const { degree } = request;
  if (!degrees.includes(degree)) throw new CestaError('usage.invalid', `degree: expected one of ${degrees.join(', ')}, got ${JSON.stringify(degree)}`);
  // Below what was chosen is down, also where a signal holds the degree further down.
  if (degree > state.degree && degree >= wantedDegree(state)) return raise(state, request);
  const { notice } = readChoice();
  const hadReceipt = state.all.receipts.length > 0;
  choose(state, { degree, notice, despiteGpc: degree === 3 && state.despiteGpc });
  // What is left of a consent goes on the record when the shop can be reached; nobody waits for it.
  if (hadReceipt && degree > 0 && notice !== null) void leftOver(state, { degree, notice });
  // In force as it is; what could not be erased now is erased in the next visit.
  await state.erasing.catch(() => undefined);
  return null;
}

async function raise(state: ShopperState, { degree, notice, despiteGpc = false }: ConsentRequest): Promise<ConsentReceipt | null> {
  const current = state.options.notice?.version;
  if (current === undefined || notice !== current) throw new CestaError('consent.notice', `notice: expected the version that is shown, ${JSON.stringify(current ?? null)}, got ${JSON.stringify(notice ?? null)}`);
  const cap = capOf(state, despiteGpc);
  if (cap !== null && degree > cap.degree) throw new CestaError('consent.capped', `degree: expected at most ${cap.degree}, by ${cap.by}, got ${degree}`);
  const turn = (state.turn += 1);
  // What an earlier choice erases must be gone before anything is kept anew.
  await state.erasing;
  const held = await recorded(state, { degree, notice: current, gpc: state.signals.gpc });
  if (state.turn !== turn) {
    if (held !== null) await withdraw(state, [held]);
    return null;
  }
  const [before, chosen] = [wantedDegree(state), state.chosen];
  // A word about a signal that is not there is no word about one that comes later.
  const isKept = choose(state, { degree, notice: current, despiteGpc: despiteGpc && state.signals.gpc });
  try {
    if (degree >= 2 && !isKept) throw new CestaError('storage.failed', 'localStorage: expected room for the choice, got none');
    if (degree >= 2) await state.opening;
  } catch (thrown) {
    if (state.turn === turn + 1) {
      choose(state, { degree: before, notice: current });
      state.chosen = chosen;
    }
    if (held !== null) await withdraw(state, [held]);
    throw thrown;
  }
  if (held === null) return null;
  apply(state, withReceipt(held), 'privacy');
  return held.receipt;
}

async function leftOver(state: ShopperState, { degree, notice }: { readonly degree: Degree; readonly notice: string }): Promise<void> {
  const { turn } = state;
  try {
    const held = await recorded(state, { degree, notice, gpc: state.signals.gpc });
    if (held === null) return;
    if (state.turn === turn) apply(state, withReceipt(held), 'privacy');
    else await withdraw(state, [held]);
  } catch {
    // The shop is away, or shows another notice by now: the choice holds without a receipt.
  }
}

/** Null without a shop to record it. */
async function recorded(state: ShopperState, given: { readonly degree: Degree; readonly notice: string; readonly gpc: boolean }): Promise<HeldReceipt | null> {
  const { shop } = state.options;
  if (shop === undefined || shop === null) return null;
  const { giveConsent } = await import('./consents.ts');
  const { receipts, principal, shopKey } = state.all;
  const replaces = receipts.at(-1)?.receipt.record.record_id ?? null;
  const record = { shop, fetch: fetchOf(state), shopKey, onSent: (bytes: number) => sent(state, bytes) };
  const known = [...receipts.map(({ receipt }) => receipt.record.record_id), ...readChoice().withdrawals.map(({ id }) => id)];
  const asked = { ...given, principal, known, nowMs: nowOf(state) };
  return giveConsent(record, { ...asked, replaces }).catch((thrown: unknown) => {
    // A shop that lost its records shall not hold anybody to an old choice.
    if (replaces === null || toCestaError(thrown).code !== 'consent.unknown') throw thrown;
    return giveConsent(record, { ...asked, replaces: null });
  });
}

function sent(state: ShopperState, bytes: number): void {
  const { rounds } = state;
  state.rounds = { ...rounds, bytesSent: rounds.bytesSent + bytes, messagesSent: rounds.messagesSent + 1 };
  tell(state, 'privacy');
}

/** @throws CestaError `storage.failed` when it could not be erased */
export async function forget(state: ShopperState): Promise<void> {
  choose(state, { degree: 0 });
  [state.all, state.visit, state.unsaved] = [emptyProfile, emptyProfile, []];
  tell(state, 'settings');
  await state.erasing;
}
