/** A gateway without rounds behind it. */
import { createServer } from 'node:http';
import { expect, onTestFinished } from 'vitest';
import { createCatalogueRoom, type RoomLimits } from '../../../server/catalogue-room.ts';
import { defaultGatewayLimits, type GatewayEvents, type GatewayLimits } from '../../../server/gateway/context.ts';
import type { Admission } from '../../../server/identity/admission.ts';
import { attachGateway, type Gateway } from '../../../server/gateway.ts';
import { listen } from '../../../server/listen.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { connectStatement } from '../../../shared/protocol/messages.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { catalogue, silent } from './fixtures.ts';
import type { TestClient } from './test-client.ts';

export interface Rig {
  readonly url: string;
  readonly gateway: Gateway;
  readonly clock: FakeClock;
  /** What the rounds were told. */
  readonly told: string[];
  /** What the rounds do with a message. */
  onMessage: () => void;
  readonly room: ReturnType<typeof createCatalogueRoom>;
}

const key = signingKey(new Uint8Array(32).fill(9));
export const coordinatorKey = key.publicKey;

const admitEverybody: Admission = { greet: () => undefined, verify: () => Promise.resolve(), enter: () => undefined, left: () => undefined };

/** A gateway on a real port, with a clock of its own and rounds that only take notes. */
export async function startGateway(options: { open?: boolean; limits?: Partial<GatewayLimits>; roomLimits?: RoomLimits; admission?: Admission } = {}): Promise<Rig> {
  const clock = fakeClock();
  const told: string[] = [];
  const keys = new Map<string, string>();
  const room = createCatalogueRoom(options.open === true ? null : catalogue, options.roomLimits);
  const server = createServer();
  const events: GatewayEvents = {
    ready: (participant, resumed) => void told.push(`${participant} ready${resumed ? ' again' : ''}`),
    message(participant, message) {
      told.push(`${participant} ${message.type} ${message.round}`);
      rig.onMessage();
    },
    chunk: (participant, chunk) => void told.push(`${participant} chunk ${chunk.offset}`),
    expelled: (participant, error) => void told.push(`${participant} expelled ${error.code}`),
    left: (participant) => void told.push(`${participant} left`),
  };
  const gateway = attachGateway(server, {
    task: 'trial', coordinatorKey, clock, logger: silent, room, events,
    limits: { ...defaultGatewayLimits, ...options.limits },
    proveKey: (nonce, shop) => key.sign(connectStatement('coordinator', nonce, shop, key.publicKey)),
    admission: options.admission ?? admitEverybody,
    chargeConnect: () => undefined,
    pinNode(name, publicKey) {
      const known = keys.get(name.toLowerCase());
      keys.set(name.toLowerCase(), known ?? publicKey);
      return Promise.resolve(known === undefined ? 'new' : known === publicKey ? 'known' : 'taken');
    },
  });
  const url = await listen(server, '127.0.0.1', 0);
  const rig: Rig = { url, gateway, clock, told, room, onMessage: () => undefined };
  onTestFinished(async () => {
    const closing = gateway.close(1);
    clock.advance(1);
    await closing;
    server.close();
  });
  return rig;
}

/** The connection is closed for a fault with this code. */
export async function expectExpelled(client: TestClient, code: string): Promise<void> {
  expect((await client.next('error')).code).toBe(code);
  expect(await client.closed).toBe(1008);
}

/** A round trip: whatever was sent before has been handled when it resolves. */
export async function settled(client: TestClient): Promise<void> {
  await new Promise<void>((resolve) => {
    client.socket.once('pong', () => resolve());
    client.socket.ping();
  });
}
