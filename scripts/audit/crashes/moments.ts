/**
 * Which process is killed when: drawn from a seed, so that a run can be repeated. What a process is doing at that
 * moment depends on the machine, too; a moment inside a round is therefore waited for, and not guessed.
 */
import { seededRandom, uniform53, uniformBelow } from '../../../shared/numerics/random.ts';

export type Moment =
  /** So long after the process was told to start: a coordinator opens its journal then. */
  | { readonly kind: 'starting'; readonly afterMs: number }
  /** So long after all was well. */
  | { readonly kind: 'any'; readonly afterMs: number }
  /** So long after a new round was seen in a state. */
  | { readonly kind: 'round'; readonly state: 'recruiting' | 'training' | 'done'; readonly afterMs: number };

export interface Kill {
  readonly target: 'coordinator' | 'shop' | 'both';
  /** Which shop, from 0. */
  readonly shop: number;
  readonly moment: Moment;
}

/** Coordinators hold more than shops do, and die more often. */
const targets = ['coordinator', 'coordinator', 'coordinator', 'shop', 'both'] as const;
const moments = ['any', 'recruiting', 'training', 'training', 'done', 'starting'] as const;

/** @param seed any whole number */
export function planKills(count: number, { shops, seed }: { readonly shops: number; readonly seed: number }): Kill[] {
  const random = seededRandom(seed, 'kills');
  return Array.from({ length: count }, () => {
    const kind = moments[uniformBelow(random, moments.length)];
    const target = targets[uniformBelow(random, targets.length)];
    const shop = uniformBelow(random, shops);
    const spread = uniform53(random);
    switch (kind) {
      case 'any':
        return { target, shop, moment: { kind, afterMs: Math.round(500 * spread) } };
      // A shop that starts has written nothing yet.
      case 'starting':
        return { target: 'coordinator', shop, moment: { kind, afterMs: Math.round(250 * spread) } };
      case 'recruiting':
      case 'training':
      case 'done':
        return { target, shop, moment: { kind: 'round', state: kind, afterMs: Math.round(60 * spread * spread) } };
      default:
        return kind satisfies never;
    }
  });
}
