/**
 * An append-only file of sealed records: on disk before `append` returns, and nothing in it can be read without the key. A
 * record that a crash cut off is dropped when the file is opened; a damaged one is an error that names it.
 *
 * It does not protect against who can read the key file beside it, or this process; nor against a whole file put back as it
 * was earlier, or cut at its end. Bytes that a rewrite leaves free on a medium stay sealed there until they are overwritten.
 */
import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { writeDurably } from '../durable-file.ts';
import { storageErrors } from '../spend-ledger.ts';
import { createFrameCipher, encodeHeader, frameHeadBytes, headerBytes, keyIdOf, maxRecordBytes, parseFrameHead, parseHeader, type FrameCipher } from './sealed-frames.ts';

export interface SealedLog {
  /** Returns when all of them are safe on disk. @throws CestaError `storage.failed`, and then none of them counts */
  append(records: readonly Uint8Array[]): void;
  /** Puts these records in place of all there are: a crash, or an error, leaves the one file or the other. @throws CestaError `storage.failed` */
  rewrite(records: Iterable<Uint8Array>): void;
  /** Records in the file. */
  readonly count: number;
  close(): void;
}

export interface OpenedLog {
  readonly log: SealedLog;
  readonly records: readonly Buffer[];
  /** Bytes at the end that a crash left of a record. */
  readonly droppedBytes: number;
}

/**
 * Opens the file, and makes it at first use.
 * @param key 32 secret bytes, of this file alone
 * @throws CestaError `storage.failed`
 */
export function openSealedLog(path: string, key: Uint8Array): OpenedLog {
  return storageErrors(path, () => {
    // What a crash left of a rewrite was never in force.
    rmSync(`${path}.new`, { force: true });
    if (!existsSync(path)) writeDurably(path, dirname(path), encodeHeader(key));
    const bytes = readFileSync(path);
    requireKey(path, bytes, key);
    const cipher = createFrameCipher(key);
    const { records, end } = readFrames(path, bytes, cipher);
    const file = openSync(path, 'r+');
    if (end < bytes.length) truncate(file, end);
    closeSync(file);
    return { log: appendable(path, key, { cipher, size: end, count: records.length }), records, droppedBytes: bytes.length - end };
  });
}

function requireKey(path: string, bytes: Buffer, key: Uint8Array): void {
  const header = parseHeader(bytes);
  if ('wrong' in header) throw new CestaError('storage.failed', `${path}: expected ${header.wrong}`);
  if (!header.keyId.equals(keyIdOf(key))) throw new CestaError('storage.failed', `${path}: expected to be sealed with the key ${keyIdOf(key).toString('hex')}, got ${header.keyId.toString('hex')}`);
}

function readFrames(path: string, bytes: Buffer, cipher: FrameCipher): { records: Buffer[]; end: number } {
  const records: Buffer[] = [];
  let at = headerBytes;
  for (;;) {
    const rest = bytes.subarray(at);
    // Some file systems leave zeros where a write did not arrive.
    if (rest.length < frameHeadBytes || rest.every((byte) => byte === 0)) return { records, end: at };
    const head = parseFrameHead(rest.subarray(0, frameHeadBytes));
    if (head === null) throw damaged(path, records.length);
    if (rest.length < frameHeadBytes + head.length) return { records, end: at };
    const body = rest.subarray(frameHeadBytes, frameHeadBytes + head.length);
    if (head.kind === 'salt') {
      if (!cipher.takeSalt(body)) throw damaged(path, records.length);
    } else {
      const record = cipher.open(body);
      if (record === null) throw damaged(path, records.length);
      records.push(record);
    }
    at += frameHeadBytes + head.length;
  }
}

function damaged(path: string, index: number): CestaError {
  return new CestaError('storage.failed', `${path}: expected record ${index + 1} as it was sealed, got other bytes; put the file back from a backup, or move it away to begin anew`);
}

function truncate(file: number, size: number): void {
  ftruncateSync(file, size);
  fsyncSync(file);
}

interface LogState {
  cipher: FrameCipher;
  /** Of the file, as far as it is good. */
  size: number;
  count: number;
}

/** Whoever puts another file in its place, as a rewrite does, leaves the open one without a name. */
function isAtPath(path: string, file: number): boolean {
  const [own, there] = [fstatSync(file), statSync(path, { throwIfNoEntry: false })];
  return there !== undefined && own.ino === there.ino && own.dev === there.dev;
}

/** A whole file. */
function sealAll(key: Uint8Array, records: Iterable<Uint8Array>): { readonly bytes: Buffer; readonly next: LogState } {
  const cipher = createFrameCipher(key);
  const frames = [encodeHeader(key), cipher.freshSalt(), ...Array.from(records, (record) => cipher.seal(record))];
  const bytes = Buffer.concat(frames);
  return { bytes, next: { cipher, size: bytes.length, count: frames.length - 2 } };
}

function appendable(path: string, key: Uint8Array, state: LogState): SealedLog {
  let file = openSync(path, 'a');
  let hasSalt = false;

  function goOnIn(next: LogState): void {
    const fresh = openSync(path, 'a');
    closeSync(file);
    file = fresh;
    hasSalt = true;
    Object.assign(state, next);
  }

  function requireUntouched(): void {
    const { size } = fstatSync(file);
    if (!isAtPath(path, file)) throw new CestaError('storage.failed', `${path}: expected the file that was opened, got another or none in its place; one shop node at a time may use the folder`);
    if (size !== state.size) throw new CestaError('storage.failed', `${path}: expected ${state.size} bytes, got ${size}; one shop node at a time may use the folder`);
  }

  function write(bytes: Buffer): void {
    try {
      // Writes all of it or throws, which one call of `writeSync` does not promise.
      writeFileSync(file, bytes);
      fsyncSync(file);
      state.size += bytes.length;
    } catch (cause) {
      // What is left of it must not stand before the next record.
      truncate(file, state.size);
      throw cause;
    }
  }

  return {
    append: (records) => storageErrors(path, () => {
      if (records.length === 0) return;
      for (const { length } of records) if (length > maxRecordBytes) throw new CestaError('storage.failed', `${path}: expected records of at most ${maxRecordBytes} bytes, got ${length}`);
      requireUntouched();
      const { cipher } = state;
      const undo = cipher.mark();
      try {
        write(Buffer.concat([...(hasSalt ? [] : [cipher.freshSalt()]), ...records.map((record) => cipher.seal(record))]));
        hasSalt = true;
        state.count += records.length;
      } catch (cause) {
        undo();
        hasSalt = false;
        throw cause;
      }
    }),
    rewrite: (records) => storageErrors(path, () => {
      requireUntouched();
      const { bytes, next } = sealAll(key, records);
      try {
        writeDurably(path, dirname(path), bytes);
      } catch (cause) {
        // In place, but perhaps not after a power cut: what follows belongs into it, not into the file that has no name any more.
        if (!isAtPath(path, file)) goOnIn(next);
        throw cause;
      }
      goOnIn(next);
    }),
    get count() {
      return state.count;
    },
    close: () => closeSync(file),
  };
}
