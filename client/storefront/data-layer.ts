/**
 * Hears what a page pushes to a queue of analytics events. What the entries mean is read by `importers.ts`, loaded when there
 * is a queue; until then they wait here. Nothing is heard while nothing may be known: what was pushed then is never made up for.
 */
import type { EventName, TrackedItem } from '../../shared/commerce/device-events.ts';

type Track = (event: EventName, items: readonly TrackedItem[]) => void;

export interface DataLayerEar {
  /** Entries that were pushed before are heard first. Returns what stops it; a second call changes nothing. */
  listen(dataLayer: unknown[]): () => void;
  close(): void;
}

/** @param isOn Whether anything may be known just now */
export function createDataLayerEar(track: Track, isOn: () => boolean): DataLayerEar {
  // When an entry was pushed it does not say: earlier ones count only where the page began with it.
  const wasOn = isOn();
  const known = new WeakSet<object>();
  const stops = new Map<unknown[], () => void>();
  const isNew = (entry: unknown): boolean => {
    if (typeof entry !== 'object' || entry === null || known.has(entry)) return false;
    known.add(entry);
    return true;
  };
  return {
    listen(dataLayer) {
      const running = stops.get(dataLayer);
      if (running !== undefined) return running;
      const earlier = dataLayer.filter(isNew);
      const stopHearing = hear(dataLayer, wasOn && isOn() ? earlier : [], (entry) => (isNew(entry), isOn()), track);
      const stop = (): void => {
        stops.delete(dataLayer);
        stopHearing();
      };
      stops.set(dataLayer, stop);
      return stop;
    },
    close: () => stops.forEach((stop) => stop()),
  };
}

function hear(dataLayer: unknown[], earlier: readonly unknown[], mayHear: (entry: unknown) => boolean, track: Track): () => void {
  // Tag managers shorten the list they are given, so that positions in it mean nothing.
  const waiting: unknown[] = [...earlier];
  let drain = (): void => undefined;
  let isHeard = true;
  const push = dataLayer.push;
  const hearing = (...entries: unknown[]): number => {
    const length = push.apply(dataLayer, entries);
    if (isHeard) {
      waiting.push(...entries.filter(mayHear));
      drain();
    }
    return length;
  };
  dataLayer.push = hearing;
  void import('./importers.ts').then(({ trackedOf }) => {
    const take = (entry: unknown): void => {
      try {
        const tracked = isHeard ? trackedOf(entry) : null;
        if (tracked !== null) track(tracked.event, tracked.items);
      } catch {
        // It is dropped: the page's own `push` must not fail for what it says.
      }
    };
    drain = () => waiting.splice(0).forEach(take);
    drain();
  }, () => undefined);
  return () => {
    isHeard = false;
    // Somebody may have put another one over ours.
    if (dataLayer.push === hearing) dataLayer.push = push;
  };
}
