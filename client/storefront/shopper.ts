/**
 * The shopper as the page knows them: degree, history, settings, receipts, and the seat in a round. Ranking reads from here and
 * knows nothing of consent: what a degree forbids is not there to be read.
 */
import type { Degree } from '../../shared/commerce/consent.ts';
import type { EventName, TrackedItem } from '../../shared/commerce/device-events.ts';
import type { Surface } from '../../shared/commerce/preferences.ts';
import type { DeviceVisit } from './device-history.ts';
import type { Cesta, CestaChange } from './api.ts';

export interface Shopper extends Pick<Cesta, 'loaded' | 'privacy' | 'consent' | 'set' | 'notInterested' | 'removeFromHistory' | 'interests' | 'export' | 'import' | 'forget' | 'close'> {
  readonly degree: Degree;
  /** A no-op at degree 0. @throws CestaError `usage.invalid` */
  track(event: EventName, items: readonly TrackedItem[]): void;
  /** What a shelf on this surface may rank with: empty at degree 0, and where the surface is switched off. */
  visits(surface: Surface): readonly DeviceVisit[];
  /** Items of interest and their withdrawals: what need not be shown again. Empty where `visits` is. */
  touched(surface: Surface): ReadonlySet<string>;
  /** What the shopper does not want to see: on no shelf. */
  unwanted(): ReadonlySet<string>;
  /** Items shown often without a click, at rest for now. Empty at degree 0. */
  resting(): ReadonlySet<string>;
  /** Distinct items viewed, newest first. */
  viewed(): readonly string[];
  /** Returns what unsubscribes. */
  subscribe(listener: (change: CestaChange) => void): () => void;
}
