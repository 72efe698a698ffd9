/** A network, a clock and a coordinator that do exactly what a test says. */
import { randomBytes } from 'node:crypto';
import type { Timers, OpenSocket, SocketHandlers } from '../../client/socket.ts';
import { makeReceipt } from '../../shared/ledger/receipt.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { connectStatement, parseClientMessage, type ClientMessage, type ServerMessage } from '../../shared/protocol/messages.ts';
import { fakeRecord } from './fake-record.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface FakeTimers extends Timers {
  readonly now: number;
  /** Runs what is due, in order, and what that schedules if it is due, too. */
  advance(ms: number): void;
  /** How many are waiting. */
  readonly waiting: number;
}

export function fakeTimers(): FakeTimers {
  let now = 0;
  let pending: { at: number; work: () => void }[] = [];
  return {
    get now() {
      return now;
    },
    get waiting() {
      return pending.length;
    },
    after(ms, work) {
      const timer = { at: now + ms, work };
      pending.push(timer);
      return () => void (pending = pending.filter((other) => other !== timer));
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = pending.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        pending = pending.filter((other) => other !== due);
        now = due.at;
        due.work();
      }
      now = end;
    },
  };
}

export interface FakeSocket {
  readonly url: string;
  bufferedAmount: number;
  isClosed: boolean;
  readonly texts: string[];
  readonly frames: Uint8Array[];
  /** Called with every frame, before it is kept. */
  onSend: (data: string | Uint8Array) => void;
  messages(): ClientMessage[];
  open(): void;
  say(message: ServerMessage): void;
  sayText(text: string | Uint8Array): void;
  lose(reason?: string): void;
}

export interface FakeNetwork {
  readonly openSocket: OpenSocket;
  readonly sockets: FakeSocket[];
  /** The newest socket. */
  last(): FakeSocket;
}

export function fakeNetwork(onOpen: (socket: FakeSocket) => void = () => undefined): FakeNetwork {
  const sockets: FakeSocket[] = [];
  const openSocket: OpenSocket = (url, handlers) => {
    const socket = fakeSocket(url, handlers);
    sockets.push(socket);
    onOpen(socket);
    return {
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
      send(data) {
        socket.onSend(data);
        if (typeof data === 'string') socket.texts.push(data);
        else socket.frames.push(data.slice());
      },
      close: () => void (socket.isClosed = true),
    };
  };
  return { openSocket, sockets, last: () => sockets[sockets.length - 1] };
}

function fakeSocket(url: string, handlers: SocketHandlers): FakeSocket {
  const texts: string[] = [];
  const frames: Uint8Array[] = [];
  return {
    url,
    bufferedAmount: 0,
    isClosed: false,
    texts,
    frames,
    onSend: () => undefined,
    messages: () => texts.map(parseClientMessage),
    open: () => handlers.onOpen(),
    say: (message) => handlers.onMessage(JSON.stringify(message)),
    sayText: (text) => handlers.onMessage(text),
    lose: (reason = 'connection lost') => handlers.onClose(reason),
  };
}

export const coordinator = signingKey(randomBytes(32));
/** The public record of the coordinator: grows by every plan that somebody is invited to. */
export const coordinatorRecord = fakeRecord(coordinator);
export const sessionToken = (n: number): string => n.toString(16).padStart(32, '0');

/** The coordinator's part of the handshake, up to `ready`. */
export function admit(socket: FakeSocket, { session = 1, openCatalogue = false, task = 'main', key = coordinator.publicKey } = {}): void {
  socket.open();
  socket.say({ type: 'challenge', nonce: '11'.repeat(32), coordinatorKey: key });
  socket.say({ ...welcomeTo(socket, session), task, openCatalogue });
  if (!openCatalogue) socket.say({ type: 'ready' });
}

/** Says that the newest report of the shop behind the socket is in, with a receipt for it. */
export function acknowledge(socket: FakeSocket, round: string): void {
  const [hello] = socket.messages();
  const report = socket.messages().findLast((message) => message.type === 'report');
  if (hello.type !== 'hello' || report === undefined) throw new Error('expected a hello and a report first');
  const { planHash, sha256 } = report;
  socket.say({ type: 'accepted', round, receipt: makeReceipt(coordinator, { round, planHash, shop: hello.shop.toLowerCase(), node: hello.publicKey, sha256, acceptedAt: '2026-01-02T03:04:05.000Z' }) });
}

/** A welcome that proves the fake coordinator's key over the nonce of the socket's hello. */
export function welcomeTo(socket: FakeSocket, session: number): Extract<ServerMessage, { type: 'welcome' }> {
  const [hello] = socket.messages();
  if (hello.type !== 'hello') throw new Error('expected a hello first');
  const signature = coordinator.sign(connectStatement('coordinator', hello.nonce ?? '', hello.shop, coordinator.publicKey));
  return { type: 'welcome', task: 'main', session: sessionToken(session), openCatalogue: false, signature };
}

/** Lets promises that wait for nothing but each other, or for real I/O of a few milliseconds, settle. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

export async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (thrown) {
    return thrown instanceof CestaError ? thrown.code : `not coded: ${String(thrown)}`;
  }
  return 'no error';
}
