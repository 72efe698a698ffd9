/** Rounds without a public record behind them. */
import type { ReleaseLedger } from '../../../server/ledger/release-ledger.ts';
import type { RoundLedger } from '../../../server/ledger/round-ledger.ts';

/** Takes everything and keeps nothing. */
export function silentLedger(changes: Partial<RoundLedger> = {}): RoundLedger {
  return {
    evidence: { checkpoint: '', index: 0, proof: [] },
    training: () => Promise.resolve(),
    survivors: () => Promise.resolve(),
    released: () => Promise.resolve(),
    equivocation: () => Promise.resolve(0),
    ...changes,
  };
}

export const silentReleaseLedger: ReleaseLedger = { catchUp: () => Promise.resolve(), served: () => Promise.resolve() };
