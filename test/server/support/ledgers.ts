/** Rounds without a public record behind them. */
import type { ReleaseLedger } from '../../../server/ledger/release-ledger.ts';
import type { RoundLedger } from '../../../server/ledger/round-ledger.ts';

/** Takes everything and keeps nothing. */
export function silentLedger(changes: Partial<RoundLedger> = {}): RoundLedger {
  return {
    evidence: { checkpoint: '', index: 0, proof: [] },
    training: (_participants, charge) => charge({ position: 0, entries: [] }),
    survivors: () => Promise.resolve(),
    released: (_release, publish) => publish({ position: 0, entries: [] }),
    equivocation: () => Promise.resolve(0),
    ...changes,
  };
}

export const silentReleaseLedger: ReleaseLedger = { catchUp: () => Promise.resolve(), served: () => Promise.resolve() };
