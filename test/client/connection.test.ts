import { describe, expect, it } from 'vitest';
import { backOffMs } from '../../client/back-off.ts';
import { verifySignature } from '../../shared/ledger/signature.ts';
import { connectStatement, type ServerMessage } from '../../shared/protocol/messages.ts';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { rig, shopKey } from './connection-rig.ts';
import { admit, coordinator, sessionToken, until, welcomeTo } from './fakes.ts';

const error = (code: ErrorCode): ServerMessage => ({ type: 'error', code, message: 'refused', hint: '' });

describe('the handshake', () => {
  it('answers the challenge with a signature over nonce, name and coordinator key', async () => {
    const { network, connection, kinds } = rig();
    admit(network.last());
    const [hello, proof] = network.last().messages();
    expect(hello).toEqual({ type: 'hello', protocol: 1, shop: 'corner-shop', publicKey: shopKey.publicKey, nonce: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    const statement = connectStatement('shop', '11'.repeat(32), 'corner-shop', coordinator.publicKey);
    expect(proof.type === 'proof' && (await verifySignature(shopKey.publicKey, proof.signature, statement))).toBe(true);
    expect(kinds()).toEqual(['coordinator-key', 'up']);
    expect(connection.isUp).toBe(true);
  });

  it('publishes all products in bounded pages when the catalogue is open, and is up only when told so', async () => {
    const products = Array.from({ length: 1_100 }, (_, index) => ({ id: `sku-${index}`, title: index < 600 ? 'x'.repeat(1_000) : '' }));
    const { network, connection, events } = rig({ products });
    admit(network.last(), { openCatalogue: true });
    const pages = () => network.last().messages().filter((message) => message.type === 'products');
    await until(() => pages().some(({ last }) => last));
    expect(pages().flatMap((page) => page.products.map(({ id }) => id))).toEqual(products.map(({ id }) => id));
    expect(pages().map(({ seq, last }) => [seq, last])).toEqual([[1, false], [2, false], [3, true]]);
    expect(Math.max(...network.last().texts.map((text) => text.length))).toBeLessThanOrEqual(1 << 20);
    expect(connection.isUp).toBe(false);
    network.last().say({ type: 'ready' });
    expect(connection.isUp).toBe(true);
    expect(events.at(-1)).toMatchObject({ kind: 'up', publishedProducts: 1_100, isReturn: false });
  });

  it('cuts pages by bytes, too: long titles of many bytes do not make an oversized frame', async () => {
    const products = Array.from({ length: 500 }, (_, index) => ({ id: `sku-${index}`, title: '\u4e16'.repeat(1_000) }));
    const { network } = rig({ products });
    admit(network.last(), { openCatalogue: true });
    await until(() => network.last().texts.some((text) => text.includes('"last":true')));
    expect(network.last().texts.length).toBeGreaterThan(3);
    expect(Math.max(...network.last().texts.map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(1 << 20);
  });

  it('tells the coordinator it has nothing to publish', async () => {
    const { network } = rig();
    admit(network.last(), { openCatalogue: true });
    await until(() => network.last().texts.length === 3);
    expect(network.last().messages()[2]).toEqual({ type: 'products', seq: 1, products: [], last: true });
  });

  it('gives an attempt up that is answered by silence or out of order, and tries again', () => {
    const { network, timers, events, redial } = rig({ handshakeTimeoutMs: 5_000 });
    network.last().open();
    timers.advance(5_000);
    expect(events.at(-1)).toMatchObject({ kind: 'down', attempt: 1 });
    redial();
    network.last().open();
    network.last().say({ type: 'ready' });
    expect(events.at(-1)).toMatchObject({ kind: 'down', reason: 'handshake: expected challenge, got ready' });
    expect(network.last().isClosed).toBe(true);
  });
});

describe('the coordinator key', () => {
  it('is told once, at first contact, and kept for the connections that follow', () => {
    const { network, events, connection, redial } = rig();
    admit(network.last());
    network.last().lose();
    redial();
    admit(network.last(), { session: 2 });
    expect(events.filter(({ kind }) => kind === 'coordinator-key')).toEqual([{ kind: 'coordinator-key', key: coordinator.publicKey }]);
    expect(connection.coordinatorKey).toBe(coordinator.publicKey);
  });

  it('that differs from the pinned one ends the connection before anything is proven to it', () => {
    const { network, timers, events } = rig({ coordinatorKey: 'ab'.repeat(32) });
    network.last().open();
    network.last().say({ type: 'challenge', nonce: '11'.repeat(32), coordinatorKey: coordinator.publicKey });
    expect(events).toMatchObject([{ kind: 'over', error: { code: 'coordinator.untrusted' } }]);
    expect(network.last().messages().map(({ type }) => type)).toEqual(['hello']);
    timers.advance(600_000);
    expect(network.sockets.length).toBe(1);
  });

  it.each([
    ['no signature', () => undefined],
    ['a signature over another nonce', () => coordinator.sign(connectStatement('coordinator', '33'.repeat(32), 'corner-shop', coordinator.publicKey))],
    ['a signature for another shop', (nonce: string) => coordinator.sign(connectStatement('coordinator', nonce, 'other-shop', coordinator.publicKey))],
    ['a signature of the side of the shop', (nonce: string) => coordinator.sign(connectStatement('shop', nonce, 'corner-shop', coordinator.publicKey))],
    ['a signature of another key', (nonce: string) => shopKey.sign(connectStatement('coordinator', nonce, 'corner-shop', coordinator.publicKey))],
  ])('that is named but not proven is neither pinned nor published to: %s', (_what, sign) => {
    const { network, events } = rig({ products: [{ id: 'a', title: 'a' }] });
    network.last().open();
    network.last().say({ type: 'challenge', nonce: '11'.repeat(32), coordinatorKey: coordinator.publicKey });
    const [hello] = network.last().messages();
    const signature = sign(hello.type === 'hello' ? (hello.nonce ?? '') : '');
    const welcome: ServerMessage = { type: 'welcome', task: 'main', session: sessionToken(1), openCatalogue: true };
    network.last().say(signature === undefined ? welcome : { ...welcome, signature });
    expect(events).toMatchObject([{ kind: 'over', error: { code: 'coordinator.untrusted' } }]);
    expect(network.last().messages().map(({ type }) => type)).toEqual(['hello', 'proof']);
  });

  it('is asked to prove itself over a fresh nonce at each attempt', () => {
    const { network, redial } = rig();
    admit(network.last());
    network.last().lose();
    redial();
    network.last().open();
    const nonces = network.sockets.map((socket) => (socket.messages()[0] as { nonce?: string }).nonce);
    expect(new Set(nonces).size).toBe(2);
  });

  it('is pinned within the process: a coordinator that returns with another key is not joined', () => {
    const { network, events, redial } = rig();
    admit(network.last());
    network.last().lose();
    redial();
    admit(network.last(), { key: 'cd'.repeat(32) });
    expect(events.at(-1)).toMatchObject({ kind: 'over', error: { code: 'coordinator.untrusted' } });
  });
});

describe('a connection that is lost', () => {
  it('is tried again with delays that double up to a limit, half of each at random', () => {
    const delays = [0, 0.5, 0.999].map((uniform) => [1, 2, 3, 4, 20, 5_000].map((attempt) => backOffMs(attempt, uniform, { firstMs: 400, limitMs: 10_000 })));
    expect(delays).toEqual([[200, 400, 800, 1_600, 5_000, 5_000], [300, 600, 1_200, 2_400, 7_500, 7_500], [400, 800, 1_599, 3_198, 9_995, 9_995]]);
  });

  it('dials exactly when the delay is over, and starts from the first delay again once it was up', () => {
    const { network, timers, events } = rig({ backOff: { firstMs: 1_000, limitMs: 60_000 } });
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      network.last().lose('refused');
      const down = events.at(-1);
      if (down?.kind !== 'down') throw new Error('expected to hear of the loss');
      delays.push(down.retryInMs);
      timers.advance(down.retryInMs - 1);
      expect(network.sockets.length).toBe(attempt);
      timers.advance(1);
      expect(network.sockets.length).toBe(attempt + 1);
    }
    expect(delays).toEqual([750, 1_500, 3_000]);
    admit(network.last());
    network.last().lose();
    expect(events.at(-1)).toMatchObject({ kind: 'down', attempt: 1, retryInMs: 750 });
  });

  it('says when the coordinator went away and when it is back', () => {
    const { network, kinds, events, redial } = rig();
    admit(network.last());
    network.last().lose('the coordinator is stopping');
    redial();
    admit(network.last(), { session: 2 });
    expect(kinds()).toEqual(['coordinator-key', 'up', 'down', 'up']);
    expect(events[2]).toMatchObject({ reason: 'the coordinator is stopping' });
    expect(events[3]).toMatchObject({ isReturn: true });
  });

  it('is resumed with the newest session token, also one of a handshake that broke off', () => {
    const { network, redial } = rig();
    admit(network.last(), { session: 7 });
    network.last().lose();
    redial();
    expect(network.sockets.length).toBe(2);
    network.last().open();
    expect(network.last().messages()[0]).toMatchObject({ type: 'hello', session: sessionToken(7) });
    network.last().say({ type: 'challenge', nonce: '22'.repeat(32), coordinatorKey: coordinator.publicKey });
    network.last().say(welcomeTo(network.last(), 8));
    network.last().lose();
    redial();
    network.last().open();
    expect(network.last().messages()[0]).toMatchObject({ type: 'hello', session: sessionToken(8) });
  });

  it('goes on counting, so that a resumed session never sees a number twice', () => {
    const { network, connection, redial } = rig();
    const leave = { type: 'leave', round: 'main-1' } as const;
    admit(network.last());
    expect([connection.send(leave), connection.send(leave)]).toEqual([true, true]);
    network.last().lose();
    expect(connection.send(leave)).toBe(false);
    redial();
    admit(network.last());
    connection.send(leave);
    const numbers = network.sockets.flatMap((socket) => socket.messages().flatMap((message) => ('seq' in message ? [message.seq] : [])));
    expect(numbers).toEqual([1, 2, 3]);
  });

  it('is deaf to what its old socket still says', () => {
    const { network, events, heard, redial } = rig();
    admit(network.last());
    const [old] = network.sockets;
    old.lose();
    redial();
    admit(network.last());
    const before = events.length;
    old.say({ type: 'train', round: 'main-1', deadlineMs: 1 });
    old.lose('again');
    expect([events.length, heard.length]).toEqual([before, 0]);
  });
});

describe('errors that trying again cannot mend', () => {
  for (const code of ['node.name-taken', 'node.unauthorised', 'node.revoked', 'enrolment.required', 'enrolment.certificate-expired', 'protocol.version'] as const) {
    it(`end the connection: ${code}`, () => {
      const { network, timers, events } = rig();
      network.last().open();
      network.last().say(error(code));
      expect(events).toMatchObject([{ kind: 'over', error: { code } }]);
      network.last().lose();
      timers.advance(3_600_000);
      expect([network.sockets.length, timers.waiting]).toEqual([1, 0]);
    });
  }

  it('do not include the name held by our own dead connection, for a while', () => {
    const { network, events, redial } = rig();
    admit(network.last());
    network.last().lose();
    for (let attempt = 1; attempt < 8; attempt += 1) {
      redial();
      network.last().open();
      network.last().say(error('node.name-taken'));
      expect(events.at(-1)).toMatchObject({ kind: 'down', attempt: attempt + 1 });
    }
    redial();
    network.last().open();
    network.last().say(error('node.name-taken'));
    expect(events.at(-1)).toMatchObject({ kind: 'over', error: { code: 'node.name-taken' } });
  });

  it('do not include a coordinator that is merely busy', () => {
    const { network, events } = rig();
    network.last().open();
    network.last().say(error('internal'));
    expect(events).toMatchObject([{ kind: 'down', reason: 'internal: refused' }]);
  });
});

describe('a connection that is up', () => {
  it('passes messages on, reports frames that are none, and stays', () => {
    const { network, heard, events, connection } = rig();
    admit(network.last());
    network.last().say(error('round.not-member'));
    network.last().sayText('{"type":"jump"}');
    network.last().sayText(Uint8Array.of(1, 2, 3));
    expect(heard.map(({ type }) => type)).toEqual(['error']);
    expect(events.slice(-2)).toMatchObject([{ kind: 'malformed', text: '{"type":"jump"}', error: { code: 'protocol.malformed' } }, { kind: 'malformed', text: '' }]);
    expect(connection.isUp).toBe(true);
  });

  it('closes once, says so once, and leaves no timer behind', () => {
    const { network, timers, connection, kinds } = rig();
    admit(network.last());
    connection.close();
    connection.close();
    expect(kinds()).toEqual(['coordinator-key', 'up', 'over']);
    expect([network.last().isClosed, timers.waiting, connection.isUp]).toEqual([true, 0, false]);
  });

  it('closes while it waits to try again', () => {
    const { network, timers, connection } = rig();
    network.last().lose();
    connection.close();
    timers.advance(3_600_000);
    expect([network.sockets.length, timers.waiting]).toEqual([1, 0]);
  });
});
