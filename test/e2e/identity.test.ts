/** The verbs of identity as an operator and a shop run them: real processes, TLS, one folder. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsFile } from '../server/support/tls.ts';
import { eventsCsv, openWorkshop, type Workshop } from './processes.ts';

let workshop: Workshop;
beforeAll(() => (workshop = openWorkshop()));
afterAll(() => workshop.close());

const tls = ['--tls-ca', tlsFile('ca.crt')];

async function done(args: readonly string[]): Promise<Record<string, unknown>> {
  const running = workshop.run([...args, '--json']);
  const code = await running.ended;
  if (code !== 0) throw new Error(`${args[0]}: ${running.stderr()}`);
  return JSON.parse(running.stdout()) as Record<string, unknown>;
}

async function failed(args: readonly string[]): Promise<string> {
  const running = workshop.run([...args, '--json']);
  await running.ended;
  return /"code":"([a-z.-]+)"/.exec(running.stderr().split('\n').filter((line) => line.includes('"error":')).at(-1) ?? '')?.[1] ?? running.stderr();
}

describe('the verbs of identity', () => {
  it('take a shop from a token through a round to its revocation', async () => {
    const serve = workshop.run(['serve', '--mode', 'local', '--shops', '1', '--min-shops', '1', '--port', '0', '--enrolment', 'required', '--json', '--tls-cert', tlsFile('server.crt'), '--tls-key', tlsFile('server.key')]);
    const url = (await serve.until(/"url":"(https:[^"]+)"/))[1];
    const data = workshop.file('orders.csv', eventsCsv(1));
    const join = ['join', '--shop', 'corner', '--data', data, '--coordinator', url, '--once', ...tls];
    const key = await done(['keys', '--shop', 'corner']);
    expect(key).toMatchObject({ shop: 'corner', certificate: null, coordinatorKey: null });
    expect(await failed(join)).toBe('enrolment.required');
    const { token } = await done(['token', '--coordinator', url, '--organisation', 'corner-ltd', ...tls]);
    const enrolment = ['enrol', url, '--token', String(token), '--shop', 'corner', ...tls];
    expect(await done(enrolment)).toMatchObject({ node: key['publicKey'], shop: 'corner', organisation: 'corner-ltd' });
    const rotated = await done(['keys', 'rotate', '--shop', 'corner', '--coordinator', url, ...tls]);
    expect(rotated['from']).toBe(key['publicKey']);
    expect(await done(join)).toMatchObject({ shop: 'corner', rounds: 1 });
    expect(await done(['revoke', '--coordinator', url, '--shop', 'corner', '--reason', 'retired', ...tls])).toMatchObject({ node: rotated['to'], reason: 'retired' });
    expect(await failed(join)).toBe('node.revoked');
    serve.kill('SIGTERM');
    expect(await serve.ended).toBe(0);
  }, 180_000);
});
