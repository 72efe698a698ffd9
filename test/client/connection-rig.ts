/** A connection over a network and a clock that do what a test says. */
import { randomBytes } from 'node:crypto';
import { openConnection, type Connection, type ConnectionEvent, type ConnectionOptions } from '../../client/connection.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import type { ServerMessage } from '../../shared/protocol/messages.ts';
import { fakeNetwork, fakeTimers, type FakeNetwork, type FakeTimers } from './fakes.ts';

export const shopKey = signingKey(randomBytes(32));

export interface Rig {
  readonly network: FakeNetwork;
  readonly timers: FakeTimers;
  readonly events: ConnectionEvent[];
  readonly heard: ServerMessage[];
  readonly connection: Connection;
  readonly kinds: () => string[];
  /** Lets exactly the announced delay pass. */
  readonly redial: () => void;
}

export function rig(changes: Partial<ConnectionOptions> = {}): Rig {
  const network = fakeNetwork();
  const timers = fakeTimers();
  const events: ConnectionEvent[] = [];
  const heard: ServerMessage[] = [];
  const connection = openConnection({
    url: 'ws://coordinator/v1/rounds/live',
    openSocket: network.openSocket,
    shop: 'corner-shop',
    key: shopKey,
    coordinatorKey: null,
    products: [],
    timers,
    uniform: () => 0.5,
    onEvent: (event) => void events.push(event),
    onMessage: (message) => void heard.push(message),
    ...changes,
  });
  return {
    network, timers, events, heard, connection,
    kinds: () => events.map(({ kind }) => kind),
    redial() {
      const down = events.findLast((event) => event.kind === 'down');
      timers.advance(down?.retryInMs ?? 0);
    },
  };
}
