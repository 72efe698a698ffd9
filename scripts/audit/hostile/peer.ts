/** A WebSocket that says whatever it is told to, in frames or in bytes that are none, and takes note of every answer. */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { planHash, protocolVersion, type Plan } from '../../../shared/federation/plan.ts';
import { signingKey, type SigningKey } from '../../../shared/ledger/signing-key.ts';
import { connectStatement, parseServerMessage, roundsPath, type ServerMessage } from '../../../shared/protocol/messages.ts';
import { createFrameReader, frameOf, opcodes, type ServerFrame } from './web-socket-frames.ts';

export type MessageOf<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>;

/** The status a WebSocket was closed with, or 1006 when it just ended. */
export type Closed = number;

export interface Peer {
  readonly socket: Socket;
  readonly isOpen: boolean;
  /** Writes these bytes as they are; waits while the other side does not keep up. */
  write(bytes: Uint8Array): Promise<void>;
  /** Sends a control message as it is, or with the next sequence number. */
  send(message: object): void;
  say(message: object): void;
  readonly nextSeq: () => number;
  /** Resolves to the next message of this type, or to null when none comes in time. */
  next<Type extends ServerMessage['type']>(type: Type, withinMs: number): Promise<MessageOf<Type> | null>;
  /** A round trip: everything sent before was handled. Resolves, too, when the connection ends or time is up. */
  settled(withinMs: number): Promise<void>;
  readonly closed: Promise<Closed>;
  hangUp(): void;
}

export interface DialOptions {
  /** Hears every message and every status of an end. */
  readonly onAnswer?: (answer: string) => void;
  /** What a proxy would say of the address. */
  readonly forwardedFor?: string;
}

export interface Shop {
  readonly shop: string;
  readonly key: SigningKey;
}

/** The same name always has the same key. */
export function shopNamed(shop: string, keyName = shop): Shop {
  return { shop, key: signingKey(createHash('sha256').update(`hostile shop ${keyName}`).digest()) };
}

interface Waiter {
  readonly type: string;
  readonly resolve: (message: ServerMessage | null) => void;
}

/** How long the other side may take to answer a handshake. */
const dialMs = 20_000;

/** @throws Error for a connection that is refused, with the HTTP status as its message */
export async function dial(url: URL, { onAnswer = () => undefined, forwardedFor }: DialOptions = {}): Promise<Peer> {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  socket.on('error', () => undefined);
  const rest = await upgrade(socket, url, forwardedFor);
  return peerOver(socket, rest, onAnswer);
}

export function upgradeRequest(url: URL, forwardedFor?: string): string {
  return [`GET ${roundsPath} HTTP/1.1`, `Host: ${url.host}`, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', ...(forwardedFor === undefined ? [] : [`X-Forwarded-For: ${forwardedFor}`]), '', ''].join('\r\n');
}

function upgrade(socket: Socket, url: URL, forwardedFor: string | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), dialMs);
    const onClose = (): void => finish(() => reject(new Error('no answer')));
    const finish = (then: () => void): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose);
      then();
    };
    const onData = (data: Buffer): void => {
      head = Buffer.concat([head, data]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const status = head.subarray(9, 12).toString('latin1');
      finish(() => {
        if (status === '101') return resolve(head.subarray(end + 4));
        socket.destroy();
        reject(new Error(status));
      });
    };
    socket.on('data', onData).once('close', onClose);
    socket.write(upgradeRequest(url, forwardedFor));
  });
}

function peerOver(socket: Socket, rest: Buffer, onAnswer: (answer: string) => void): Peer {
  const unclaimed: ServerMessage[] = [];
  let waiters: Waiter[] = [];
  let onPong: () => void = () => undefined;
  let [seq, isOpen, status] = [0, true, 1006];
  const onFrame = ({ opcode, payload }: ServerFrame): void => {
    if (opcode === opcodes.pong) return onPong();
    if (opcode === opcodes.ping) return void socket.write(frameOf(payload, { opcode: opcodes.pong }));
    if (opcode === opcodes.close) {
      status = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      return void socket.end(frameOf(payload.subarray(0, 2), { opcode: opcodes.close }));
    }
    const message = parseServerMessage(payload.toString('utf8'));
    onAnswer(message.type === 'error' ? message.code : message.type);
    const waiter = waiters.find(({ type }) => type === message.type);
    if (waiter === undefined) return void unclaimed.push(message);
    waiters = waiters.filter((other) => other !== waiter);
    waiter.resolve(message);
  };
  const read = createFrameReader(onFrame);
  const closed = new Promise<Closed>((resolve) => void socket.once('close', () => {
    isOpen = false;
    for (const waiter of waiters) waiter.resolve(null);
    onPong();
    onAnswer(`closed ${status}`);
    resolve(status);
  }));
  socket.on('data', read);
  if (rest.length > 0) read(rest);
  const sendText = (text: string): void => void socket.write(frameOf(Buffer.from(text)));
  return {
    socket,
    closed,
    get isOpen() {
      return isOpen;
    },
    write: (bytes) => isOpen ? writeAll(socket, bytes) : Promise.resolve(),
    send: (message) => sendText(JSON.stringify(message)),
    say: (message) => sendText(JSON.stringify({ ...message, seq: (seq += 1) })),
    nextSeq: () => (seq += 1),
    next<Type extends ServerMessage['type']>(type: Type, withinMs: number) {
      const index = unclaimed.findIndex((message) => message.type === type);
      if (index >= 0) return Promise.resolve(unclaimed.splice(index, 1)[0] as MessageOf<Type>);
      if (!isOpen) return Promise.resolve(null);
      return within(withinMs, null, new Promise<MessageOf<Type> | null>((resolve) => void waiters.push({ type, resolve: resolve as Waiter['resolve'] })));
    },
    settled: (withinMs) => within(withinMs, undefined, new Promise<void>((resolve) => {
      if (!isOpen) return resolve();
      onPong = resolve;
      socket.write(frameOf(Buffer.from('settled'), { opcode: opcodes.ping }));
    })),
    hangUp: () => socket.destroy(),
  };
}

function writeAll(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const onRoom = (): void => {
      socket.off('drain', onRoom).off('close', onRoom);
      resolve();
    };
    socket.on('drain', onRoom).on('close', onRoom);
  });
}

/** What a promise resolves to, or something else when it takes too long. */
export function within<T>(ms: number, otherwise: T, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<T>((resolve) => (timer = setTimeout(() => resolve(otherwise), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Answers are awaited for so long: the machine may be busy. */
export const answerMs = 20_000;

/** Says hello. @returns the proof that answers the challenge, or null when none came */
export async function greet(peer: Peer, { shop, key }: Shop): Promise<object | null> {
  peer.send({ type: 'hello', protocol: protocolVersion, shop, publicKey: key.publicKey });
  const challenge = await peer.next('challenge', answerMs);
  return challenge === null ? null : { type: 'proof', signature: key.sign(connectStatement('shop', challenge.nonce, shop, challenge.coordinatorKey)) };
}

/** Goes through the handshake. @returns whether the peer is ready for rounds */
export async function enter(peer: Peer, shop: Shop): Promise<boolean> {
  const proof = await greet(peer, shop);
  if (proof === null) return false;
  peer.send(proof);
  const welcome = await peer.next('welcome', answerMs);
  if (welcome?.openCatalogue === true) peer.say({ type: 'products', products: [], last: true });
  return (await peer.next('ready', answerMs)) !== null;
}

/** Accepts an invitation. */
export function join(peer: Peer, plan: Plan): void {
  peer.say({ type: 'join', round: plan.round, planHash: planHash(plan) });
}

export function digestOf(update: Int32Array): string {
  return createHash('sha256').update(new Uint8Array(update.buffer, update.byteOffset, update.byteLength)).digest('hex');
}

/** What is said about an update before it is sent. */
export function announcement(plan: Plan, update: Int32Array): { type: 'report'; round: string; planHash: string; length: number; sha256: string } {
  return { type: 'report', round: plan.round, planHash: planHash(plan), length: update.length, sha256: digestOf(update) };
}

/** Writes one byte a second. @returns what stops it */
export function trickle(socket: Socket, bytes: Uint8Array): () => void {
  let sent = 0;
  const timer = setInterval(() => {
    if (socket.writable && sent < bytes.length) socket.write(bytes.subarray(sent, (sent += 1)));
  }, 1_000);
  return () => clearInterval(timer);
}
