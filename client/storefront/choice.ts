/**
 * What must be remembered of a choice at once: one entry of `localStorage`, which is read before the first shelf and written
 * before a choice returns, so that neither a closed tab nor a full disk undoes a withdrawal. Absent as long as there is nothing
 * to remember. Names no item.
 */
import type { Degree } from '../../shared/commerce/consent.ts';

export const choiceEntry = 'cesta-shopper';

/** A consent that the shop has to be told is withdrawn. */
export interface Withdrawal {
  readonly id: string;
  readonly secret: string;
}

export interface KeptChoice {
  /** 2 and 3, and 0 where the shop begins with 1; else null: what holds for this page alone is not kept. */
  readonly degree: Degree | null;
  readonly notice: string | null;
  readonly despiteGpc: boolean;
  readonly withdrawals: readonly Withdrawal[];
}

const noChoice: KeptChoice = { degree: null, notice: null, despiteGpc: false, withdrawals: [] };

export function readChoice(): KeptChoice {
  try {
    const { degree, notice, despiteGpc, withdrawals } = JSON.parse(localStorage.getItem(choiceEntry) ?? '{}') as Readonly<Record<keyof KeptChoice, unknown>>;
    return {
      degree: degree === 0 || degree === 2 || degree === 3 ? degree : null,
      notice: typeof notice === 'string' ? notice : null,
      despiteGpc: despiteGpc === true,
      withdrawals: Array.isArray(withdrawals) ? withdrawals.filter(isWithdrawal) : [],
    };
  } catch {
    // No storage, or an entry that is none of ours: no choice that could be relied on.
    return noChoice;
  }
}

function isWithdrawal(value: unknown): value is Withdrawal {
  const { id, secret } = (value ?? {}) as Readonly<Record<keyof Withdrawal, unknown>>;
  return typeof id === 'string' && /^[0-9a-f]{32}$/.test(id) && typeof secret === 'string' && /^[0-9a-f]{64}$/.test(secret);
}

/** Changes what is kept, which another tab may have changed before. False where nothing can be kept. */
export function keepChoice(changes: Partial<KeptChoice>): boolean {
  const { degree, notice, despiteGpc, withdrawals } = { ...readChoice(), ...changes };
  // Only what differs from no choice at all.
  const kept = { degree: degree ?? undefined, notice: notice ?? undefined, despiteGpc: despiteGpc || undefined, withdrawals: withdrawals.length > 0 ? withdrawals : undefined };
  try {
    if (Object.values(kept).every((value) => value === undefined)) localStorage.removeItem(choiceEntry);
    else localStorage.setItem(choiceEntry, JSON.stringify(kept));
    return true;
  } catch {
    return false;
  }
}

/** Only what outlives the page: a choice of 1 is gone with it, and 0 is what there is without one. */
export function rememberedDegree(degree: Degree, { defaultDegree = 0 }: { readonly defaultDegree?: 0 | 1 }): Degree | null {
  return degree >= 2 || (degree === 0 && defaultDegree === 1) ? degree : null;
}
