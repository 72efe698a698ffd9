/** The floor: a bare `node:http` server with two fixed answers, the same bytes as the coordinator gives. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { answer, usage } from '../children.ts';

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start'), bytes: z.number() }),
  z.strictObject({ kind: z.literal('usage') }),
]);

answer(schema, async (command) => {
  if (command.kind === 'usage') return usage();
  const body = new Uint8Array(command.bytes).fill(7);
  const server = createServer((request, response) => {
    if (request.headers['if-none-match'] === '"floor"') response.writeHead(304, { ETag: '"floor"' }).end();
    else response.writeHead(200, { ETag: '"floor"', 'Content-Length': body.length }).end(body);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
});
