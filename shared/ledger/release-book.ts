/**
 * What a log says of the releases of one task: which rounds made them, which were held back, and which is served.
 * Versions only grow, whatever is made or served under them: storefronts refuse to go back, so an older release is
 * served again under a version of its own. That it has the same parameters, whoever fetches both can check.
 */
import { inconsistent } from './inconsistent.ts';
import type { LogEntryOf } from './log-entries.ts';

/** A release by its version and the SHA-256 of its file. */
export interface ReleaseRef {
  readonly version: number;
  readonly sha256: string;
}

export interface ServedRelease extends ReleaseRef {
  /** The release of a round whose parameters these are; null for such a release itself. */
  readonly restores: ReleaseRef | null;
}

export interface ReleaseBook {
  /** Releases of rounds by version: their digests. */
  readonly made: Map<number, string>;
  /** Versions that were held back and not served since. */
  readonly held: Set<number>;
  /** The highest version so far, 0 before the first. */
  newest: number;
  served: ServedRelease | null;
}

export function emptyReleaseBook(): ReleaseBook {
  return { made: new Map(), held: new Set(), newest: 0, served: null };
}

/**
 * The release of a round: served from now on, unless it is held.
 * @param digests of all releases in the log
 * @throws CestaError `log.inconsistent`, and nothing is taken in
 */
export function addResult(book: ReleaseBook, digests: Set<string>, { round, version, release, held }: LogEntryOf<'round-result'>): void {
  requireNew(book, digests, `result of ${round}`, { version, sha256: release });
  book.newest = version;
  book.made.set(version, release);
  digests.add(release);
  if (held === true) book.held.add(version);
  else book.served = { version, sha256: release, restores: null };
}

/** A held release, or an older one under a new version: served from now on. See {@link addResult}. */
export function addServed(book: ReleaseBook, digests: Set<string>, { task, version, release, restores }: LogEntryOf<'release-served'>): void {
  const what = `release ${version} of ${task}`;
  if (restores === undefined) {
    if (!book.held.has(version) || book.made.get(version) !== release) throw inconsistent(`${what}: expected one that was held back, with its digest, got ${release}`);
    if (book.served !== null && version <= book.served.version) throw inconsistent(`${what}: expected a version above ${book.served.version}, which was served, got ${version}`);
    book.held.delete(version);
    book.served = { version, sha256: release, restores: null };
    return;
  }
  const restored = book.made.get(restores);
  if (restored === undefined) throw inconsistent(`${what}: expected it to restore the release of a round, got version ${restores}`);
  requireNew(book, digests, what, { version, sha256: release });
  book.newest = version;
  digests.add(release);
  book.served = { version, sha256: release, restores: { version: restores, sha256: restored } };
}

function requireNew(book: ReleaseBook, digests: ReadonlySet<string>, what: string, { version, sha256 }: ReleaseRef): void {
  if (version <= book.newest) throw inconsistent(`${what}: expected a version above ${book.newest}, got ${version}`);
  if (digests.has(sha256)) throw inconsistent(`${what}: expected a release of its own, got ${sha256} again`);
}
