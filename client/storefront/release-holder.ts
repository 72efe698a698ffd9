/**
 * The release in use: an older one that verifies is better than none, so trouble never takes it away; it shows in
 * `lastError` and in the rejection of the refresh that met it.
 */
import { toCestaError, type CestaError } from '../../shared/protocol/errors.ts';
import type { LoadedRelease, ReleaseSource } from './release-source.ts';

export interface HeldRelease extends LoadedRelease {
  /** `cache`: not confirmed by the coordinator since the page was loaded. */
  readonly from: 'network' | 'cache';
}

export interface ReleaseHolder {
  /** Resolves when there is a release to rank with. */
  readonly ready: Promise<void>;
  readonly held: HeldRelease | null;
  /** Null after a refresh without trouble. */
  readonly lastError: CestaError | null;
  /** Calls while one is under way share it. */
  refresh(): Promise<void>;
}

/** Starts at once: the cache first, then the coordinator. `onRelease` hears of every other one that is put in use. */
export function holdRelease(openSource: (onCacheError: (error: CestaError) => void) => ReleaseSource, onRelease: () => void): ReleaseHolder {
  let held: HeldRelease | null = null;
  let lastError: CestaError | null = null;
  let refreshing: Promise<void> | null = null;
  const source = openSource((error) => (lastError = error));

  function install(release: LoadedRelease, from: HeldRelease['from']): void {
    const isAnother = held?.sha256 !== release.sha256;
    held = { ...release, from };
    if (isAnother) onRelease();
  }

  async function update(): Promise<void> {
    try {
      lastError = null;
      install(await source.fetch(held), 'network');
    } catch (thrown) {
      lastError = toCestaError(thrown);
      throw lastError;
    }
  }

  function refresh(): Promise<void> {
    refreshing ??= update().finally(() => (refreshing = null));
    return refreshing;
  }

  async function start(): Promise<void> {
    const kept = await source.cached();
    if (kept === null) return refresh();
    install(kept, 'cache');
    // A release in hand is enough to rank; whether there is a newer one shows in its own time.
    refresh().catch(() => undefined);
  }

  const ready = start();
  // A page that never awaits `ready` reads `lastError` instead.
  ready.catch(() => undefined);
  return {
    ready,
    get held() {
      return held;
    },
    get lastError() {
      return lastError;
    },
    refresh,
  };
}
