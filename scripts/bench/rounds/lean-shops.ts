/**
 * Shops that speak the protocol and cost next to nothing: they take every plan, check no signature, and send the same
 * ready-made statistic. What is measured is the coordinator.
 */
import { createHash } from 'node:crypto';
import { WebSocket } from 'ws';
import { parsePlan, planHash, protocolVersion } from '../../../shared/federation/plan.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { connectStatement, parseServerMessage, roundsPath } from '../../../shared/protocol/messages.ts';
import { sendStatistic } from './floor-clients.ts';

export interface LeanShops {
  /** The last that came, as it was sent. */
  readonly invitation: string;
  /**
   * Answers the invitations that are held back, takes part in so many rounds, and holds the next invitations back.
   */
  play(rounds: number): Promise<PlayedRounds>;
}

export interface PlayedRounds {
  /** From the first answer until everybody is invited to the round after the last. */
  readonly ms: number;
  /** Of that, how long all shops had said what was theirs to say and heard nothing of it. */
  readonly waitingMs: number;
}

interface Invitation {
  readonly round: string;
  readonly planHash: string;
}

interface Shops {
  readonly statistic: Int32Array;
  readonly sha256: string;
  readonly invited: Set<Shop>;
  readonly clients: number;
  /** The same for all shops, and read once. */
  text: string;
  invitation: Invitation;
  roundsLeft: number;
  /** Shops that have joined the round and shops whose report is on the way, in turn. */
  said: number;
  /** When the last of all shops has said its word; null while one of them has not, or the answer came. */
  saidAt: number | null;
  waitingMs: number;
  onHeld: () => void;
}

interface Shop {
  readonly socket: WebSocket;
  seq: number;
}

export async function openLeanShops(url: string, clients: number, statistic: Int32Array): Promise<LeanShops> {
  const shops: Shops = {
    statistic, sha256: createHash('sha256').update(new Uint8Array(statistic.buffer)).digest('hex'), clients,
    invited: new Set(), text: '', invitation: { round: '', planHash: '' }, roundsLeft: 0, said: 0, saidAt: null, waitingMs: 0, onHeld: () => undefined,
  };
  const allInvited = (): Promise<void> => new Promise((resolve) => {
    shops.onHeld = resolve;
  });
  const first = allInvited();
  for (let from = 1; from <= clients; from += 50) {
    await Promise.all(Array.from({ length: Math.min(50, clients + 1 - from) }, (_, i) => connect(url, from + i, (socket) => {
      const shop: Shop = { socket, seq: 0 };
      return (text) => hear(shops, shop, text);
    })));
  }
  await first;
  return {
    get invitation() {
      return shops.text;
    },
    async play(rounds) {
      const held = allInvited();
      shops.roundsLeft = rounds;
      shops.waitingMs = 0;
      const start = performance.now();
      answerInvitations(shops);
      await held;
      return { ms: performance.now() - start, waitingMs: shops.waitingMs };
    },
  };
}

/** Connects shops `from..to` and leaves them alone. */
export async function connectIdle(url: string, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 50) {
    await Promise.all(Array.from({ length: Math.min(50, to + 1 - number) }, (_, i) => connect(url, number + i, () => () => undefined)));
  }
}

function hear(shops: Shops, shop: Shop, text: string): void {
  const { round } = shops.invitation;
  if (text.startsWith('{"type":"invite"')) return invite(shops, shop, text);
  if (text.startsWith('{"type":"train"')) {
    answered(shops);
    return say(shop, { type: 'report', ...shops.invitation, length: shops.statistic.length, sha256: shops.sha256 });
  }
  if (text.startsWith('{"type":"upload"')) {
    shop.seq = sendStatistic(shop.socket, round, shops.statistic, shop.seq);
    return said(shops, 1);
  }
  if (text.startsWith('{"type":"error"') || text.startsWith('{"type":"round-failed"')) throw new CestaError('internal', `bench: expected a round that goes well, got ${text}`);
}

function said(shops: Shops, count: number): void {
  shops.said += count;
  if (shops.said < shops.clients) return;
  shops.said = 0;
  shops.saidAt = performance.now();
}

function answered(shops: Shops): void {
  if (shops.saidAt !== null) shops.waitingMs += performance.now() - shops.saidAt;
  shops.saidAt = null;
}

function invite(shops: Shops, shop: Shop, text: string): void {
  answered(shops);
  if (shops.text !== text) {
    const { plan } = JSON.parse(text) as { plan: unknown };
    const parsed = parsePlan(plan);
    Object.assign(shops, { text, invitation: { round: parsed.round, planHash: planHash(parsed) } });
  }
  shops.invited.add(shop);
  if (shops.invited.size < shops.clients) return;
  if (shops.roundsLeft > 0) return answerInvitations(shops);
  shops.onHeld();
}

function answerInvitations(shops: Shops): void {
  shops.roundsLeft -= 1;
  const invited = [...shops.invited];
  shops.invited.clear();
  for (const shop of invited) say(shop, { type: 'join', ...shops.invitation });
  said(shops, invited.length);
}

function say(shop: Shop, message: object): void {
  shop.socket.send(JSON.stringify({ ...message, seq: (shop.seq += 1) }));
}

/** The handshake of a shop with a key of its own; resolves when it is ready. */
function connect(url: string, number: number, onReady: (socket: WebSocket) => (text: string) => void): Promise<void> {
  const shop = `shop-${number}`;
  const secret = new Uint8Array(32).fill(1);
  new DataView(secret.buffer).setUint32(0, number);
  const key = signingKey(secret);
  const socket = new WebSocket(`${url.replace('http', 'ws')}${roundsPath}`, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    let listen: ((text: string) => void) | null = null;
    socket.on('error', reject);
    socket.on('close', (status) => reject(new CestaError('internal', `bench: expected ${shop} to stay connected, got ${status}`)));
    socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', protocol: protocolVersion, shop, publicKey: key.publicKey })));
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (listen !== null) return listen(text);
      const message = parseServerMessage(text);
      if (message.type === 'challenge') socket.send(JSON.stringify({ type: 'proof', signature: key.sign(connectStatement('shop', message.nonce, shop, message.coordinatorKey)) }));
      if (message.type === 'error') reject(new CestaError(message.code, message.message));
      if (message.type !== 'ready') return;
      listen = onReady(socket);
      resolve();
    });
  });
}
