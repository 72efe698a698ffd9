import { describe, expect, it } from 'vitest';
import { checkCertificateSignature, longestValidityMs } from '../../../shared/identity/certificate.ts';
import { handOver, tokenHash } from '../../../shared/identity/requests.ts';
import { sealEnvelope } from '../../../shared/protocol/envelope.ts';
import { a, enrolment, openHouse, shiftedClock } from '../support/identity-house.ts';
import { certificateOf, enrolled, envelopeOf, issueToken, newToken, nodeKey, post, type Operator } from '../support/nodes.ts';

describe('enrolment', () => {
  it('turns a token into a certificate of the coordinator for 90 days, and tells of it', async () => {
    const house = await openHouse();
    const { cert, signature } = await enrolled(house, 'a', 'corner');
    expect(cert).toMatchObject({ node: a.publicKey, shop: 'a', organisation: 'corner', roles: ['shop'] });
    expect(Date.parse(cert.notAfter) - Date.parse(cert.notBefore)).toBe(longestValidityMs);
    await checkCertificateSignature({ cert, signature }, house.key.publicKey);
    expect(house.told).toEqual([`enrolled ${a.publicKey}`]);
  });

  it('takes a token once, also by the same node, and remembers that over a restart', async () => {
    const house = await openHouse();
    const token = await issueToken(house);
    const fresh = await issueToken(house);
    certificateOf(await post(house.url, enrolment(house, token)));
    expect((await post(house.url, enrolment(house, token))).code).toBe('enrolment.token-used');
    expect((await post(house.url, enrolment(house, token, 'b', nodeKey('b')))).code).toBe('enrolment.token-used');
    await house.close();
    const again = await openHouse({}, house.dataDir);
    expect((await post(again.url, enrolment(again, token, 'b', nodeKey('b')))).code).toBe('enrolment.token-used');
    expect((await post(again.url, enrolment(again, fresh, 'b', nodeKey('b')))).code).toBe('ok');
  });

  it('refuses a token that nobody issued, and one after its time', async () => {
    const clock = shiftedClock();
    const house = await openHouse({ clock });
    expect((await post(house.url, enrolment(house, newToken()))).code).toBe('enrolment.token-invalid');
    const token = await issueToken(house, 'corner', 1);
    clock.ms = 3_600_000;
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'enrol', { token, shop: 'a' }, { ts: clock.date().getTime() }))).code).toBe('enrolment.token-expired');
  });

  it('keeps nothing of a token but its digest', async () => {
    const house = await openHouse();
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
    const house = await openHouse();
    await enrolled(house, 'a');
    expect((await post(house.url, enrolment(house, await issueToken(house), 'A', nodeKey('thief')))).code).toBe('node.name-taken');
    expect((await post(house.url, enrolment(house, await issueToken(house), 'b')) ).code).toBe('node.name-taken');
  });

  it('does not spend a token on a request that is refused', async () => {
    const house = await openHouse();
    await enrolled(house, 'a');
    const token = await issueToken(house);
    await post(house.url, enrolment(house, token, 'a', nodeKey('b')));
    expect((await post(house.url, enrolment(house, token, 'b', nodeKey('b')))).code).toBe('ok');
  });

  it('refuses a signature of another key, and an envelope for another coordinator', async () => {
    const house = await openHouse();
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
    const house = await openHouse();
    await enrolled(house, 'a');
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, type, body))).code).toBe('node.unauthorised');
  });

  it('is refused to whoever names the operator\'s key without having it', async () => {
    const house = await openHouse();
    const forged = envelopeOf(a, house.key.publicKey, 'revoke', { shop: 'a', reason: 'expelled' });
    expect((await post(house.url, { ...forged, header: { ...forged.header, node: house.key.publicKey } })).code).toBe('node.unauthorised');
  });

  it.each([
    ['a lifetime of no hour', { tokenHash: '0'.repeat(64), organisation: 'x', ttlHours: 0 }],
    ['a lifetime of a year', { tokenHash: '0'.repeat(64), organisation: 'x', ttlHours: 8_760 }],
    ['no organisation', { tokenHash: '0'.repeat(64), organisation: '', ttlHours: 1 }],
    ['a field too many', { tokenHash: '0'.repeat(64), organisation: 'x', ttlHours: 1, uses: 2 }],
  ])('is checked: a token of %s', async (_what, body) => {
    const house = await openHouse();
    expect((await post(house.url, envelopeOf(house.key, house.key.publicKey, 'token', body))).code).toBe('protocol.malformed');
  });

  it('does not issue one token twice', async () => {
    const house = await openHouse();
    const body = { tokenHash: tokenHash(newToken()), organisation: 'x', ttlHours: 1 };
    expect((await post(house.url, envelopeOf(house.key, house.key.publicKey, 'token', body))).code).toBe('ok');
    expect((await post(house.url, envelopeOf(house.key, house.key.publicKey, 'token', body))).code).toBe('enrolment.token-invalid');
  });
});

describe('revocation', () => {
  const revocation = (house: Operator, body: object) => envelopeOf(house.key, house.key.publicKey, 'revoke', { reason: 'compromised', ...body });

  it('by name or by key is told once, and lasts over a restart', async () => {
    const house = await openHouse();
    await enrolled(house, 'a');
    await enrolled(house, 'b');
    expect((await post(house.url, revocation(house, { shop: 'A' }))).body).toEqual({ node: a.publicKey, shop: 'a', reason: 'compromised' });
    expect((await post(house.url, revocation(house, { node: nodeKey('b').publicKey, reason: 'retired' }))).code).toBe('ok');
    expect(house.told.slice(2)).toEqual([`revoked ${a.publicKey} compromised`, `revoked ${nodeKey('b').publicKey} retired`]);
    expect((await post(house.url, revocation(house, { shop: 'a' }))).code).toBe('node.revoked');
    await house.close();
    const again = await openHouse({}, house.dataDir);
    expect((await post(again.url, envelopeOf(a, again.key.publicKey, 'renew', {}))).code).toBe('node.revoked');
    expect((await post(again.url, enrolment(again, await issueToken(again)))).code).toBe('node.revoked');
  });

  it('refuses nodes that nobody knows, and reasons that are none', async () => {
    const house = await openHouse();
    expect((await post(house.url, revocation(house, { shop: 'nobody' }))).code).toBe('node.unknown');
    expect((await post(house.url, revocation(house, { node: '0'.repeat(64) }))).code).toBe('node.unknown');
    expect((await post(house.url, revocation(house, { shop: 'a', reason: 'bored' }))).code).toBe('protocol.malformed');
    expect(house.told).toEqual([]);
  });

  it('lets a new key have the name, with a new token', async () => {
    const house = await openHouse();
    await enrolled(house, 'a');
    await post(house.url, revocation(house, { shop: 'a' }));
    const { cert } = await enrolled(house, 'a', 'corner', nodeKey('second key'));
    expect(cert).toMatchObject({ shop: 'a', node: nodeKey('second key').publicKey });
  });
});

describe('renewal and hand-over', () => {
  it('renews a certificate before its end, for 90 days from then, and not after', async () => {
    const clock = shiftedClock();
    const house = await openHouse({ clock });
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
    const house = await openHouse();
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
    const house = await openHouse();
    await enrolled(house, 'a');
    await enrolled(house, 'b');
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'rotate', body(house)))).code).toBe(code);
    expect((await post(house.url, envelopeOf(a, house.key.publicKey, 'renew', {}))).code).toBe('ok');
  });
});
