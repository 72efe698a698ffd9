/** Speed of the accountant: medians of one epsilon by Renyi accounting and one by the tight engine. */
import { epsilonOf } from '../../shared/privacy/accounting/epsilon.ts';
import type { PrivacyEvent } from '../../shared/privacy/accounting/events.ts';
import { rdpEpsilon } from '../../shared/privacy/accounting/rdp.ts';
import { median } from './median.ts';

/** A million rounds at a tiny rate and delta: the hardest of the common questions. */
const events: readonly PrivacyEvent[] = [{ kind: 'gaussian', sigma: 0.6, sampling: 1e-4, count: 1_000_000 }];
const delta = 1e-12;

export interface AccountantBench {
  readonly rdpMs: number;
  readonly tightMs: number;
}

/** Milliseconds for one epsilon: the Renyi bound alone, and the reported value with the contour integral. */
export function benchAccountant(repeats = 7): AccountantBench {
  return {
    rdpMs: median(repeats, () => rdpEpsilon(events, delta)),
    tightMs: median(repeats, () => epsilonOf(events, delta, { crossCheck: false })),
  };
}
