/**
 * The floor: a bare WebSocket server that adds the same chunks to one sum and says so after the last. It knows no
 * shops, checks nothing and keeps nothing.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { answer, usage } from '../children.ts';
import { createBareSum } from './bare-sum.ts';

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start'), length: z.number() }),
  z.strictObject({ kind: z.literal('usage') }),
]);

answer(schema, async (command) => (command.kind === 'usage' ? usage() : start(command.length)));

async function start(length: number): Promise<{ url: string }> {
  const server = createServer();
  const sum = createBareSum(length);
  new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 1 << 20 }).on('connection', (socket) => {
    const add = sum.sender();
    socket.on('message', (frame: Buffer) => {
      if (add(frame)) socket.send('{}');
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
