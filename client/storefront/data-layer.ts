/**
 * Hears what a page pushes to a queue of analytics events. What the entries mean is read by `importers.ts`, loaded when there
 * is a queue; until then they wait here.
 */
import type { EventName, TrackedItem } from '../../shared/commerce/device-events.ts';

/** Entries that were pushed before are heard first. Returns what stops it. */
export function hearDataLayer(dataLayer: unknown[], track: (event: EventName, items: readonly TrackedItem[]) => void): () => void {
  // Tag managers shorten the list they are given, so that positions in it mean nothing.
  const waiting: unknown[] = [...dataLayer];
  let drain = (): void => undefined;
  let isHeard = true;
  const push = dataLayer.push;
  const hearing = (...entries: unknown[]): number => {
    const length = push.apply(dataLayer, entries);
    if (isHeard) {
      waiting.push(...entries);
      drain();
    }
    return length;
  };
  dataLayer.push = hearing;
  void import('./importers.ts').then(({ trackedOf }) => {
    drain = () => {
      for (const entry of waiting.splice(0)) {
        const tracked = isHeard ? trackedOf(entry) : null;
        if (tracked !== null) track(tracked.event, tracked.items);
      }
    };
    drain();
  }, () => undefined);
  return () => {
    isHeard = false;
    // Somebody may have put another one over ours.
    if (dataLayer.push === hearing) dataLayer.push = push;
  };
}
