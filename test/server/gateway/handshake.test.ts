import { describe, expect, it } from 'vitest';
import { verifySignature } from '../../../shared/ledger/signature.ts';
import { connectStatement } from '../../../shared/protocol/messages.ts';
import { coordinatorKey, expectExpelled, settled, startGateway } from '../support/gateway-rig.ts';
import { connectShop, dial, introduce, shopNamed, type TestClient } from '../support/test-client.ts';

describe('the handshake', () => {
  it('admits a shop that signs the challenge, and names it by its lower-case name', async () => {
    const { url, gateway, told } = await startGateway();
    const { welcome } = await connectShop(url, shopNamed('Corner-Shop'));
    expect(welcome).toMatchObject({ task: 'trial', openCatalogue: false });
    expect(gateway.ready()).toEqual(['corner-shop']);
    expect(told).toEqual(['corner-shop ready']);
  });

  it('proves the coordinator\'s key over the nonce that the shop chose, and only after the shop proved its own', async () => {
    const { url } = await startGateway();
    const { shop, key } = shopNamed('a');
    const hello = { type: 'hello', protocol: 1, shop, publicKey: key.publicKey, nonce: '5a'.repeat(32) };
    const client = await dial(url);
    client.send(hello);
    const { nonce } = await client.next('challenge');
    client.send({ type: 'proof', signature: key.sign(connectStatement('shop', nonce, shop, coordinatorKey)) });
    const { signature = '' } = await client.next('welcome');
    expect(await verifySignature(coordinatorKey, signature, connectStatement('coordinator', hello.nonce, shop, coordinatorKey))).toBe(true);
    const liar = await dial(url);
    liar.send({ ...hello, shop: 'b' });
    await liar.next('challenge');
    liar.send({ type: 'proof', signature: '0'.repeat(128) });
    await expectExpelled(liar, 'node.unauthorised');
    expect(liar.heard.map(({ type }) => type)).toEqual(['challenge', 'error']);
  });

  it('gives every connection a fresh nonce', async () => {
    const { url } = await startGateway();
    const nonces = new Set<string>();
    for (let i = 0; i < 3; i += 1) {
      const client = await dial(url);
      client.send({ type: 'hello', protocol: 1, shop: 'a', publicKey: shopNamed('a').key.publicKey });
      nonces.add((await client.next('challenge')).nonce);
    }
    expect(nonces.size).toBe(3);
  });

  it('refuses a signature of another key', async () => {
    const { url, gateway } = await startGateway();
    const client = await dial(url);
    client.send({ type: 'hello', protocol: 1, shop: 'a', publicKey: shopNamed('a').key.publicKey });
    const { nonce } = await client.next('challenge');
    client.send({ type: 'proof', signature: shopNamed('b').key.sign(connectStatement('shop', nonce, 'a', coordinatorKey)) });
    await expectExpelled(client, 'node.unauthorised');
    expect(gateway.ready()).toEqual([]);
  });

  it('refuses a signature made for another coordinator', async () => {
    const { url } = await startGateway();
    const client = await dial(url);
    const { key } = shopNamed('a');
    client.send({ type: 'hello', protocol: 1, shop: 'a', publicKey: key.publicKey });
    const { nonce } = await client.next('challenge');
    client.send({ type: 'proof', signature: key.sign(connectStatement('shop', nonce, 'a', 'f'.repeat(64))) });
    await expectExpelled(client, 'node.unauthorised');
  });

  it('refuses another protocol version', async () => {
    const { url } = await startGateway();
    const client = await dial(url);
    client.send({ type: 'hello', protocol: 2, shop: 'a', publicKey: shopNamed('a').key.publicKey });
    await expectExpelled(client, 'protocol.version');
  });

  it.each([
    ['one garbage byte', (client: TestClient) => client.sendBytes(Uint8Array.of(0xff))],
    ['text that is no JSON', (client: TestClient) => client.sendBytes('hello?')],
    ['JSON that is no message', (client: TestClient) => client.send({ type: 'hello', shop: '../../etc' })],
    ['a field too many', (client: TestClient) => client.send({ type: 'hello', protocol: 1, shop: 'a', publicKey: 'a'.repeat(64), admin: true })],
  ])('closes at once on %s', async (_what, send) => {
    const { url } = await startGateway();
    const client = await dial(url);
    send(client);
    await expectExpelled(client, 'protocol.malformed');
  });

  it('closes on more bytes than a handshake has, before they are a frame', async () => {
    const { url } = await startGateway({ limits: { maxStrangerBytes: 1_000 } });
    const client = await dial(url);
    // The first half of a message: no frame is ever whole.
    client.socket.send('x'.repeat(2_000), { fin: false });
    expect((await client.next('error')).code).toBe('protocol.too-large');
  });

  it('closes on a message that comes before the proof', async () => {
    const { url, told } = await startGateway();
    const client = await dial(url);
    client.say({ type: 'join', round: 'trial-1', planHash: '0'.repeat(64) });
    await expectExpelled(client, 'protocol.out-of-order');
    expect(told).toEqual([]);
  });

  it('closes on whatever comes while the proof is checked', async () => {
    const { url, gateway } = await startGateway();
    const client = await dial(url);
    const shop = shopNamed('a');
    client.send({ type: 'hello', protocol: 1, shop: 'a', publicKey: shop.key.publicKey });
    const { nonce } = await client.next('challenge');
    const proof = { type: 'proof', signature: shop.key.sign(connectStatement('shop', nonce, 'a', coordinatorKey)) };
    client.send(proof);
    client.send(proof);
    await expectExpelled(client, 'protocol.out-of-order');
    expect(gateway.ready()).toEqual([]);
  });

  it('closes a connection that stays silent for ten seconds, at each step', async () => {
    const { url, clock } = await startGateway({ open: true });
    const mute = await dial(url);
    clock.advance(9_999);
    const halfway = await dial(url);
    halfway.send({ type: 'hello', protocol: 1, shop: 'a', publicKey: shopNamed('a').key.publicKey });
    await halfway.next('challenge');
    clock.advance(1);
    await expectExpelled(mute, 'protocol.out-of-order');
    const publishing = await dial(url);
    await introduce(publishing, shopNamed('b'));
    await publishing.next('welcome');
    clock.advance(9_999);
    await expectExpelled(halfway, 'protocol.out-of-order');
    clock.advance(1);
    await expectExpelled(publishing, 'protocol.out-of-order');
  });

  it('does not time a shop out once it is ready', async () => {
    const { url, clock, gateway } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    clock.advance(14_000);
    await settled(client);
    expect(gateway.ready()).toEqual(['a']);
  });
});

describe('names and keys', () => {
  it('refuses another key under a known name', async () => {
    const { url } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    client.hangUp();
    const thief = await dial(url);
    await introduce(thief, shopNamed('A', 'another key'));
    await expectExpelled(thief, 'node.name-taken');
  });

  it('refuses a second live connection, and leaves the first alone', async () => {
    const { url, gateway, told } = await startGateway();
    const { client } = await connectShop(url, shopNamed('a'));
    const second = await dial(url);
    await introduce(second, shopNamed('a'));
    await expectExpelled(second, 'node.name-taken');
    const third = await dial(url);
    await introduce(third, shopNamed('a'), '0'.repeat(32));
    await expectExpelled(third, 'node.name-taken');
    await settled(client);
    expect(gateway.ready()).toEqual(['a']);
    expect(told).toEqual(['a ready']);
  });

  it('lets the holder of the session token take over from a half-open connection', async () => {
    const { url, gateway, told } = await startGateway();
    const first = await connectShop(url, shopNamed('a'));
    const second = await connectShop(url, shopNamed('a'), { session: first.welcome.session });
    expect(await first.client.closed).toBe(1006);
    await settled(second.client);
    expect(gateway.ready()).toEqual(['a']);
    expect(told).toEqual(['a ready', 'a ready again']);
    expect(second.welcome.session).not.toBe(first.welcome.session);
  });

  it('takes an old token for a new session only when nobody is connected', async () => {
    const { url, told } = await startGateway();
    const first = await connectShop(url, shopNamed('a'));
    first.client.hangUp();
    await expect.poll(() => told).toContain('a left');
    const second = await connectShop(url, shopNamed('a'), { session: '0'.repeat(32) });
    const late = await dial(url);
    await introduce(late, shopNamed('a'), first.welcome.session);
    await expectExpelled(late, 'node.name-taken');
    await settled(second.client);
    expect(told).toEqual(['a ready', 'a left', 'a ready']);
  });
});
