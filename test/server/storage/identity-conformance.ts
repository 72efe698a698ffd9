/** What every storage must do about nodes, whatever the database. */
import { describe, expect, it } from 'vitest';
import type { EnvelopeRecord, IdentityChange } from '../../../server/storage/identity-records.ts';
import { issueCertificate, type SignedCertificate } from '../../../shared/identity/certificate.ts';
import { nodeKey } from '../support/nodes.ts';
import type { OpenedStorage } from './conformance.ts';

const coordinator = nodeKey('coordinator');
const [one, two] = [nodeKey('one').publicKey, nodeKey('two').publicKey];
const certificate = (node: string, shop = 'One'): SignedCertificate => issueCertificate(coordinator, { node, shop, organisation: 'chain' }, 1_700_000_000_000);

function envelope(node: string, seq: number, answer: EnvelopeRecord['answer'] = { kind: 'done', body: { seq } }): EnvelopeRecord {
  return { node, seq, statement: `${seq}`.padStart(8, '0'), signature: 'ab'.repeat(64), answer };
}

const tokenHash = 'a'.repeat(64);
const token: IdentityChange = { kind: 'token', token: { hash: tokenHash, organisation: 'chain', expiresAt: '2030-01-01T00:00:00.000Z' } };
const enrol = (node: string, shop?: string, replaces: string | null = null): IdentityChange => ({ kind: 'enrol', certificate: certificate(node, shop), tokenHash, replaces });

export function identityConformance(name: string, open: () => Promise<OpenedStorage>): void {
  describe(`${name}: envelopes`, () => {
    it('are kept with their answers, and their numbers outlive a restart', async () => {
      const opened = await open();
      const seq = 1_800_000_000_000;
      await opened.storage.commitIdentity(envelope(one, seq), { kind: 'none' });
      await opened.storage.commitIdentity(envelope(one, seq + 1, { kind: 'refused', code: 'node.unknown', message: 'nobody' }), { kind: 'none' });
      const storage = await opened.reopen();
      expect(await storage.envelope(one, seq)).toEqual(envelope(one, seq));
      expect((await storage.envelope(one, seq + 1))?.answer).toEqual({ kind: 'refused', code: 'node.unknown', message: 'nobody' });
      expect([await storage.lastSeq(one), await storage.lastSeq(two), await storage.envelope(two, seq)]).toEqual([seq + 1, 0, null]);
    });

    it('are written once for each number', async () => {
      const { storage } = await open();
      await storage.commitIdentity(envelope(one, 1), { kind: 'none' });
      await expect(storage.commitIdentity({ ...envelope(one, 1), statement: 'ff' }, token)).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await storage.token(tokenHash)).toBeNull();
    });
  });

  describe(`${name}: nodes`, () => {
    it('are enrolled by a token, once', async () => {
      const opened = await open();
      await opened.storage.commitIdentity(envelope(coordinator.publicKey, 1), token);
      expect(await opened.storage.token(tokenHash)).toMatchObject({ organisation: 'chain', usedBy: null });
      await opened.storage.commitIdentity(envelope(one, 1), enrol(one));
      await expect(opened.storage.commitIdentity(envelope(two, 1), enrol(two, 'Two'))).rejects.toMatchObject({ code: 'enrolment.token-used' });
      const storage = await opened.reopen();
      expect(await storage.token(tokenHash)).toMatchObject({ usedBy: one });
      expect(await storage.certificate(one)).toEqual(certificate(one));
      expect([await storage.shopOf(one), await storage.keyOf('ONE'), await storage.shopOf(two), await storage.keyOf('two')]).toEqual(['One', one, null, null]);
      expect(await storage.enrolled()).toEqual([one]);
      expect(await storage.lastSeq(two)).toBe(0);
      expect(await storage.pinNode('one', one)).toBe('known');
    });

    it('do not get a name that was taken by first use meanwhile: neither token nor number is spent', async () => {
      const { storage } = await open();
      await storage.commitIdentity(envelope(coordinator.publicKey, 1), token);
      await storage.pinNode('one', two);
      await expect(storage.commitIdentity(envelope(one, 1), enrol(one))).rejects.toMatchObject({ code: 'node.name-taken' });
      expect([await storage.certificate(one), (await storage.token(tokenHash))?.usedBy, await storage.lastSeq(one)]).toEqual([null, null, 0]);
    });

    it('take the place of a revoked key', async () => {
      const { storage } = await open();
      await storage.pinNode('one', two);
      await storage.commitIdentity(envelope(coordinator.publicKey, 1), token);
      await storage.commitIdentity(envelope(coordinator.publicKey, 2), { kind: 'revoke', node: two, reason: 'compromised' });
      await storage.commitIdentity(envelope(one, 1), enrol(one, 'One', two));
      expect([await storage.keyOf('one'), await storage.shopOf(two)]).toEqual([one, null]);
    });

    it('hand over to another key, which retires the first', async () => {
      const opened = await open();
      await opened.storage.commitIdentity(envelope(coordinator.publicKey, 1), token);
      await opened.storage.commitIdentity(envelope(one, 1), enrol(one));
      await opened.storage.commitIdentity(envelope(one, 2), { kind: 'rotate', from: one, certificate: certificate(two) });
      const storage = await opened.reopen();
      expect([await storage.keyOf('one'), await storage.shopOf(one), await storage.certificate(two)]).toEqual([two, null, certificate(two)]);
      expect(await storage.revocations()).toMatchObject([{ node: one, reason: 'retired' }]);
      expect([...(await storage.enrolled())].sort()).toEqual([one, two].sort());
    });
  });
}
