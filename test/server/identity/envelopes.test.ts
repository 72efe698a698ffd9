import { describe, expect, it } from 'vitest';
import type { CoordinatorOptions } from '../../../server/coordinator.ts';
import { checkCertificateSignature, longestValidityMs } from '../../../shared/identity/certificate.ts';
import { handOver, tokenHash } from '../../../shared/identity/requests.ts';
import { isProven } from '../../../shared/ledger/log-entries.ts';
import { maxEnvelopeLength, sealEnvelope, type Equivocation } from '../../../shared/protocol/envelope.ts';
import type { Clock } from '../../../server/clock.ts';
import { systemClock } from '../../../server/clock.ts';
import { coordinatorFor } from '../support/coordinators.ts';
import { temporaryFolder } from '../support/folders.ts';
import { certificateOf, enrolled, envelopeOf, issueToken, newToken, nodeKey, operatorKey, post, type Operator } from '../support/nodes.ts';

interface House extends Operator {
  readonly dataDir: string;
  readonly told: string[];
  readonly equivocations: Equivocation[];
  close(): Promise<void>;
}

async function open(options: Partial<CoordinatorOptions> = {}, dataDir = temporaryFolder()): Promise<House> {
  const told: string[] = [];
  const equivocations: Equivocation[] = [];
  const coordinator = await coordinatorFor({
    dataDir,
    ...options,
    identity: {
      onEnrolled: (node) => void told.push(`enrolled ${node}`),
      onRevoked: (node, reason) => void told.push(`revoked ${node} ${reason}`),
      onEquivocation: (evidence) => void equivocations.push(evidence),
      ...options.identity,
    },
  });
  return { url: coordinator.url, key: operatorKey(dataDir), dataDir, told, equivocations, close: () => coordinator.close() };
}

/** Real time, moved. */
function shiftedClock(): Clock & { ms: number } {
  const clock = { ...systemClock, ms: 0, date: () => new Date(Date.now() + clock.ms) };
  return clock;
}

const a = nodeKey('a');
const enrolment = (house: Operator, token: string, shop = 'a', key = a) => envelopeOf(key, house.key.publicKey, 'enrol', { token, shop });

describe('enrolment', () => {
  it('turns a token into a certificate of the coordinator for 90 days, and tells of it', async () => {
    const house = await open();
    const { cert, signature } = await enrolled(house, 'a', 'corner');
    expect(cert).toMatchObject({ node: a.publicKey, shop: 'a', organisation: 'corner', roles: ['shop'] });
    expect(Date.parse(cert.notAfter) - Date.parse(cert.notBefore)).toBe(longestValidityMs);
    await checkCertificateSignature({ cert, signature }, house.key.publicKey);
    expect(house.told).toEqual([`enrolled ${a.publicKey}`]);
  });

  it('takes a token once, also by the same node, and remembers that over a restart', async () => {
    const house = await open();
    const token = await issueToken(house);
    const fresh = await issueToken(house);
    certificateOf(await post(house.url, enrolment(house, token)));
    expect((await post(house.url, enrolment(house, token))).code).toBe('enrolment.token-used');
    expect((await post(house.url, enrolment(house, token, 'b', nodeKey('b')))).code).toBe('enrolment.token-used');
    await house.close();
    const again = await open({}, house.dataDir);
    expect((await post(again.url, enrolment(again, token, 'b', nodeKey('b')))).code).toBe('enrolment.token-used');
    expect((await post(again.url, enrolment(again, fresh, 'b', nodeKey('b')))).code).toBe('ok');
  });

  it('refuses a token that nobody issued, and one after its time', async () => {
    const clock = shiftedClock();
    const house = await open({ clock });
    expect((await post(house.url, enrolment(house, newToken()))).code).toBe('enrolment.token-invalid');
    const token = await issueToken(house, 'corner', 1);
    clock.ms = 3_600_000;
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'enrol', { token, shop: 'a' }, { ts: clock.date().getTime() }))).code).toBe('enrolment.token-expired');
  });

  it('keeps nothing of a token but its digest', async () => {
    const house = await open();
    const token = await issueToken(house);
    certificateOf(await post(house.url, enrolment(house, token)));
    await house.close();
    const { readFileSync, readdirSync } = await import('node:fs');
    for (const file of readdirSync(house.dataDir).filter((name) => name.startsWith('coordinator.db'))) {
      const bytes = readFileSync(`${house.dataDir}/${file}`);
      expect([file, bytes.includes(token)]).toEqual([file, false]);
      if (file === 'coordinator.db') expect(bytes.includes(tokenHash(token))).toBe(true);
    }
  });

  it('refuses a name that another key holds, and a second name for a key', async () => {
    const house = await open();
    await enrolled(house, 'a');
    expect((await post(house.url, enrolment(house, await issueToken(house), 'A', nodeKey('thief')))).code).toBe('node.name-taken');
    expect((await post(house.url, enrolment(house, await issueToken(house), 'b')) ).code).toBe('node.name-taken');
  });

  it('does not spend a token on a request that is refused', async () => {
    const house = await open();
    await enrolled(house, 'a');
    const token = await issueToken(house);
    await post(house.url, enrolment(house, token, 'a', nodeKey('b')));
    expect((await post(house.url, enrolment(house, token, 'b', nodeKey('b')))).code).toBe('ok');
  });

  it('refuses a signature of another key, and an envelope for another coordinator', async () => {
    const house = await open();
    const token = await issueToken(house);
    const foreign = sealEnvelope(a, { type: 'enrol', body: { token, shop: 'a' }, seq: 1, ts: Date.now(), coordinator: 'f'.repeat(64) });
    expect((await post(house.url, foreign)).code).toBe('node.unauthorised');
    const honest = enrolment(house, token);
    expect((await post(house.url, { ...honest, header: { ...honest.header, node: nodeKey('b').publicKey } })).code).toBe('node.unauthorised');
    expect((await post(house.url, honest)).code).toBe('ok');
  });
});

describe('what only the operator may ask', () => {
  it.each([['token', { tokenHash: '0'.repeat(64), organisation: 'x', ttlHours: 1 }], ['revoke', { shop: 'a', reason: 'expelled' }]] as const)('is refused to a node: %s', async (type, body) => {
    const house = await open();
    await enrolled(house, 'a');
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, type, body))).code).toBe('node.unauthorised');
  });

  it('is refused to whoever names the operator\'s key without having it', async () => {
    const house = await open();
    const forged = envelopeOf(a, house.key.publicKey, 'revoke', { shop: 'a', reason: 'expelled' });
    expect((await post(house.url, { ...forged, header: { ...forged.header, node: house.key.publicKey } })).code).toBe('node.unauthorised');
  });

  it.each([
    ['a lifetime of no hour', { tokenHash: '0'.repeat(64), organisation: 'x', ttlHours: 0 }],
    ['a lifetime of a year', { tokenHash: '0'.repeat(64), organisation: 'x', ttlHours: 8_760 }],
    ['no organisation', { tokenHash: '0'.repeat(64), organisation: '', ttlHours: 1 }],
    ['a field too many', { tokenHash: '0'.repeat(64), organisation: 'x', ttlHours: 1, uses: 2 }],
  ])('is checked: a token of %s', async (_what, body) => {
    const house = await open();
    expect((await post(house.url, envelopeOf(house.key, house.key.publicKey, 'token', body))).code).toBe('protocol.malformed');
  });

  it('does not issue one token twice', async () => {
    const house = await open();
    const body = { tokenHash: tokenHash(newToken()), organisation: 'x', ttlHours: 1 };
    expect((await post(house.url, envelopeOf(house.key, house.key.publicKey, 'token', body))).code).toBe('ok');
    expect((await post(house.url, envelopeOf(house.key, house.key.publicKey, 'token', body))).code).toBe('enrolment.token-invalid');
  });
});

describe('revocation', () => {
  const revocation = (house: Operator, body: object) => envelopeOf(house.key, house.key.publicKey, 'revoke', { reason: 'compromised', ...body });

  it('by name or by key is told once, and lasts over a restart', async () => {
    const house = await open();
    await enrolled(house, 'a');
    await enrolled(house, 'b');
    expect((await post(house.url, revocation(house, { shop: 'A' }))).body).toEqual({ node: a.publicKey, shop: 'a', reason: 'compromised' });
    expect((await post(house.url, revocation(house, { node: nodeKey('b').publicKey, reason: 'retired' }))).code).toBe('ok');
    expect(house.told.slice(2)).toEqual([`revoked ${a.publicKey} compromised`, `revoked ${nodeKey('b').publicKey} retired`]);
    expect((await post(house.url, revocation(house, { shop: 'a' }))).code).toBe('node.revoked');
    await house.close();
    const again = await open({}, house.dataDir);
    expect((await post(again.url, envelopeOf(a, again.key.publicKey, 'renew', {}))).code).toBe('node.revoked');
    expect((await post(again.url, enrolment(again, await issueToken(again)))).code).toBe('node.revoked');
  });

  it('refuses nodes that nobody knows, and reasons that are none', async () => {
    const house = await open();
    expect((await post(house.url, revocation(house, { shop: 'nobody' }))).code).toBe('node.unknown');
    expect((await post(house.url, revocation(house, { node: '0'.repeat(64) }))).code).toBe('node.unknown');
    expect((await post(house.url, revocation(house, { shop: 'a', reason: 'bored' }))).code).toBe('protocol.malformed');
    expect(house.told).toEqual([]);
  });

  it('lets a new key have the name, with a new token', async () => {
    const house = await open();
    await enrolled(house, 'a');
    await post(house.url, revocation(house, { shop: 'a' }));
    const { cert } = await enrolled(house, 'a', 'corner', nodeKey('second key'));
    expect(cert).toMatchObject({ shop: 'a', node: nodeKey('second key').publicKey });
  });
});

describe('renewal and hand-over', () => {
  it('renews a certificate before its end, for 90 days from then, and not after', async () => {
    const clock = shiftedClock();
    const house = await open({ clock });
    const first = await enrolled(house, 'a');
    clock.ms = longestValidityMs - 60_000;
    const renewal = () => envelopeOf(a, house.key.publicKey, 'renew', {}, { ts: clock.date().getTime() });
    const second = certificateOf(await post(house.url, renewal()));
    expect(Date.parse(second.cert.notAfter)).toBeGreaterThan(Date.parse(first.cert.notAfter) + longestValidityMs / 2);
    clock.ms += longestValidityMs;
    expect((await post(house.url, renewal())).code).toBe('enrolment.certificate-expired');
    expect((await post(house.url, envelopeOf(nodeKey('b'), house.key.publicKey, 'renew', {}, { ts: clock.date().getTime() }))).code).toBe('enrolment.required');
  });

  it('hands a shop over to a new key that is held, and retires the old one', async () => {
    const house = await open();
    await enrolled(house, 'a');
    const next = nodeKey('next');
    const { cert } = certificateOf(await post(house.url, envelopeOf(a, house.key.publicKey, 'rotate', handOver(next, a.publicKey, house.key.publicKey))));
    expect(cert).toMatchObject({ node: next.publicKey, shop: 'a', organisation: 'corner' });
    expect(house.told.slice(1)).toEqual([`enrolled ${next.publicKey}`, `revoked ${a.publicKey} retired`]);
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'renew', {}))).code).toBe('node.revoked');
    expect((await post(house.url, envelopeOf(next, house.key.publicKey, 'renew', {}))).code).toBe('ok');
  });

  it.each([
    ['a key that is not proven', (house: Operator) => ({ newKey: nodeKey('next').publicKey, proof: handOver(nodeKey('thief'), a.publicKey, house.key.publicKey).proof }), 'node.unauthorised'],
    ['a key that another shop has', (house: Operator) => handOver(nodeKey('b'), a.publicKey, house.key.publicKey), 'node.name-taken'],
    ['itself', (house: Operator) => handOver(a, a.publicKey, house.key.publicKey), 'node.name-taken'],
    ['the coordinator', (house: Operator) => handOver(house.key, a.publicKey, house.key.publicKey), 'node.name-taken'],
  ])('does not hand over to %s', async (_what, body, code) => {
    const house = await open();
    await enrolled(house, 'a');
    await enrolled(house, 'b');
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'rotate', body(house)))).code).toBe(code);
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'renew', {}))).code).toBe('ok');
  });
});

describe('the order of envelopes', () => {
  it('answers the same bytes the same way, also after a restart and after their time, and acts once', async () => {
    const clock = shiftedClock();
    const house = await open({ clock });
    const envelope = enrolment(house, await issueToken(house));
    const first = await post(house.url, envelope);
    expect(await post(house.url, envelope)).toEqual(first);
    expect(house.told.length).toBe(1);
    await house.close();
    clock.ms = 600_000;
    const again = await open({ clock }, house.dataDir);
    expect(await post(again.url, envelope)).toEqual(first);
    expect(again.told).toEqual([]);
  });

  it('answers a refusal the same way, too', async () => {
    const house = await open();
    const envelope = envelopeOf(house.key, house.key.publicKey, 'revoke', { shop: 'a', reason: 'expelled' });
    const first = await post(house.url, envelope);
    await enrolled(house, 'a');
    expect(first.code).toBe('node.unknown');
    expect(await post(house.url, envelope)).toEqual(first);
  });

  it('takes numbers in rising order only, and remembers the last over a restart', async () => {
    const house = await open();
    await enrolled(house, 'a');
    const renewal = (key: string, seq: number) => envelopeOf(a, key, 'renew', {}, { seq });
    expect((await post(house.url, renewal(house.key.publicKey, 1_000_000))).code).toBe('ok');
    expect((await post(house.url, renewal(house.key.publicKey, 999_999))).code).toBe('protocol.replayed');
    await house.close();
    const again = await open({}, house.dataDir);
    expect((await post(again.url, renewal(again.key.publicKey, 999_998))).code).toBe('protocol.replayed');
    expect((await post(again.url, renewal(again.key.publicKey, 1_000_001))).code).toBe('ok');
  });

  it('reports two requests under one number with a proof of both, and acts on the first alone', async () => {
    const house = await open();
    await enrolled(house, 'a');
    await post(house.url, envelopeOf(a, house.key.publicKey, 'renew', {}, { seq: 2_000_000 }));
    const second = envelopeOf(a, house.key.publicKey, 'rotate', handOver(nodeKey('next'), a.publicKey, house.key.publicKey), { seq: 2_000_000 });
    expect((await post(house.url, second)).code).toBe('envelope.equivocation');
    const [evidence] = house.equivocations;
    expect(evidence.node).toBe(a.publicKey);
    expect(await isProven({ type: 'equivocation', round: 'none', ...evidence })).toBe(true);
    expect(house.told.length).toBe(1);
  });

  it('does not let a stranger accuse a node', async () => {
    const house = await open();
    await enrolled(house, 'a');
    const honest = envelopeOf(a, house.key.publicKey, 'renew', {}, { seq: 3_000_000 });
    await post(house.url, honest);
    const forged = envelopeOf(nodeKey('thief'), house.key.publicKey, 'renew', {}, { seq: 3_000_000, ts: 1 });
    expect((await post(house.url, { ...forged, header: { ...forged.header, node: a.publicKey } })).code).toBe('node.unauthorised');
    expect((await post(house.url, { ...honest, signature: '0'.repeat(128) })).code).toBe('node.unauthorised');
    expect(house.equivocations).toEqual([]);
  });

  it.each([-121_000, 121_000])('refuses a clock that is %d ms off', async (offMs) => {
    const house = await open();
    const token = await issueToken(house);
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'enrol', { token, shop: 'a' }, { ts: Date.now() + offMs }))).code).toBe('envelope.stale');
  });
});

describe('bounds', () => {
  it('refuse bodies that are too large, announced or not, too deep, or no text', async () => {
    const { url } = await open();
    expect(await post(url, 'x'.repeat(maxEnvelopeLength + 1))).toMatchObject({ status: 413, code: 'protocol.too-large' });
    const stream = new ReadableStream({ pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(4_096))) });
    const response = await fetch(`${url}/v1/nodes`, { method: 'POST', body: stream, duplex: 'half' } as RequestInit).catch(() => null);
    expect(response === null || response.status === 413).toBe(true);
    expect((await post(url, '['.repeat(1_000))).code).toBe('protocol.malformed');
    expect((await fetch(`${url}/v1/nodes`, { method: 'POST', body: Uint8Array.of(0xff) })).status).toBe(400);
  });

  it('turn an address away that asks too often, before anything is looked at', async () => {
    const { url } = await open({ identity: { limits: { requestsPerAddress: { burst: 2, perSecond: 0.001 } } } });
    const codes = [];
    for (let i = 0; i < 3; i += 1) codes.push((await post(url, 'x')).code);
    expect(codes).toEqual(['protocol.malformed', 'protocol.malformed', 'limit.rate']);
  });

  it('look at the forwarded address behind a proxy, and only there', async () => {
    const limits = { requestsPerAddress: { burst: 1, perSecond: 0.001 } };
    const forwarded = (address: string) => ({ 'X-Forwarded-For': `6.6.6.6, ${address}` });
    const behind = await open({ behindTlsProxy: true, identity: { limits } });
    const codes = [];
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.1']) codes.push((await post(behind.url, 'x', forwarded(address))).code);
    expect(codes).toEqual(['protocol.malformed', 'protocol.malformed', 'limit.rate']);
    const plain = await open({ identity: { limits } });
    await post(plain.url, 'x', forwarded('10.0.0.1'));
    expect((await post(plain.url, 'x', forwarded('10.0.0.2'))).code).toBe('limit.rate');
  });

  it('hold a node and an organisation to their share, and charge nobody for what a stranger signs', async () => {
    const slow = { burst: 2, perSecond: 0.001 };
    const house = await open({ identity: { limits: { requestsPerNode: slow } } });
    // The operator is a node to the limits: one token for each of its two.
    const tokens = [await issueToken(house), await issueToken(house)];
    await post(house.url, enrolment(house, tokens[0]));
    const forged = enrolment(house, tokens[1], 'b', nodeKey('thief'));
    for (let i = 0; i < 5; i += 1) expect((await post(house.url, { ...forged, header: { ...forged.header, node: nodeKey('b').publicKey, seq: i + 1 } })).code).toBe('node.unauthorised');
    expect((await post(house.url, enrolment(house, tokens[1], 'b', nodeKey('b')))).code).toBe('ok');
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'renew', {}))).code).toBe('ok');
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'renew', {}))).code).toBe('limit.rate');
    const shared = await open({ identity: { limits: { requestsPerOrganisation: slow } } });
    await enrolled(shared, 'a', 'chain');
    await enrolled(shared, 'b', 'chain');
    expect((await post(shared.url, envelopeOf(a, shared.key.publicKey, 'renew', {}))).code).toBe('limit.rate');
    await enrolled(shared, 'c', 'other');
  });
});
