import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../scripts/cli/main.ts';
import { codeOf } from '../client/fakes.ts';
import { eventsCsv } from '../e2e/processes.ts';
import { temporaryFolder } from '../server/support/folders.ts';
import { tlsFile } from '../server/support/tls.ts';

const refusalOf = (...args: string[]) => codeOf(() => createProgram().parseAsync(['node', 'cesta', ...args]));

describe('the verbs of identity', () => {
  it('refuse to serve others in the clear, half a pair of TLS files, and files that are not there', async () => {
    const serve = ['serve', '--port', '0', '--data-dir', temporaryFolder()];
    expect(await refusalOf(...serve, '--host', '0.0.0.0')).toBe('transport.insecure');
    expect(await refusalOf(...serve, '--tls-cert', tlsFile('server.crt'))).toBe('usage.invalid');
    expect(await refusalOf(...serve, '--tls-client-ca', tlsFile('ca.crt'))).toBe('usage.invalid');
    expect(await refusalOf(...serve, '--tls-cert', 'nowhere', '--tls-key', 'nowhere')).toBe('data.not-found');
  });

  it('refuse to join in the clear beyond this machine, and half a pair of TLS files', async () => {
    const data = join(temporaryFolder(), 'orders.csv');
    writeFileSync(data, eventsCsv(1));
    const verb = ['join', '--shop', 'corner', '--data', data, '--state-dir', temporaryFolder(), '--coordinator'];
    expect(await refusalOf(...verb, 'http://cesta.example.org')).toBe('transport.insecure');
    expect(await refusalOf(...verb, 'https://localhost:1', '--tls-cert', tlsFile('client.crt'))).toBe('config.invalid');
  });

  it('say what is missing', async () => {
    const folder = temporaryFolder();
    expect(await refusalOf('revoke', '--coordinator', 'http://127.0.0.1:1', '--reason', 'retired')).toBe('usage.invalid');
    expect(await refusalOf('revoke', '--coordinator', 'http://127.0.0.1:1', '--reason', 'retired', '--shop', 'a', '--node', '0'.repeat(64))).toBe('usage.invalid');
    expect(await refusalOf('keys', 'rotate', '--shop', 'other', '--state-dir', folder)).toBe('usage.invalid');
    expect(await refusalOf('token', '--coordinator', 'http://127.0.0.1:1', '--organisation', 'x', '--data-dir', folder)).toBe('storage.failed');
    expect(await refusalOf('enrol', 'http://127.0.0.1:1', '--token', 'short', '--shop', 'a', '--state-dir', folder)).toBe('enrolment.token-invalid');
    expect(await refusalOf('enrol', 'http://127.0.0.1:1', '--token', '0'.repeat(64), '--shop', 'a', '--state-dir', folder)).toBe('network.unreachable');
  });
});
