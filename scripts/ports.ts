/** Ports of this machine that nobody has: just now, or for longer. */
import { randomInt } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';

/** The port if nobody has it; else 0, which picks another. */
export async function freePort(port: number): Promise<number> {
  return port !== 0 && (await tryPort(port)) !== null ? port : 0;
}

/** Below those that systems give to whoever asks for none in particular. */
const lasting = { from: 20_000, below: 30_000 } as const;

/**
 * A free port for a server that starts a little later, or ends and comes back: one that the system picked it may give to somebody
 * else meanwhile.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(lasting.from, lasting.below);
    if ((await tryPort(port)) !== null) return port;
  }
}

/** Which port of that number, or for 0 of any, can be had just now. */
export async function tryPort(port: number): Promise<number | null> {
  const server = createServer();
  const found = await new Promise<number | null>((resolve) => void server.once('error', () => resolve(null)).listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
  if (found !== null) await new Promise((resolve) => server.close(resolve));
  return found;
}
