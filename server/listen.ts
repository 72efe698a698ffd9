/** The HTTP server under both sides of the coordinator, its limits and its address. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { idleMs, serverLimits } from '../shared/protocol/http-policy.ts';
import { listenError, reachableAddress } from '../shared/protocol/transport.ts';

/** A server that waits for nobody long; it does not listen yet. */
export function createHttpServer(listener: RequestListener): Server {
  return limited(createServer(serverLimits, listener));
}

/** What is not among the options of a constructor. WebSockets leave the server's care with their upgrade. */
export function limited(server: Server): Server {
  server.timeout = idleMs;
  return server;
}

/** Sockets of servers over TLS: one whose handshake is not over yet is no HTTP connection, and would be waited for. */
const rawSockets = new WeakMap<Server, Set<Socket>>();

/** Has `closeServer` cut off peers that never finish their TLS handshake, too. */
export function trackSockets(server: Server): Server {
  const sockets = new Set<Socket>();
  rawSockets.set(server, sockets);
  return server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
}

/**
 * @returns the address under which this machine reaches the server
 * @throws CestaError `network.port-in-use` or `config.invalid`
 */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      resolve();
    });
  });
  return reachableAddress(server instanceof TlsServer ? 'https' : 'http', host, (server.address() as AddressInfo).port);
}

/** Lets answers under way finish, for as long as the grace. */
export async function closeServer(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of rawSockets.get(server) ?? []) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}
