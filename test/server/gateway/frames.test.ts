import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { encodeChunk, maxFrameBytes } from '../../../shared/protocol/messages.ts';
import { expectExpelled, settled, startGateway } from '../support/gateway-rig.ts';
import { connectShop, dial, introduce, shopNamed } from '../support/test-client.ts';

describe('frames of a ready shop', () => {
  const join = { type: 'join', round: 'trial-1', planHash: '0'.repeat(64) };

  it('reach the rounds in order', async () => {
    const { url, told } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    client.say(join);
    client.sendBytes(encodeChunk({ round: 'trial-1', seq: client.nextSeq(), offset: 8, data: Int32Array.of(1) }));
    client.say({ type: 'leave', round: 'trial-1' });
    await settled(client);
    expect(told).toEqual(['a ready', 'a join trial-1', 'a chunk 8', 'a leave trial-1']);
  });

  it('are refused when their number does not rise, in text and in chunks', async () => {
    const { url, told } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    client.send({ ...join, seq: 5 });
    client.send({ ...join, seq: 5 });
    expect((await client.next('error')).code).toBe('protocol.replayed');
    client.sendBytes(encodeChunk({ round: 'trial-1', seq: 4, offset: 0, data: Int32Array.of(1) }));
    expect((await client.next('error')).code).toBe('protocol.replayed');
    expect(told).toEqual(['a ready', 'a join trial-1']);
  });

  it('are answered with a code when they are bad, and the third one ends the connection', async () => {
    const { url, told, gateway } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    client.sendBytes(Uint8Array.of(7));
    expect((await client.next('error')).code).toBe('protocol.malformed');
    client.send({ ...join, seq: 'one' });
    expect((await client.next('error')).code).toBe('protocol.malformed');
    expect(gateway.ready()).toEqual(['a']);
    client.send({ type: 'proof', signature: '0'.repeat(128) });
    await expectExpelled(client, 'protocol.out-of-order');
    expect(told).toEqual(['a ready', 'a expelled protocol.out-of-order', 'a left']);
  });

  it('are too many when they are pings of a peer that reads no answer: it is cut off', async () => {
    const { url, gateway } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    client.socket.pause();
    const ping = (): Promise<void> => new Promise((resolve) => client.socket.ping(Buffer.alloc(125), undefined, () => resolve()));
    // What the system buffers on the way comes on top of the limit.
    for (let sent = 0; sent < 2_000 && gateway.ready().length > 0; sent += 1) await Promise.all(Array.from({ length: 500 }, ping));
    await expect.poll(() => gateway.ready()).toEqual([]);
  });

  it('cannot stop the gateway when the rounds fail on them, and are told nothing of why', async () => {
    const rig = await startGateway();
    rig.onMessage = () => {
      throw new TypeError('secret detail at /srv/data');
    };
    const { client } = await connectShop(rig.url, shopNamed('a'));
    client.say(join);
    const error = await client.next('error');
    expect(error.code).toBe('internal');
    expect(JSON.stringify(error)).not.toContain('secret');
    rig.onMessage = () => undefined;
    client.say(join);
    await settled(client);
    expect(rig.told.filter((line) => line.includes('join'))).toHaveLength(2);
  });

  it('do not count against a shop that is merely late for a round', async () => {
    const rig = await startGateway();
    rig.onMessage = () => {
      throw new CestaError('round.not-member', 'late');
    };
    const { client } = await connectShop(rig.url, shopNamed('a'));
    for (let i = 0; i < 5; i += 1) {
      client.say(join);
      expect((await client.next('error')).code).toBe('round.not-member');
    }
    expect(rig.gateway.ready()).toEqual(['a']);
  });

  it('end the connection when they exceed the frame limit, and nobody else is touched', async () => {
    const { url, gateway, told } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    const other = await connectShop(url, shopNamed('b'));
    client.sendBytes(new Uint8Array(maxFrameBytes + 1));
    expect(await client.closed).toBe(1009);
    await settled(other.client);
    expect(told).toEqual(['a ready', 'b ready', 'a expelled protocol.too-large', 'a left']);
    expect(gateway.ready()).toEqual(['b']);
  });

  it('of random bytes are all survived', async () => {
    const { url, gateway } = await startGateway();
    let state = 1;
    const random = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 16;
    for (let i = 0; i < 40; i += 1) {
      const client = i % 2 === 0 ? await dial(url) : (await connectShop(url, shopNamed(`s${i}`))).client;
      const bytes = Uint8Array.from({ length: random() % 200 }, () => random() & 0xff);
      // Now and then a plausible header length in front, so that the parser is reached.
      if (i % 3 === 0 && bytes.length > 8) bytes.set([bytes.length - 8, 0, 0, 0, 0, 0, 0, 0]);
      client.sendBytes(bytes);
      await client.next('error');
      client.hangUp();
    }
    await connectShop(url, shopNamed('survivor'));
    expect(gateway.ready()).toContain('survivor');
  });
});

describe('an open catalogue', () => {
  const product = (id: string) => ({ id, title: id });

  it('is published page by page before a shop is ready', async () => {
    const { url, gateway, room } = await startGateway({ open: true });
    const client = await dial(url);
    await introduce(client, shopNamed('a'));
    expect((await client.next('welcome')).openCatalogue).toBe(true);
    client.say({ type: 'products', products: [product('x')], last: false });
    await settled(client);
    expect(gateway.ready()).toEqual([]);
    client.say({ type: 'products', products: [product('y')], last: true });
    await client.next('ready');
    expect(room.unite(['a']).products.map(({ id }) => id)).toEqual(['x', 'y']);
  });

  it('is not asked for again when a session is resumed from a half-open connection', async () => {
    const { url, room } = await startGateway({ open: true });
    const first = await connectShop(url, shopNamed('a'), { products: [product('x')] });
    const second = await connectShop(url, shopNamed('a'), { session: first.welcome.session });
    expect(second.welcome.openCatalogue).toBe(false);
    expect(room.unite(['a']).products).toHaveLength(1);
  });

  it('forgets what a shop published when it leaves', async () => {
    const { url, room, told } = await startGateway({ open: true });
    const { client } = await connectShop(url, shopNamed('a'), { products: [product('x')] });
    client.hangUp();
    await expect.poll(() => told).toContain('a left');
    expect(() => room.unite(['a'])).toThrow('at least one');
  });

  it('ends the connection of a shop that publishes without end', async () => {
    const { url, gateway } = await startGateway({ open: true, roomLimits: { maxBytesPerShop: 500, maxBytes: 10_000 } });
    const client = await dial(url);
    await introduce(client, shopNamed('a'));
    await client.next('welcome');
    for (let page = 0; page < 10; page += 1) client.say({ type: 'products', products: [product(`p${page}`)], last: false });
    await expectExpelled(client, 'protocol.too-large');
    expect(gateway.ready()).toEqual([]);
  });

  it('refuses products where the catalogue is given', async () => {
    const { url } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    client.say({ type: 'products', products: [product('x')], last: true });
    expect((await client.next('error')).code).toBe('protocol.out-of-order');
  });
});

describe('connections that fail', () => {
  it('are cut off when three heartbeats find them silent', async () => {
    const { url, clock, told } = await startGateway();
    const silentClient = await connectShop(url, shopNamed('silent'));
    const { client } = await connectShop(url, shopNamed('lively'));
    // Stops reading, so that no pong is sent: a host that vanished.
    silentClient.client.socket.pause();
    for (let beat = 0; beat < 3; beat += 1) {
      clock.advance(15_000);
      await settled(client);
    }
    await expect.poll(() => told).toContain('silent left');
    expect(told).not.toContain('lively left');
  });

  it('are cut off when they do not read what they are sent', async () => {
    const { url, gateway, told } = await startGateway({ limits: { maxBufferedBytes: 1_000_000 } });
    const { client } = await connectShop(url, shopNamed('slow'));
    client.socket.pause();
    const message = 'x'.repeat(100_000);
    let sent = 0;
    await expect.poll(() => {
      for (let i = 0; i < 50; i += 1) if (gateway.send('slow', { type: 'task-over', code: null, message })) sent += 1;
      return told;
    }).toContain('slow left');
    expect(sent).toBeGreaterThan(0);
    expect(gateway.send('slow', { type: 'ready' })).toBe(false);
  });

  it('free the name at once when they end', async () => {
    const { url, told } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    client.socket.close();
    await expect.poll(() => told).toContain('a left');
    await connectShop(url, shopNamed('a'));
  });

  it('beyond the limit are refused before the upgrade', async () => {
    const { url } = await startGateway({ limits: { maxConnections: 2 } });
    const [first] = [await dial(url), await dial(url)];
    await expect(dial(url)).rejects.toThrow('503');
    first.hangUp();
    await expect.poll(async () => dial(url).then(() => 'admitted', () => 'refused')).toBe('admitted');
  });

  it('to another path are refused', async () => {
    const { url } = await startGateway();
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/other`);
    const failure = await new Promise<Error>((resolve) => void socket.once('error', resolve));
    expect(failure.message).toContain('404');
  });

  it('with a broken upgrade do no harm', async () => {
    const { url, gateway } = await startGateway();
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /v1/rounds/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await new Promise((resolve) => void socket.once('close', resolve).resume());
    await connectShop(url, shopNamed('a'));
    expect(gateway.ready()).toEqual(['a']);
  });

  it('are closed in good order when the coordinator stops', async () => {
    const { url, gateway } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    await gateway.close(1_000);
    expect(await client.closed).toBe(1001);
    await expect(dial(url)).rejects.toThrow();
  });
});
