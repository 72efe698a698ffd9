/**
 * Text with signatures below it, after C2SP signed-note (https://c2sp.org/signed-note) and, for witnesses, C2SP
 * tlog-cosignature: Ed25519 only. A note says who signed it, never whether that key deserves trust: pass the keys
 * that do.
 */
import { bytesToHex, hexToBytes } from '../protocol/digest.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { CestaError } from '../protocol/errors.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { verifySignature } from './signature.ts';
import type { SigningKey } from './signing-key.ts';

/** A key that may sign notes. */
export interface NoteKey {
  /** Not empty, without white space and plus signs. */
  readonly name: string;
  /** Ed25519, 32 bytes, hex. */
  readonly publicKey: string;
  /** `log`: signs the text as it is. `witness`: signs the text and the time (cosignature/v1). */
  readonly kind: 'log' | 'witness';
}

export interface NoteSignature {
  readonly name: string;
  /** 4 bytes, hex. */
  readonly keyId: string;
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** Ends in a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A signature of a known key that verifies. */
export interface VerifiedSignature {
  readonly key: NoteKey;
  /** POSIX seconds, of a witness. */
  readonly time: number | null;
}

const maxNoteLength = 65_536;
const maxSignatures = 100;
const signatureBytes = 64;
const timeBytes = 8;
const keyTypes: Record<NoteKey['kind'], number> = { log: 0x01, witness: 0x04 };

const encoder = new TextEncoder();

/** SHA-256(name || 0x0A || type || public key)[:4], hex. */
export function noteKeyId({ name, publicKey, kind }: NoteKey): string {
  const head = encoder.encode(`${name}\n`);
  return bytesToHex(sha256.create().update(head).update(Uint8Array.of(keyTypes[kind])).update(Uint8Array.from(hexToBytes(publicKey))).digest().slice(0, 4));
}

/** @throws CestaError `config.invalid` */
export function requireKeyName(name: string): string {
  if (!isKeyName(name)) throw new CestaError('config.invalid', `key name: expected text without white space and plus signs, got ${JSON.stringify(name)}`);
  return name;
}

function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+\p{Cc}]/u.test(name);
}

function malformed(what: string): CestaError {
  return new CestaError('protocol.malformed', `note: ${what}`);
}

/** The part of a note that is signed. @throws CestaError `protocol.malformed` */
function requireText(text: string): string {
  if (/[\u0000-\u0009\u000b-\u001f]|\p{Surrogate}/u.test(text)) throw malformed('expected text without control characters');
  if (!text.endsWith('\n')) throw malformed('expected it to end in a newline');
  return text;
}

/**
 * Reads a note. Nothing is verified yet.
 * @throws CestaError `protocol.malformed`
 */
export function parseNote(value: unknown): SignedNote {
  if (typeof value !== 'string' || value.length > maxNoteLength) throw malformed(`expected text of at most ${maxNoteLength} characters`);
  requireText(value);
  const gap = value.lastIndexOf('\n\n');
  if (gap < 0) throw malformed('expected an empty line before the signatures');
  const lines = value.slice(gap + 2, -1).split('\n');
  if (lines.length > maxSignatures) throw malformed(`expected at most ${maxSignatures} signatures, got ${lines.length}`);
  return { text: value.slice(0, gap + 1), signatures: lines.map(parseSignature) };
}

/** Reads one signature line, without its newline. @throws CestaError `protocol.malformed` */
export function parseSignature(line: string): NoteSignature {
  const match = /^\u2014 (\S+) (\S+)$/u.exec(line);
  const bytes = match === null ? null : decodeBase64(match[2]);
  if (match === null || !isKeyName(match[1]) || bytes === null || bytes.length <= 4) throw malformed(`expected a signature line, got ${JSON.stringify(line.slice(0, 80))}`);
  return { name: match[1], keyId: bytesToHex(bytes.slice(0, 4)), signature: bytes.slice(4) };
}

/** One line, with its newline. */
export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  const bytes = new Uint8Array(4 + signature.length);
  bytes.set(hexToBytes(keyId));
  bytes.set(signature, 4);
  return `\u2014 ${name} ${encodeBase64(bytes)}\n`;
}

export function formatNote({ text, signatures }: SignedNote): string {
  return `${text}\n${signatures.map(formatSignature).join('')}`;
}

/** Signs as a log. @throws CestaError `protocol.malformed` or `config.invalid` */
export function signNote(text: string, name: string, key: SigningKey): NoteSignature {
  requireText(text);
  const noteKey: NoteKey = { name: requireKeyName(name), publicKey: key.publicKey, kind: 'log' };
  return { name, keyId: noteKeyId(noteKey), signature: Uint8Array.from(hexToBytes(key.sign(encoder.encode(text)))) };
}

/** What a witness signs (cosignature/v1). */
function cosignedText(text: string, time: number): Uint8Array {
  return encoder.encode(`cosignature/v1\ntime ${time}\n${text}`);
}

/**
 * Signs as a witness. Its key may sign nothing else: the statement does not name the witness.
 * @param time POSIX seconds
 * @throws CestaError `protocol.malformed` or `config.invalid`
 */
export function cosignNote(text: string, name: string, key: SigningKey, time: number): NoteSignature {
  requireText(text);
  if (!Number.isSafeInteger(time) || time <= 0) throw new CestaError('config.invalid', `time: expected whole seconds above 0, got ${time}`);
  const noteKey: NoteKey = { name: requireKeyName(name), publicKey: key.publicKey, kind: 'witness' };
  const signature = new Uint8Array(timeBytes + signatureBytes);
  new DataView(signature.buffer).setBigUint64(0, BigInt(time));
  signature.set(hexToBytes(key.sign(cosignedText(text, time))), timeBytes);
  return { name, keyId: noteKeyId(noteKey), signature };
}

/**
 * The signatures of known keys. Those of others are ignored, as the format demands.
 * @throws CestaError `log.untrusted` when none is known, or when one of a known key does not verify.
 */
export async function verifyNote({ text, signatures }: SignedNote, keys: readonly NoteKey[]): Promise<readonly VerifiedSignature[]> {
  const verified: VerifiedSignature[] = [];
  for (const key of keys) {
    const keyId = noteKeyId(key);
    for (const signature of signatures) {
      if (signature.name !== key.name || signature.keyId !== keyId) continue;
      const found = await verifyOne(text, signature.signature, key);
      if (found === null) throw new CestaError('log.untrusted', `note: expected the signature of ${key.name} to verify`);
      verified.push(found);
    }
  }
  if (verified.length === 0) {
    throw new CestaError('log.untrusted', `note: expected a signature of ${keys.map(({ name }) => name).join(' or ')}, got ${signatures.map(({ name }) => name).join(', ')}`);
  }
  return verified;
}

async function verifyOne(text: string, bytes: Uint8Array, key: NoteKey): Promise<VerifiedSignature | null> {
  switch (key.kind) {
    case 'log':
      return (await verifySignature(key.publicKey, bytesToHex(bytes), encoder.encode(text))) ? { key, time: null } : null;
    case 'witness': {
      if (bytes.length !== timeBytes + signatureBytes) return null;
      const time = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
      if (!Number.isSafeInteger(time)) return null;
      return (await verifySignature(key.publicKey, bytesToHex(bytes.slice(timeBytes)), cosignedText(text, time))) ? { key, time } : null;
    }
    default:
      return key.kind satisfies never;
  }
}
