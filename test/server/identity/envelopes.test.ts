import { describe, expect, it } from 'vitest';
import { handOver } from '../../../shared/identity/requests.ts';
import { isProven } from '../../../shared/ledger/log-entries.ts';
import { maxEnvelopeLength } from '../../../shared/protocol/envelope.ts';
import { a, enrolment, openHouse, shiftedClock } from '../support/identity-house.ts';
import { enrolled, envelopeOf, issueToken, nodeKey, post } from '../support/nodes.ts';

const json = { 'Content-Type': 'application/json' };

describe('the order of envelopes', () => {
  it('answers the same bytes the same way, also after a restart and after their time, and acts once', async () => {
    const clock = shiftedClock();
    const house = await openHouse({ clock });
    const envelope = enrolment(house, await issueToken(house));
    const first = await post(house.url, envelope);
    expect(await post(house.url, envelope)).toEqual(first);
    expect(house.told.length).toBe(1);
    await house.close();
    clock.ms = 600_000;
    const again = await openHouse({ clock }, house.dataDir);
    expect(await post(again.url, envelope)).toEqual(first);
    expect(again.told).toEqual([]);
  });

  it('answers a refusal the same way, too', async () => {
    const house = await openHouse();
    const envelope = envelopeOf(house.key, house.key.publicKey, 'revoke', { shop: 'a', reason: 'expelled' });
    const first = await post(house.url, envelope);
    await enrolled(house, 'a');
    expect(first.code).toBe('node.unknown');
    expect(await post(house.url, envelope)).toEqual(first);
  });

  it('takes numbers in rising order only, and remembers the last over a restart', async () => {
    const house = await openHouse();
    await enrolled(house, 'a');
    const renewal = (key: string, seq: number) => envelopeOf(a, key, 'renew', {}, { seq });
    expect((await post(house.url, renewal(house.key.publicKey, 1_000_000))).code).toBe('ok');
    expect((await post(house.url, renewal(house.key.publicKey, 999_999))).code).toBe('protocol.replayed');
    await house.close();
    const again = await openHouse({}, house.dataDir);
    expect((await post(again.url, renewal(again.key.publicKey, 999_998))).code).toBe('protocol.replayed');
    expect((await post(again.url, renewal(again.key.publicKey, 1_000_001))).code).toBe('ok');
  });

  it('reports two requests under one number with a proof of both, and acts on the first alone', async () => {
    const house = await openHouse();
    await enrolled(house, 'a');
    await post(house.url, envelopeOf(a, house.key.publicKey, 'renew', {}, { seq: 2_000_000 }));
    const second = envelopeOf(a, house.key.publicKey, 'rotate', handOver(nodeKey('next'), a.publicKey, house.key.publicKey), { seq: 2_000_000 });
    expect((await post(house.url, second)).code).toBe('envelope.equivocation');
    // It is told beside the answer, not before it.
    await expect.poll(() => house.equivocations.length).toBe(1);
    const [evidence] = house.equivocations;
    expect(evidence.node).toBe(a.publicKey);
    expect(await isProven({ type: 'equivocation', round: 'none', ...evidence })).toBe(true);
    expect(house.told.length).toBe(1);
  });

  it('does not let a stranger accuse a node', async () => {
    const house = await openHouse();
    await enrolled(house, 'a');
    const honest = envelopeOf(a, house.key.publicKey, 'renew', {}, { seq: 3_000_000 });
    await post(house.url, honest);
    const forged = envelopeOf(nodeKey('thief'), house.key.publicKey, 'renew', {}, { seq: 3_000_000, ts: 1 });
    expect((await post(house.url, { ...forged, header: { ...forged.header, node: a.publicKey } })).code).toBe('node.unauthorised');
    expect((await post(house.url, { ...honest, signature: '0'.repeat(128) })).code).toBe('node.unauthorised');
    expect(house.equivocations).toEqual([]);
  });

  it.each([-121_000, 121_000])('refuses a clock that is %d ms off', async (offMs) => {
    const house = await openHouse();
    const token = await issueToken(house);
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'enrol', { token, shop: 'a' }, { ts: Date.now() + offMs }))).code).toBe('envelope.stale');
  });
});

describe('bounds', () => {
  it('refuse bodies that are too large, announced or not, too deep, or no text', async () => {
    const { url } = await openHouse();
    expect(await post(url, 'x'.repeat(maxEnvelopeLength + 1))).toMatchObject({ status: 413, code: 'protocol.too-large' });
    const stream = new ReadableStream({ pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(4_096))) });
    const response = await fetch(`${url}/v1/nodes`, { method: 'POST', headers: json, body: stream, duplex: 'half' } as RequestInit).catch(() => null);
    expect(response === null || response.status === 413).toBe(true);
    expect((await post(url, '['.repeat(1_000))).code).toBe('protocol.malformed');
    expect((await fetch(`${url}/v1/nodes`, { method: 'POST', headers: json, body: Uint8Array.of(0xff) })).status).toBe(400);
  });

  it('turn an address away that asks too often, before anything is looked at', async () => {
    const { url } = await openHouse({ identity: { limits: { requestsPerAddress: { burst: 2, perSecond: 0.001 } } } });
    const codes = [];
    for (let i = 0; i < 3; i += 1) codes.push((await post(url, 'x')).code);
    expect(codes).toEqual(['protocol.malformed', 'protocol.malformed', 'limit.rate']);
  });

  it('look at the forwarded address behind a proxy, and only there', async () => {
    const limits = { requestsPerAddress: { burst: 1, perSecond: 0.001 } };
    const forwarded = (address: string) => ({ 'X-Forwarded-For': `6.6.6.6, ${address}` });
    const behind = await openHouse({ behindTlsProxy: true, identity: { limits } });
    const codes = [];
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.1']) codes.push((await post(behind.url, 'x', forwarded(address))).code);
    expect(codes).toEqual(['protocol.malformed', 'protocol.malformed', 'limit.rate']);
    const plain = await openHouse({ identity: { limits } });
    await post(plain.url, 'x', forwarded('10.0.0.1'));
    expect((await post(plain.url, 'x', forwarded('10.0.0.2'))).code).toBe('limit.rate');
  });

  it('hold a node and an organisation to their share, and charge nobody for what a stranger signs', async () => {
    const slow = { burst: 2, perSecond: 0.001 };
    const house = await openHouse({ identity: { limits: { requestsPerNode: slow } } });
    // The operator is a node to the limits: one token for each of its two.
    const tokens = [await issueToken(house), await issueToken(house)];
    await post(house.url, enrolment(house, tokens[0]));
    const forged = enrolment(house, tokens[1], 'b', nodeKey('thief'));
    for (let i = 0; i < 5; i += 1) expect((await post(house.url, { ...forged, header: { ...forged.header, node: nodeKey('b').publicKey, seq: i + 1 } })).code).toBe('node.unauthorised');
    expect((await post(house.url, enrolment(house, tokens[1], 'b', nodeKey('b')))).code).toBe('ok');
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'renew', {}))).code).toBe('ok');
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'renew', {}))).code).toBe('limit.rate');
    const shared = await openHouse({ identity: { limits: { requestsPerOrganisation: slow } } });
    await enrolled(shared, 'a', 'chain');
    await enrolled(shared, 'b', 'chain');
    expect((await post(shared.url, envelopeOf(a, shared.key.publicKey, 'renew', {}))).code).toBe('limit.rate');
    await enrolled(shared, 'c', 'other');
  });
});
