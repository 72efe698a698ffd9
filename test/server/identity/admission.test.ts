import { describe, expect, it } from 'vitest';
import { createAdmission, type AdmissionOptions, type SeatedAdmission } from '../../../server/identity/admission.ts';
import { createLimiter, type IdentityLimits } from '../../../server/identity/limits.ts';
import { createTokenBuckets } from '../../../shared/protocol/token-buckets.ts';
import { issueCertificate, longestValidityMs, type NodeCert, type SignedCertificate } from '../../../shared/identity/certificate.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { codeOf } from '../../client/fakes.ts';
import { coordinatorFor } from '../support/coordinators.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { temporaryFolder } from '../support/folders.ts';
import { coordinatorKey, expectExpelled, startGateway } from '../support/gateway-rig.ts';
import { enrolled, envelopeOf, nodeKey, operatorKey, post } from '../support/nodes.ts';
import { connectShop, dial, shopNamed } from '../support/test-client.ts';
import { connectStatement } from '../../../shared/protocol/messages.ts';
import type { TestClient } from '../support/test-client.ts';

// The key of the gateway rig's coordinator.
const coordinator = signingKey(new Uint8Array(32).fill(9));
const nowMs = fakeClock().date().getTime();

function certificate(shop: string, changes: Partial<NodeCert> = {}, fromMs = nowMs): SignedCertificate {
  const { cert } = issueCertificate(coordinator, { node: shopNamed(shop).key.publicKey, shop, organisation: 'chain' }, fromMs);
  const changed = { ...cert, ...changes };
  return issueCertificate(coordinator, changed, fromMs);
}

const revoked = new Set<string>();

function admissionOf(options: Partial<AdmissionOptions> & { limits?: Partial<IdentityLimits> } = {}): SeatedAdmission {
  const clock = fakeClock();
  return createAdmission({
    enrolment: 'required', coordinatorKey, nodesPerOrganisation: () => 2, limiter: createLimiter(options.limits ?? {}, clock),
    isRevoked: (node) => revoked.has(node), dateMs: () => nowMs, ...options,
  });
}

async function hello(client: TestClient, shop: string, presented?: SignedCertificate, key = shopNamed(shop).key): Promise<void> {
  client.send({ type: 'hello', protocol: 1, shop, publicKey: key.publicKey, ...(presented === undefined ? {} : { certificate: presented }) });
  await Promise.resolve();
}

async function prove(client: TestClient, shop: string, key = shopNamed(shop).key): Promise<void> {
  const { nonce } = await client.next('challenge');
  client.send({ type: 'proof', signature: key.sign(connectStatement('shop', nonce, shop, coordinatorKey)) });
}

describe('a gateway that requires enrolment', () => {
  it('admits a shop with a certificate, and takes a seat for it until it leaves', async () => {
    const admission = admissionOf();
    const { url, gateway } = await startGateway({ admission });
    const client = await dial(url);
    await hello(client, 'Corner-Shop', certificate('Corner-Shop'));
    await prove(client, 'Corner-Shop');
    await client.next('ready');
    expect(gateway.ready()).toEqual(['corner-shop']);
    expect(admission.seatsOf(shopNamed('Corner-Shop').key.publicKey)).toEqual(['corner-shop']);
    client.hangUp();
    await expect.poll(() => admission.seatsOf(shopNamed('Corner-Shop').key.publicKey)).toEqual([]);
  });

  it.each<[string, string, SignedCertificate | undefined]>([
    ['no certificate', 'enrolment.required', undefined],
    ['the certificate of another key', 'enrolment.certificate-invalid', certificate('a', { node: nodeKey('b').publicKey })],
    ['the certificate of another shop', 'enrolment.certificate-invalid', certificate('a', { shop: 'b' })],
    ['a certificate that has ended', 'enrolment.certificate-expired', certificate('a', {}, nowMs - longestValidityMs)],
    ['a certificate that has not begun', 'enrolment.certificate-invalid', certificate('a', {}, nowMs + 86_400_000)],
  ])('refuses %s before it spends a nonce or a signature check on it', async (_what, code, presented) => {
    const { url } = await startGateway({ admission: admissionOf() });
    const client = await dial(url);
    await hello(client, 'a', presented);
    await expectExpelled(client, code);
    expect(client.heard.map(({ type }) => type)).toEqual(['error']);
  });

  it('refuses a certificate that another coordinator signed, or that was changed', async () => {
    const { url, gateway } = await startGateway({ admission: admissionOf() });
    const honest = certificate('a');
    const other = issueCertificate(nodeKey('another coordinator'), honest.cert, nowMs);
    for (const presented of [other, { ...honest, cert: { ...honest.cert, organisation: 'mine' } }]) {
      const client = await dial(url);
      await hello(client, 'a', presented);
      await prove(client, 'a');
      await expectExpelled(client, 'enrolment.certificate-invalid');
    }
    expect(gateway.ready()).toEqual([]);
  });

  it('refuses a stolen certificate, with another key and without the right one', async () => {
    const { url, gateway } = await startGateway({ admission: admissionOf() });
    const thief = nodeKey('thief');
    const open = await dial(url);
    await hello(open, 'a', certificate('a'), thief);
    await expectExpelled(open, 'enrolment.certificate-invalid');
    const posing = await dial(url);
    await hello(posing, 'a', certificate('a'));
    await prove(posing, 'a', thief);
    await expectExpelled(posing, 'node.unauthorised');
    expect(gateway.ready()).toEqual([]);
  });

  it('refuses a revoked key at once, and one that is revoked while its proof is checked', async () => {
    const { key } = shopNamed('gone');
    const admission = admissionOf({ enrolment: 'open' });
    const { url } = await startGateway({ admission });
    const client = await dial(url);
    await hello(client, 'gone');
    const { nonce } = await client.next('challenge');
    revoked.add(key.publicKey);
    client.send({ type: 'proof', signature: key.sign(connectStatement('shop', nonce, 'gone', coordinatorKey)) });
    await expectExpelled(client, 'node.revoked');
    const again = await dial(url);
    await hello(again, 'gone');
    await expectExpelled(again, 'node.revoked');
    revoked.clear();
  });
});

describe('a gateway that is open', () => {
  it('admits without a certificate, and still refuses one that is wrong', async () => {
    const { url } = await startGateway({ admission: admissionOf({ enrolment: 'open' }) });
    await connectShop(url, shopNamed('a'));
    const client = await dial(url);
    await hello(client, 'b', certificate('c'));
    await expectExpelled(client, 'enrolment.certificate-invalid');
  });
});

describe('seats of an organisation', () => {
  it('are counted by who is connected; a return of the same shop takes no second one', async () => {
    const admission = admissionOf();
    const of = (shop: string, organisation = 'chain') => ({ type: 'hello', protocol: 1, shop, publicKey: shopNamed(shop).key.publicKey, certificate: certificate(shop, { organisation }) }) as const;
    for (const shop of ['a', 'b', 'a']) admission.enter(shop, of(shop));
    expect(await codeOf(() => admission.enter('c', of('c')))).toBe('enrolment.organisation-full');
    expect(await codeOf(() => admission.greet(of('c')))).toBe('enrolment.organisation-full');
    admission.greet(of('a'));
    admission.enter('d', of('d', 'other'));
    admission.left('b');
    admission.enter('c', of('c'));
  });
});

describe('limits of connects', () => {
  it('charge a node only once it has proven its key', async () => {
    const admission = admissionOf({ enrolment: 'open', limits: { connectsPerNode: { burst: 1, perSecond: 0.001 } } });
    const { url } = await startGateway({ admission });
    for (let i = 0; i < 3; i += 1) {
      const liar = await dial(url);
      await hello(liar, 'a');
      await prove(liar, 'a', nodeKey('thief'));
      await expectExpelled(liar, 'node.unauthorised');
    }
    const { client } = await connectShop(url, shopNamed('a'));
    client.hangUp();
    const again = await dial(url);
    await hello(again, 'a');
    await expectExpelled(again, 'limit.rate');
  });

  it('turn an address away before the upgrade', async () => {
    const { url } = await coordinatorFor({ identity: { limits: { connectsPerAddress: { burst: 2, perSecond: 0.001 } } } });
    await dial(url);
    await dial(url);
    await expect(dial(url)).rejects.toThrow('429');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('hold an organisation to its share', async () => {
    const admission = admissionOf({ limits: { connectsPerOrganisation: { burst: 1, perSecond: 0.001 } } });
    const of = (shop: string) => ({ type: 'hello', protocol: 1, shop, publicKey: shopNamed(shop).key.publicKey, certificate: certificate(shop) }) as const;
    await admission.verify(of('a'));
    expect(await codeOf(() => admission.verify(of('b')))).toBe('limit.rate');
    expect(await codeOf(() => admission.greet(of('b')))).toBe('limit.rate');
  });
});

describe('a token bucket', () => {
  it('lets a burst through, then what is refilled, and holds no more than the burst', () => {
    const clock = fakeClock();
    const buckets = createTokenBuckets({ burst: 2, perSecond: 1 }, () => clock.now());
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a'), buckets.take('b')]).toEqual([true, true, false, true]);
    clock.advance(999);
    expect([buckets.has('a'), buckets.take('a')]).toEqual([false, false]);
    clock.advance(1);
    expect([buckets.has('a'), buckets.take('a'), buckets.take('a')]).toEqual([true, true, false]);
    clock.advance(3_600_000);
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a')]).toEqual([true, true, false]);
  });

  it('forgets full buckets first when strangers bring many keys, and stays bounded', () => {
    const clock = fakeClock();
    const buckets = createTokenBuckets({ burst: 1, perSecond: 1 }, () => clock.now());
    for (let i = 0; i < 9_999; i += 1) buckets.take(`old ${i}`);
    clock.advance(1_000);
    buckets.take('empty');
    buckets.take('one more');
    expect(buckets.take('empty')).toBe(false);
  });
});

describe('a revocation at a running coordinator', () => {
  it('cuts the node off, in a round or not, and nobody else', async () => {
    const dataDir = temporaryFolder();
    const { url, publicKey } = await coordinatorFor({ dataDir });
    const operator = { url, key: operatorKey(dataDir) };
    await enrolled(operator, 'a');
    const [a, b] = [await connectShop(url, shopNamed('a')), await connectShop(url, shopNamed('b'))];
    await a.client.next('invite');
    await post(url, envelopeOf(operator.key, publicKey, 'revoke', { shop: 'a', reason: 'expelled' }));
    await expectExpelled(a.client, 'node.revoked');
    b.client.say({ type: 'leave', round: 'trial-1' });
    expect(b.client.socket.readyState).toBe(1);
  });
});
