/**
 * Readers of a release over connections that are kept alive: bare sockets that send the same request again and again
 * and count the bytes that come back, each into one buffer of its own, so that the readers cost less than what they
 * measure.
 */
import { connect, type Socket } from 'node:net';
import { z } from 'zod';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { openLeanShops } from '../rounds/lean-shops.ts';
import { answer } from '../children.ts';

const schema = z.discriminatedUnion('kind', [
  /** Takes part in one round, so that there is a release. */
  z.strictObject({ kind: z.literal('train'), url: z.string(), length: z.number() }),
  z.strictObject({ kind: z.literal('read'), url: z.string(), connections: z.number(), requests: z.number(), ifNoneMatch: z.string().nullable() }),
]);

answer(schema, async (command) => {
  if (command.kind === 'read') return read(command);
  const shops = await openLeanShops(command.url, 1, Int32Array.from({ length: command.length }, (_, i) => i % 1_000));
  await Promise.race([shops.play(1), released(command.url)]);
  return null;
});

async function released(url: string): Promise<void> {
  while ((await fetch(`${url}/v1/model`, { method: 'HEAD' })).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
}

type Reading = Extract<z.infer<typeof schema>, { kind: 'read' }>;

/** @returns milliseconds for all requests */
async function read({ url, connections, requests, ifNoneMatch }: Reading): Promise<number> {
  const { hostname, port, host } = new URL(url);
  const condition = ifNoneMatch === null ? '' : `If-None-Match: ${ifNoneMatch}\r\n`;
  const request = Buffer.from(`GET /v1/model HTTP/1.1\r\nHost: ${host}\r\n${condition}\r\n`);
  const lines = await Promise.all(Array.from({ length: connections }, () => open(Number(port), hostname)));
  const state = { left: requests };
  const start = performance.now();
  await Promise.all(lines.map((line) => ask(line, request, state, ifNoneMatch === null ? 200 : 304)));
  const ms = performance.now() - start;
  for (const { socket } of lines) socket.destroy();
  return ms;
}

interface Line {
  readonly socket: Socket;
  /** What the next bytes are for; they are overwritten by those after them. */
  hear: (bytes: Buffer) => void;
}

const readBytes = 1 << 18;

function open(port: number, host: string): Promise<Line> {
  const callback = (length: number, bytes: Uint8Array): boolean => {
    line.hear(Buffer.from(bytes.buffer, bytes.byteOffset, length));
    return true;
  };
  const socket = connect({ port, host, noDelay: true, onread: { buffer: Buffer.allocUnsafeSlow(readBytes), callback } });
  const line: Line = { socket, hear: () => undefined };
  return new Promise((resolve, reject) => void socket.once('connect', () => resolve(line)).once('error', reject));
}

function ask(line: Line, request: Buffer, state: { left: number }, status: number): Promise<void> {
  const { socket } = line;
  return new Promise((resolve, reject) => {
    /** Of the answer that is being read: bytes still to come, or what there is of its head. */
    let missing = 0;
    let head = '';
    const next = (): void => {
      if (state.left === 0) return resolve();
      state.left -= 1;
      socket.write(request);
    };
    socket.on('error', reject).on('close', () => reject(new CestaError('internal', 'bench: expected the connection to be kept, and it was closed')));
    line.hear = (data) => {
      if (missing > 0) {
        missing -= data.length;
        return missing === 0 ? next() : undefined;
      }
      head += data.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!head.startsWith(`HTTP/1.1 ${status}`)) return reject(new CestaError('internal', `bench: expected ${status}, got ${head.slice(0, 200)}`));
      missing = Number(/\r\ncontent-length: (\d+)/i.exec(head.slice(0, end))?.[1] ?? 0) - (head.length - end - 4);
      head = '';
      if (missing === 0) next();
    };
    next();
  });
}
