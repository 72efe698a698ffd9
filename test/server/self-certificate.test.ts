import { X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tlsSockets } from '../../client/shop/node-socket.ts';
import { startShopNode } from '../../client/shop/shop-node.ts';
import { tlsFetch } from '../../client/shop/tls.ts';
import { keepSelfCertificate } from '../../server/self-certificate-files.ts';
import { fingerprintOf, makeSelfCertificate } from '../../server/self-certificate.ts';
import { codeOf } from '../client/fakes.ts';
import { coordinatorFor } from './support/coordinators.ts';
import { catalogue, taskInput } from './support/fixtures.ts';
import { temporaryFolder } from './support/folders.ts';

const now = new Date('2026-06-01T12:00:00Z');
const names = ['localhost', '127.0.0.1', '::1', 'cesta.example.org', '2001:db8::1:0'];
const dayMs = 86_400_000;

describe('a certificate of one\'s own', () => {
  it('is signed by its own key, for every name and address, and for no more than 825 days', () => {
    const { cert, key } = makeSelfCertificate({ names, now });
    const read = new X509Certificate(cert);
    expect(read.verify(read.publicKey)).toBe(true);
    expect([read.ca, read.issuer]).toEqual([false, read.subject]);
    expect(read.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
    expect(read.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:cesta.example.org, IP Address:2001:DB8:0:0:0:0:1:0');
    expect(read.checkHost('other.example.org')).toBeUndefined();
    const days = (Date.parse(read.validTo) - Date.parse(read.validFrom)) / dayMs;
    expect(days).toBeGreaterThan(800);
    expect(days).toBeLessThanOrEqual(825);
    expect(Date.parse(read.validFrom)).toBeLessThan(now.getTime());
    expect(fingerprintOf(cert)).toBe(read.fingerprint256);
    expect(key).toContain('PRIVATE KEY');
  });

  it('is refused for what is no name', async () => {
    for (const name of ['', 'two words', '-x', 'a..b', `${'a'.repeat(254)}`]) expect(await codeOf(() => makeSelfCertificate({ names: [name], now }))).toBe('config.invalid');
  });

  it('is kept, its key from others', () => {
    const folder = temporaryFolder();
    const first = keepSelfCertificate(folder, { names, now });
    expect(first.isNew).toBe(true);
    expect(readFileSync(first.certPath, 'utf8')).toBe(first.cert);
    expect(statSync(join(folder, 'tls.key')).mode & 0o777).toBe(0o600);
    expect(keepSelfCertificate(folder, { names: names.slice(1), now })).toMatchObject({ isNew: false, fingerprint: first.fingerprint });
  });

  it('is made anew when 30 days are left, and for another name', () => {
    const folder = temporaryFolder();
    const first = keepSelfCertificate(folder, { names, now });
    const after = (days: number): Date => new Date(now.getTime() + days * dayMs);
    expect(keepSelfCertificate(folder, { names, now: after(794) }).isNew).toBe(false);
    const second = keepSelfCertificate(folder, { names, now: after(796) });
    expect(second.isNew).toBe(true);
    expect(second.fingerprint).not.toBe(first.fingerprint);
    expect(keepSelfCertificate(folder, { names: [...names, 'new.example.org'], now: after(797) }).isNew).toBe(true);
  });

  it('has the name of the machine, and is not made anew when that changes', () => {
    const folder = temporaryFolder();
    const first = keepSelfCertificate(folder, { names, passingNames: ['0a1b2c3d4e5f'], now });
    expect(new X509Certificate(first.cert).checkHost('0a1b2c3d4e5f')).toBe('0a1b2c3d4e5f');
    expect(keepSelfCertificate(folder, { names, passingNames: ['6a7b8c9d'], now }).isNew).toBe(false);
  });

  it('is not used with a key that others can read, or one that is damaged', async () => {
    const folder = temporaryFolder();
    const { key } = keepSelfCertificate(folder, { names, now });
    writeFileSync(join(folder, 'tls.key'), 'none');
    expect(await codeOf(() => keepSelfCertificate(folder, { names, now }))).toBe('storage.failed');
    writeFileSync(join(folder, 'tls.key'), key);
    chmodSync(join(folder, 'tls.key'), 0o644);
    expect(await codeOf(() => keepSelfCertificate(folder, { names, now }))).toBe('storage.failed');
  });

  it('lets a shop that was given it take part, and nobody else\'s is believed', async () => {
    const dataDir = temporaryFolder();
    const pair = keepSelfCertificate(dataDir, { names: ['localhost', '127.0.0.1'], now: new Date() });
    const { url } = await coordinatorFor({ dataDir, task: taskInput({ min: 1, target: 1 }), tls: { cert: pair.cert, key: pair.key } });
    const tls = { ca: readFileSync(pair.certPath, 'utf8') };
    const dataset = { name: 'test', catalogue, shoppers: [], report: { lines: 0, used: 0, complaints: [] } };
    const node = startShopNode({ shop: 'corner-shop', dataset, coordinator: new URL(url), stateDir: temporaryFolder(), logger: pino({ level: 'silent' }), once: true, fetch: tlsFetch(tls), openSocket: tlsSockets(tls) });
    onTestFinished(() => node.close());
    expect(await node.done).toMatchObject({ rounds: 1, ended: 'once' });
    const other = makeSelfCertificate({ names: ['localhost', '127.0.0.1'], now: new Date() });
    await expect(tlsFetch({ ca: other.cert })(`${url}/healthz`)).rejects.toThrow();
  });
});
