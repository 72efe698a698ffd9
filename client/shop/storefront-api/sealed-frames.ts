/**
 * The bytes of a sealed log: a header, then frames one after the other. AES-256-GCM (NIST SP 800-38D).
 *
 *     header   "cesta-sealed" version key-id                            12 + 1 + 8 bytes
 *     frame    kind length check body                                   1 + 4 + 4 + length bytes
 *     body     of a salt: 32 random bytes; of a record: ciphertext, tag
 *
 * A nonce never repeats under a key: each salt starts a key of its own (HKDF-SHA-256 of the file's key), under which records
 * are numbered from 0, and a log writes a new salt whenever it is opened, rewritten, or a write of it failed. So neither a
 * record that was torn, nor a folder brought back from a backup, continues a count that may have gone on elsewhere. Salts of
 * 256 random bits do not meet. Each record is bound to the tag of the one before and to the header: none can be changed,
 * moved or taken out but from the end of the file, where a cut looks like a write that never happened.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const magic = Buffer.from('cesta-sealed');
const version = 1;
export const headerBytes = magic.length + 1 + 8;
export const frameHeadBytes = 9;
const saltBytes = 32;
const tagBytes = 16;
/** No record is longer; a length beyond it is damage. */
export const maxRecordBytes = 1 << 20;

/** 8 bytes: tells keys apart, and nothing about them. */
export function keyIdOf(key: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'cesta/sealed-log/key-id/v1', 8));
}

export function encodeHeader(key: Uint8Array): Buffer {
  return Buffer.concat([magic, Buffer.of(version), keyIdOf(key)]);
}

/** Key id of a header, or what is wrong with it, in words. */
export function parseHeader(bytes: Buffer): { readonly keyId: Buffer } | { readonly wrong: string } {
  if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic)) return { wrong: 'a sealed log, got other bytes' };
  if (bytes[magic.length] !== version) return { wrong: `version ${version} of a sealed log, got ${bytes[magic.length]}` };
  return { keyId: bytes.subarray(magic.length + 1, headerBytes) };
}

const frameKinds = { salt: 1, record: 2 } as const;
export type FrameKind = keyof typeof frameKinds;

export interface FrameHead {
  readonly kind: FrameKind;
  readonly length: number;
}

/** The check lets a damaged length be told from a record that was cut off; it is no protection against whoever wants to deceive. */
function checkOf(kind: number, length: number): Buffer {
  return createHash('sha256').update(`cesta/sealed-log/frame ${kind} ${length}`).digest().subarray(0, 4);
}

function encodeFrame(kind: FrameKind, body: Buffer): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUInt8(frameKinds[kind]);
  head.writeUInt32BE(body.length, 1);
  checkOf(frameKinds[kind], body.length).copy(head, 5);
  return Buffer.concat([head, body]);
}

/** Null for a head that nobody wrote. */
export function parseFrameHead(head: Buffer): FrameHead | null {
  const [code, length] = [head.readUInt8(0), head.readUInt32BE(1)];
  const kind = (Object.keys(frameKinds) as FrameKind[]).find((name) => frameKinds[name] === code);
  if (kind === undefined || length > maxRecordBytes + tagBytes || !checkOf(code, length).equals(head.subarray(5))) return null;
  return { kind, length };
}

/** Seals, or opens, the records of one file in their order. */
export interface FrameCipher {
  /** Starts a key of its own; returns the frame to write first. */
  freshSalt(): Buffer;
  /** Takes the salt that the file has. False for one of another length. */
  takeSalt(body: Buffer): boolean;
  /** Only after a salt. */
  seal(record: Uint8Array): Buffer;
  /** Null for a body that is not the next record of this file. */
  open(body: Buffer): Buffer | null;
  /** Returns what binds the next record to the one that is the last now; the numbers used meanwhile stay used. */
  mark(): () => void;
}

export function createFrameCipher(key: Uint8Array): FrameCipher {
  const header = encodeHeader(key);
  let previousTag: Buffer = Buffer.alloc(tagBytes);
  let saltKey: Buffer | null = null;
  let count = 0;

  function useSalt(salt: Buffer): void {
    saltKey = Buffer.from(hkdfSync('sha256', key, salt, 'cesta/sealed-log/v1', 32));
    count = 0;
  }

  /** The number of a record under its salt: 96 bits, of which a file fills 40 before a disk is full. */
  function nonce(): Buffer {
    const bytes = Buffer.alloc(12);
    bytes.writeUIntBE(count, 6, 6);
    return bytes;
  }

  return {
    freshSalt() {
      const salt = randomBytes(saltBytes);
      useSalt(salt);
      return encodeFrame('salt', salt);
    },
    takeSalt(body) {
      if (body.length !== saltBytes) return false;
      useSalt(body);
      return true;
    },
    seal(record) {
      if (saltKey === null) throw new Error('sealed log: expected a salt before the first record');
      const cipher = createCipheriv('aes-256-gcm', saltKey, nonce(), { authTagLength: tagBytes });
      cipher.setAAD(Buffer.concat([header, previousTag]));
      // Counted before the bytes exist: whatever becomes of the write, this number is used.
      count += 1;
      const sealed = Buffer.concat([cipher.update(record), cipher.final()]);
      previousTag = cipher.getAuthTag();
      return encodeFrame('record', Buffer.concat([sealed, previousTag]));
    },
    open(body) {
      if (saltKey === null || body.length < tagBytes) return null;
      const tag = Buffer.from(body.subarray(-tagBytes));
      const decipher = createDecipheriv('aes-256-gcm', saltKey, nonce(), { authTagLength: tagBytes });
      decipher.setAAD(Buffer.concat([header, previousTag])).setAuthTag(tag);
      try {
        const record = Buffer.concat([decipher.update(body.subarray(0, -tagBytes)), decipher.final()]);
        previousTag = tag;
        count += 1;
        return record;
      } catch {
        return null;
      }
    },
    mark() {
      const tag = previousTag;
      return () => void (previousTag = tag);
    },
  };
}
