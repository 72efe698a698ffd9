/**
 * Sends signed requests so that each counts once. An envelope is on disk before it is sent and stays there until its answer
 * was put to use; a command that is run again after a crash or a lost answer sends the same bytes, which get the same one.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodesPath } from '../../shared/identity/requests.ts';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import { bodyHashOf, encodeEnvelope, parseEnvelope, sealEnvelope, type Envelope, type EnvelopeType } from '../../shared/protocol/envelope.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { requireSecureAddress } from '../../shared/protocol/transport.ts';
import { addressBelow, postText, type Fetch } from '../http.ts';
import { takeNumber } from './sequence-files.ts';
import { storageErrors } from './spend-ledger.ts';
import { writeDurably } from './durable-file.ts';

export interface Correspondent {
  /** Keeps the numbers and the envelope that is not answered yet. */
  readonly folder: string;
  readonly key: SigningKey;
  readonly coordinator: URL;
  /** Public key of the coordinator: the request is worth nothing to another. */
  readonly coordinatorKey: string;
  readonly fetch?: Fetch;
  /** Unix milliseconds. */
  readonly dateMs?: () => number;
}

/**
 * Asks the coordinator for something in a signed envelope and resolves to what `use` makes of the answer, which nobody has
 * checked before.
 * @throws CestaError the coordinator's refusal, `network.unreachable`, `transport.insecure` or `storage.failed`
 */
export async function request<T>(from: Correspondent, type: EnvelopeType, body: Json, use: (answer: unknown) => T | Promise<T>): Promise<T> {
  requireSecureAddress('coordinator', from.coordinator);
  const left = readPending(from, type, body);
  if (left !== null) {
    try {
      return await send(from, left, use);
    } catch (error) {
      // It never arrived, and is too old or overtaken by now: only a new one can.
      if (!(error instanceof CestaError) || (error.code !== 'envelope.stale' && error.code !== 'protocol.replayed')) throw error;
    }
  }
  const ts = from.dateMs?.() ?? Date.now();
  const envelope = sealEnvelope(from.key, { type, body, seq: takeNumber(join(from.folder, 'numbers'), ts), ts, coordinator: from.coordinatorKey });
  const path = pendingPath(from);
  storageErrors(path, () => writeDurably(path, from.folder, `${encodeEnvelope(envelope)}\n`));
  return send(from, envelope, use);
}

function pendingPath({ folder }: Correspondent): string {
  return join(folder, 'request.json');
}

/** The envelope of an earlier run that asks for the same and was never answered. */
function readPending(from: Correspondent, type: EnvelopeType, body: Json): Envelope | null {
  const path = pendingPath(from);
  return storageErrors(path, () => {
    if (!existsSync(path)) return null;
    try {
      const envelope = parseEnvelope(readFileSync(path, 'utf8').trim());
      const { header } = envelope;
      return header.type === type && header.node === from.key.publicKey && header.bodyHash === bodyHashOf(body) ? envelope : null;
    } catch {
      // Damaged: the number it took is lost, which costs nothing.
      return null;
    }
  });
}

/** Codes after which the same bytes may still be answered otherwise. */
const unanswered: ReadonlySet<string> = new Set(['network.unreachable', 'limit.rate', 'internal', 'storage.failed']);

async function send<T>(from: Correspondent, envelope: Envelope, use: (answer: unknown) => T | Promise<T>): Promise<T> {
  const path = pendingPath(from);
  try {
    const used = await use(await postText(from.fetch ?? globalThis.fetch, addressBelow(from.coordinator, nodesPath.slice(1)), encodeEnvelope(envelope)));
    storageErrors(path, () => rmSync(path, { force: true }));
    return used;
  } catch (error) {
    if (error instanceof CestaError && !unanswered.has(error.code)) storageErrors(path, () => rmSync(path, { force: true }));
    throw error;
  }
}
