/**
 * Uploads of one round: a bounded number of staging areas in which vectors are collected and checked before anything
 * is made of them. Memory is one vector an area, whatever the number of shops: who finds none free waits.
 */
import { createHash, type Hash } from 'node:crypto';
import { CestaError } from '../shared/protocol/errors.ts';
import { chunkBytes } from '../shared/protocol/messages.ts';
import type { Clock } from './clock.ts';

/** What a participant announces before it uploads. */
export interface Announcement {
  readonly length: number;
  /** Over the little-endian bytes of the whole vector. */
  readonly sha256: string;
}

/** What an upload must be. */
export interface UploadRules {
  /** Words of the shortest and the longest upload. */
  readonly least: number;
  readonly most: number;
  /** Largest magnitude of a word. */
  readonly bound: number;
}

export interface Uploads {
  /**
   * Grants a staging area, now or when one is free, through `onGrant`.
   * @throws CestaError `update.wrong-length`; `protocol.out-of-order` for a second announcement.
   */
  announce(participant: string, announcement: Announcement): void;
  /**
   * Takes the next piece of a granted upload. Pieces of an upload that was discarded meanwhile are ignored.
   * @returns whether the update is complete, has its digest and waits for `collect`.
   * @throws CestaError `protocol.out-of-order`, `update.wrong-length`, `update.out-of-range` or `update.corrupt`
   */
  take(participant: string, offset: number, data: Int32Array): 'more' | 'complete' | 'ignored';
  /**
   * Hands out a complete upload, and frees its area when `use` returns: what is to be kept must be copied.
   * @returns its digest.
   */
  collect(participant: string, use: (words: Int32Array) => void): string;
  /** Forgets an upload that is queued or under way; a complete update stays, since the round counts on it. */
  discard(participant: string): void;
  /** Forgets everything that was not collected, and stops all timers. */
  close(): void;
}

export interface UploadOptions {
  readonly rules: UploadRules;
  readonly clock: Clock;
  readonly areas: StagingAreas;
  /** An upload must advance by a full chunk within this time. */
  readonly stallMs: number;
  readonly onGrant: (participant: string) => void;
  readonly onStall: (participant: string, error: CestaError) => void;
}

/** Vectors that rounds borrow: made when first needed, reused while rounds have the same length. */
export interface StagingAreas {
  /** @param whenFree called once after null, when it is worth asking again */
  borrow(length: number, whenFree: () => void): Int32Array | null;
  give(area: Int32Array): void;
}

/** Areas of long vectors, and how many words short ones may take together: a hundred small reports need not queue. */
const fewestAreas = 4;
const sharedWords = 1 << 22;

/** @param count areas at a time; by default as many as 16 MB hold, and at least four. */
export function createStagingAreas(count?: number): StagingAreas {
  let free: Int32Array[] = [];
  let lent = 0;
  const waiting = new Set<() => void>();
  return {
    borrow(length, whenFree) {
      if (lent >= (count ?? Math.max(fewestAreas, Math.floor(sharedWords / length)))) {
        waiting.add(whenFree);
        return null;
      }
      lent += 1;
      free = free.filter((area) => area.length === length);
      return free.pop() ?? new Int32Array(length);
    },
    give(area) {
      lent -= 1;
      free.push(area);
      // All of them, since the first may not want it any more; who finds none left waits again, in the same order.
      const asking = [...waiting];
      waiting.clear();
      for (const ask of asking) ask();
    },
  };
}

interface Upload {
  /** May be longer than the upload. */
  readonly area: Int32Array;
  readonly length: number;
  readonly sha256: string;
  readonly digest: Hash;
  received: number;
  complete: boolean;
  /** How far the upload was when its time was last extended. */
  mark: number;
  cancelStall: () => void;
}

const chunkElements = chunkBytes / Int32Array.BYTES_PER_ELEMENT;

interface State {
  readonly options: UploadOptions;
  readonly uploads: Map<string, Upload>;
  /** Announced, waiting for an area, first come first served. */
  readonly queue: Map<string, Announcement>;
  /** Granted once, then forgotten: pieces may still be on the way. */
  readonly discarded: Set<string>;
  readonly grantNext: () => void;
}

export function createUploads(options: UploadOptions): Uploads {
  const { least, most, bound } = options.rules;
  const state: State = { options, uploads: new Map(), queue: new Map(), discarded: new Set(), grantNext: () => grantNext(state) };
  const { uploads, queue, discarded } = state;
  return {
    announce(participant, { length, sha256 }) {
      if (length < least || length > most) throw new CestaError('update.wrong-length', `report: expected ${least === most ? least : `${least} to ${most}`} coordinates, got ${length}`);
      if (uploads.has(participant) || queue.has(participant)) throw new CestaError('protocol.out-of-order', 'report: expected one announcement of an update, got another');
      discarded.delete(participant);
      queue.set(participant, { length, sha256 });
      grantNext(state);
    },
    take(participant, offset, data) {
      const upload = uploads.get(participant);
      if (upload === undefined && discarded.has(participant)) return 'ignored';
      if (upload === undefined || upload.complete) throw new CestaError('protocol.out-of-order', 'chunk: expected after the upload was granted and before it is complete');
      return store(upload, offset, data, bound);
    },
    collect(participant, use) {
      const upload = uploads.get(participant);
      if (upload === undefined || !upload.complete) throw new CestaError('internal', `collect: expected a complete update of ${participant}, got none`);
      use(upload.area.subarray(0, upload.length));
      free(state, participant, upload);
      grantNext(state);
      return upload.sha256;
    },
    discard: (participant) => discard(state, participant),
    close() {
      queue.clear();
      for (const [participant, upload] of uploads) {
        discarded.add(participant);
        free(state, participant, upload);
      }
    },
  };
}

function grantNext(state: State): void {
  const { options, queue, uploads } = state;
  for (const [participant, { length, sha256 }] of queue) {
    const area = options.areas.borrow(options.rules.most, state.grantNext);
    if (area === null) return;
    queue.delete(participant);
    const upload: Upload = { area, length, sha256, digest: createHash('sha256'), received: 0, complete: false, mark: 0, cancelStall: () => undefined };
    uploads.set(participant, upload);
    watch(participant, upload, options);
    options.onGrant(participant);
  }
}

function discard(state: State, participant: string): void {
  state.queue.delete(participant);
  const upload = state.uploads.get(participant);
  if (upload === undefined || upload.complete) return;
  state.discarded.add(participant);
  free(state, participant, upload);
  grantNext(state);
}

function free({ uploads, options }: State, participant: string, upload: Upload): void {
  upload.cancelStall();
  uploads.delete(participant);
  options.areas.give(upload.area);
}

/** Writes one piece behind the last one and checks what can be checked by now. */
function store(upload: Upload, offset: number, data: Int32Array, bound: number): 'more' | 'complete' {
  const { area, length } = upload;
  if (data.length === 0) throw new CestaError('protocol.malformed', 'chunk: expected at least one coordinate, got none');
  if (offset !== upload.received) throw new CestaError('protocol.out-of-order', `chunk: expected offset ${upload.received}, got ${offset}`);
  if (offset + data.length > length) throw new CestaError('update.wrong-length', `chunk: expected at most ${length - offset} more coordinates, got ${data.length}`);
  const outlier = findOutlier(data, bound);
  if (outlier >= 0) throw new CestaError('update.out-of-range', `coordinate ${offset + outlier}: expected at most ${bound} in magnitude, got ${data[outlier]}`);
  area.set(data, offset);
  upload.digest.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  upload.received += data.length;
  if (upload.received < length) return 'more';
  const actual = upload.digest.digest('hex');
  if (actual !== upload.sha256) throw new CestaError('update.corrupt', `report: expected digest ${upload.sha256}, got ${actual}`);
  upload.complete = true;
  upload.cancelStall();
  return 'complete';
}

/** The position of the first word beyond the bound, or -1. Compares integers: that is as quick as reading them. */
function findOutlier(data: Int32Array, bound: number): number {
  // No word is larger in magnitude, and the smallest is not larger either.
  if (bound >= 2 ** 31) return -1;
  const most = Math.floor(bound) | 0;
  const least = -most | 0;
  for (let i = 0; i < data.length; i += 1) if (data[i] > most || data[i] < least) return i;
  return -1;
}

/** Drops an upload that holds its area without getting on: a trickle of single coordinates is no progress. */
function watch(participant: string, upload: Upload, options: UploadOptions): void {
  const { clock, stallMs, onStall } = options;
  upload.mark = upload.received;
  upload.cancelStall = clock.after(stallMs, () => {
    const progress = upload.received - upload.mark;
    if (progress >= chunkElements) return watch(participant, upload, options);
    onStall(participant, new CestaError('protocol.out-of-order', `upload: expected a chunk within ${stallMs} ms, got ${progress} coordinates`));
  });
}
