/** A participant made of a socket and a key: says exactly what a test tells it to, well-behaved or not. */
import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { planHash, protocolVersion, type Plan } from '../../../shared/federation/plan.ts';
import { signingKey, type SigningKey } from '../../../shared/ledger/signing-key.ts';
import { chunkBytes, connectStatement, encodeChunk, parseServerMessage, type ServerMessage } from '../../../shared/protocol/messages.ts';

export type MessageOf<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>;

export interface TestClient {
  readonly socket: WebSocket;
  /** Everything that has come, oldest first. */
  readonly heard: readonly ServerMessage[];
  /** Sends a control message as it is. */
  send(message: object): void;
  /** Sends a control message with the next sequence number. */
  say(message: object): void;
  sendBytes(bytes: Uint8Array | string): void;
  /** Resolves to the next message of a type that was not waited for before; rejects when the socket closes first. */
  next<Type extends ServerMessage['type']>(type: Type): Promise<MessageOf<Type>>;
  nextSeq(): number;
  /** Status of the closed socket. */
  readonly closed: Promise<number>;
  hangUp(): void;
}

export interface Shop {
  readonly shop: string;
  readonly key: SigningKey;
}

/** The same name always has the same key, so that a shop can come back. */
export function shopNamed(shop: string, keyName = shop): Shop {
  return { shop, key: signingKey(createHash('sha256').update(`test shop ${keyName}`).digest()) };
}

interface Waiter {
  readonly type: string;
  readonly resolve: (message: ServerMessage) => void;
  readonly reject: (error: Error) => void;
}

export async function dial(url: string): Promise<TestClient> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/rounds/live`);
  const heard: ServerMessage[] = [];
  const unclaimed: ServerMessage[] = [];
  let waiters: Waiter[] = [];
  let seq = 0;
  socket.on('message', (data: Buffer) => {
    const message = parseServerMessage(data.toString('utf8'));
    heard.push(message);
    const waiter = waiters.find(({ type }) => type === message.type);
    if (waiter === undefined) return void unclaimed.push(message);
    waiters = waiters.filter((other) => other !== waiter);
    waiter.resolve(message);
  });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (status) => {
      for (const waiter of waiters) waiter.reject(new Error(`expected ${waiter.type}, but the socket closed with ${status} after ${JSON.stringify(heard.at(-1))}`));
      resolve(status);
    });
  });
  socket.on('error', () => undefined);
  onTestFinished(() => socket.terminate());
  await new Promise<void>((resolve, reject) => void socket.once('open', resolve).once('error', reject));
  return {
    socket,
    heard,
    closed,
    send: (message) => socket.send(JSON.stringify(message)),
    say: (message) => socket.send(JSON.stringify({ ...message, seq: (seq += 1) })),
    sendBytes: (bytes) => socket.send(bytes),
    nextSeq: () => (seq += 1),
    next: <Type extends ServerMessage['type']>(type: Type) => {
      const index = unclaimed.findIndex((message) => message.type === type);
      if (index >= 0) return Promise.resolve(unclaimed.splice(index, 1)[0] as MessageOf<Type>);
      if (socket.readyState >= WebSocket.CLOSING) return Promise.reject(new Error(`expected ${type}, but the socket is closed after ${JSON.stringify(heard.at(-1))}`));
      return new Promise<MessageOf<Type>>((resolve, reject) => void waiters.push({ type, resolve: resolve as (message: ServerMessage) => void, reject }));
    },
    hangUp: () => socket.terminate(),
  };
}

/** hello and proof; resolves when both are sent. */
export async function introduce(client: TestClient, { shop, key }: Shop, session?: string): Promise<void> {
  client.send({ type: 'hello', protocol: protocolVersion, shop, publicKey: key.publicKey, ...(session === undefined ? {} : { session }) });
  const { nonce, coordinatorKey } = await client.next('challenge');
  client.send({ type: 'proof', signature: key.sign(connectStatement('shop', nonce, shop, coordinatorKey)) });
}

export interface Admitted {
  readonly client: TestClient;
  readonly welcome: MessageOf<'welcome'>;
}

/** Connects a shop up to `ready`, publishing products where they are wanted. */
export async function connectShop(url: string, shop: Shop, options: { session?: string; products?: readonly object[] } = {}): Promise<Admitted> {
  const client = await dial(url);
  await introduce(client, shop, options.session);
  const welcome = await client.next('welcome');
  if (welcome.openCatalogue) client.say({ type: 'products', products: options.products ?? [], last: true });
  await client.next('ready');
  return { client, welcome };
}

export function digestOf(update: Int32Array): string {
  return createHash('sha256').update(new Uint8Array(update.buffer, update.byteOffset, update.byteLength)).digest('hex');
}

/** Accepts the next invitation. */
export async function joinRound(client: TestClient): Promise<Plan> {
  const { plan } = await client.next('invite');
  client.say({ type: 'join', round: plan.round, planHash: planHash(plan) });
  return plan;
}

export function announceReport(client: TestClient, plan: Plan, update: Int32Array): void {
  client.say({ type: 'report', round: plan.round, planHash: planHash(plan), length: update.length, sha256: digestOf(update) });
}

export function sendChunks(client: TestClient, round: string, update: Int32Array): void {
  const step = chunkBytes / Int32Array.BYTES_PER_ELEMENT;
  for (let offset = 0; offset < update.length; offset += step) {
    client.sendBytes(encodeChunk({ round, seq: client.nextSeq(), offset, data: update.slice(offset, offset + step) }));
  }
}

/** Reports an update once training starts, up to its acceptance. */
export async function reportUpdate(client: TestClient, plan: Plan, update: Int32Array): Promise<void> {
  await client.next('train');
  announceReport(client, plan, update);
  await client.next('upload');
  sendChunks(client, plan.round, update);
  await client.next('accepted');
}
