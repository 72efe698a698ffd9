import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../scripts/cli/config/layers.ts';
import { serveSettings, type ServeConfig } from '../../scripts/cli/config/serve-settings.ts';
import { createProgram } from '../../scripts/cli/main.ts';
import { transportOf } from '../../scripts/cli/serve-transport.ts';
import { codeOf } from '../client/fakes.ts';
import { temporaryFolder } from '../server/support/folders.ts';
import { pem, tlsFile } from '../server/support/tls.ts';

const configOf = (flags: Record<string, unknown>): ServeConfig => resolveSettings(serveSettings, { flags, env: {}, file: undefined, otherVariables: [] }).config;
const certificate = (flags: Record<string, unknown>) => ({ tlsCert: tlsFile('server.crt'), tlsKey: tlsFile('server.key'), ...flags });

describe('the transport of serve', () => {
  it('takes a certificate of one\'s own for this machine, the address and every name that is given', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const flags = { tlsSelf: true, tlsName: ['cesta.example.org'], host: '10.0.0.1', dataDir };
    const { tls, selfMade, identity } = await transportOf(configOf(flags));
    const read = new X509Certificate(tls?.cert ?? '');
    for (const name of ['localhost', 'cesta.example.org']) expect(read.checkHost(name)).toBe(name);
    for (const address of ['127.0.0.1', '::1', '10.0.0.1']) expect([address, read.checkIP(address)]).not.toEqual([address, undefined]);
    expect(selfMade).toMatchObject({ certPath: join(dataDir, 'tls.crt'), fingerprint: read.fingerprint256, isNew: true });
    expect(identity?.enrolment).toBe('required');
    expect((await transportOf(configOf(flags))).selfMade).toMatchObject({ fingerprint: read.fingerprint256, isNew: false });
  });

  it('asks for client certificates over either kind', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    for (const flags of [certificate({}), { tlsSelf: true, dataDir }]) {
      expect((await transportOf(configOf({ ...flags, tlsClientCa: tlsFile('ca.crt') }))).tls?.clientCa).toBe(pem('ca.crt'));
    }
  });

  it('refuses what contradicts itself', async () => {
    for (const flags of [certificate({ tlsSelf: true }), { tlsName: ['cesta.example.org'] }, { tlsKey: tlsFile('server.key') }, { tlsClientCa: tlsFile('ca.crt') }]) {
      expect([flags, await codeOf(() => transportOf(configOf(flags)))]).toEqual([flags, 'usage.invalid']);
    }
    const serve = ['node', 'cesta', 'serve', '--port', '0', '--log-level', 'silent', '--data-dir', temporaryFolder()];
    expect(await codeOf(() => createProgram().parseAsync([...serve, '--cors-origin', '*', '--cors-origin', 'https://shop.example']))).toBe('config.invalid');
  });

  it('takes origins as browsers name them', async () => {
    expect(configOf({ corsOrigin: ['https://shop.example', 'http://localhost:3000'] }).corsOrigin).toEqual(['https://shop.example', 'http://localhost:3000']);
    for (const origin of ['shop.example', 'https://shop.example/', 'https://shop.example/path', 'file:///x', 'null']) expect([origin, await codeOf(() => configOf({ corsOrigin: [origin] }))]).toEqual([origin, 'usage.invalid']);
  });
});
