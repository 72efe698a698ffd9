/**
 * The floor: a bare WebSocket server that adds the same chunks to one sum and says so after the last. It knows no
 * shops, checks nothing and keeps nothing.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { chunkBytes } from '../../../shared/protocol/messages.ts';
import { answer, usage } from '../children.ts';

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start'), length: z.number() }),
  z.strictObject({ kind: z.literal('usage') }),
]);

answer(schema, async (command) => (command.kind === 'usage' ? usage() : start(command.length)));

async function start(length: number): Promise<{ url: string }> {
  const server = createServer();
  const sum = new Int32Array(length);
  new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 1 << 20 }).on('connection', (socket) => {
    let received = 0;
    socket.on('message', (frame: Buffer) => {
      const words = wordsOf(frame, length - received);
      for (let i = 0; i < words.length; i += 1) sum[received + i] = (sum[received + i] + words[i]) | 0;
      received += words.length;
      if (received < length) return;
      received = 0;
      socket.send('{}');
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Behind the header of a chunk, whose size is known from what is left to come. */
function wordsOf(frame: Buffer, mostWords: number): Int32Array {
  const start = frame.byteOffset + 8 + Number(frame.readBigUInt64LE(0));
  // Rarely aligned where it lies.
  return new Int32Array(frame.buffer.slice(start, start + 4 * Math.min(mostWords, chunkBytes / 4)));
}
