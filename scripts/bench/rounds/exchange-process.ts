/**
 * The floor of the protocol: a bare WebSocket server that exchanges with its shops the messages of a round, in the same
 * sizes and order, and adds their chunks to one sum. It knows no shops, checks nothing, signs nothing and keeps nothing.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { z } from 'zod';
import { answer, usage } from '../children.ts';
import { createBareSum } from './bare-sum.ts';

const schema = z.discriminatedUnion('kind', [
  /** `invitation`: one of a coordinator, as it was sent. */
  z.strictObject({ kind: z.literal('start'), length: z.number(), clients: z.number(), invitation: z.string() }),
  z.strictObject({ kind: z.literal('usage') }),
]);

answer(schema, async (command) => (command.kind === 'usage' ? usage() : start(command)));

const hex = (bytes: number): string => '0'.repeat(2 * bytes);
const receipt = { round: 'bench-1', planHash: hex(32), shop: 'shop-100', node: hex(32), sha256: hex(32), acceptedAt: '2000-01-01T00:00:00.000Z' };
const texts = {
  challenge: JSON.stringify({ type: 'challenge', nonce: hex(32), coordinatorKey: hex(32) }),
  ready: JSON.stringify({ type: 'ready' }),
  train: JSON.stringify({ type: 'train', round: 'bench-1', deadlineMs: 3_600_000 }),
  upload: JSON.stringify({ type: 'upload', round: 'bench-1' }),
  accepted: JSON.stringify({ type: 'accepted', round: 'bench-1', receipt: { receipt, signature: hex(64) } }),
  done: JSON.stringify({ type: 'round-done', round: 'bench-1', version: 1, sha256: hex(32) }),
};

async function start({ length, clients, invitation }: { length: number; clients: number; invitation: string }): Promise<{ url: string }> {
  const server = createServer();
  const sum = createBareSum(length);
  const sockets: WebSocket[] = [];
  const tell = (text: string): void => {
    for (const socket of sockets) socket.send(text);
  };
  /** Calls back when every shop has said so. */
  const whenAll = (then: () => void): (() => void) => {
    let count = 0;
    return () => {
      count = (count + 1) % clients;
      if (count === 0) then();
    };
  };
  const here = whenAll(() => tell(invitation));
  const joined = whenAll(() => tell(texts.train));
  const reported = whenAll(() => {
    tell(texts.done);
    tell(invitation);
  });
  new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 1 << 20 }).on('connection', (socket) => {
    const add = sum.sender();
    sockets.push(socket);
    socket.on('message', (frame: Buffer, isBinary) => {
      if (isBinary) {
        if (!add(frame)) return;
        socket.send(texts.accepted);
        return reported();
      }
      const { type } = JSON.parse(frame.toString()) as { type: string };
      if (type === 'hello') socket.send(texts.challenge);
      if (type === 'proof') {
        socket.send(texts.ready);
        here();
      }
      if (type === 'join') joined();
      if (type === 'report') socket.send(texts.upload);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
