/** Good frames: one of every message a client may send, as they would be right for this peer at this moment. */
import { planHash, protocolVersion, type Plan } from '../../../shared/federation/plan.ts';
import { encodeChunk } from '../../../shared/protocol/messages.ts';
import { encodeMessage } from '../../../shared/secagg/wire.ts';
import { announcement, type Shop } from './peer.ts';
import type { Seed } from './mutations.ts';
import { opcodes } from './web-socket-frames.ts';

const textSeed = (message: object): Seed => ({ opcode: opcodes.text, payload: Buffer.from(JSON.stringify(message)) });

/** Before there is a round. */
const noRound = { round: 'hostile-1', planHash: 'a'.repeat(64) };

export interface Moment {
  readonly shop: Shop;
  readonly plan: Plan | null;
  readonly nextSeq: () => number;
}

/** Makes a seed with a sequence number of its own. */
export type SeedMaker = () => Seed;

/** @param update what the peer has announced, or would */
export function seedsAt({ shop: { shop, key }, plan, nextSeq }: Moment, update: Int32Array): SeedMaker[] {
  const about = plan === null ? noRound : { round: plan.round, planHash: planHash(plan) };
  const report = plan === null ? { type: 'report', ...noRound, length: update.length, sha256: 'b'.repeat(64) } : announcement(plan, update);
  const { round } = about;
  return [
    () => textSeed({ type: 'hello', protocol: protocolVersion, shop, publicKey: key.publicKey, session: '0'.repeat(32), nonce: 'c'.repeat(64), certificate: certificateOf(shop, key.publicKey) }),
    () => textSeed({ type: 'proof', signature: 'd'.repeat(128) }),
    () => textSeed({ type: 'products', seq: nextSeq(), products: [{ id: 'sku-1', title: 'mug' }, { id: 'sku-2', title: 'plate' }], last: false }),
    () => textSeed({ ...about, type: 'join', seq: nextSeq() }),
    () => textSeed({ type: 'decline', seq: nextSeq(), round, code: 'privacy.infeasible', message: 'no' }),
    () => textSeed({ ...report, seq: nextSeq() }),
    () => textSeed({ type: 'leave', seq: nextSeq(), round }),
    ...sessionFrames(shop).map((frame) => () => textSeed({ type: 'masked', seq: nextSeq(), round, frame })),
    () => chunkSeed(round, nextSeq(), 0, update.slice(0, 16_384)),
    () => chunkSeed(round, nextSeq(), 0, update.slice(0, 1)),
  ];
}

export function chunkSeed(round: string, seq: number, offset: number, data: Int32Array): Seed {
  return { opcode: opcodes.binary, payload: Buffer.from(encodeChunk({ round, seq, offset, data })) };
}

function certificateOf(shop: string, node: string): object {
  return { cert: { v: 1, node, shop, organisation: 'hostile', roles: ['shop'], notBefore: '2020-01-01T00:00:00Z', notAfter: '2100-01-01T00:00:00Z' }, signature: 'e'.repeat(128) };
}

/** Of every kind, in the right shape and signed by nobody. */
function sessionFrames(id: string): string[] {
  const [key, signature] = [new Uint8Array(32).fill(7), new Uint8Array(64).fill(9)];
  const bytes = new Uint8Array(40).fill(5);
  return [
    encodeMessage({ kind: 'advertise', id, cipherKey: key, maskKey: key, nonceHash: key, signature }),
    encodeMessage({ kind: 'nonce', from: 0, nonce: key }),
    encodeMessage({ kind: 'shares', from: 0, seedCommitment: key, chainEnd: key, boxes: bytes, commitments: bytes, signature }),
    encodeMessage({ kind: 'masked', from: 0, vector: bytes, unopened: bytes, signature }),
    encodeMessage({ kind: 'confirm', from: 0, signature }),
    encodeMessage({ kind: 'unmask', from: 0, seed: key, noiseKey: bytes, shares: bytes, signature }),
    encodeMessage({ kind: 'abort', code: 'secagg.aborted', message: 'no' }),
  ].map((frame) => Buffer.from(frame).toString('base64'));
}
