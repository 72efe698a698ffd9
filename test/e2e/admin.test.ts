/** The operator's verbs as processes: what the first start prints, where it does not, and exit codes. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { codeOf } from '../server/support/codes.ts';
import { openWorkshop, type Running, type Workshop } from './processes.ts';

let shop: Workshop;
beforeEach(() => {
  shop = openWorkshop();
  vi.stubEnv('CESTA_HOME', `${shop.folder}/home`);
  vi.stubEnv('CESTA_LOG_LEVEL', 'trace');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await shop.close();
});

/** Of the next step, which counts already: starting a process may take long. */
const codeSoon = (otpauth: string): string => codeOf(otpauth, Date.now() + 30_000);

const resultOf = async (running: Running): Promise<unknown> => {
  expect([await running.ended, running.stderr()]).toEqual([0, '']);
  return JSON.parse(running.stdout());
};

describe('the first operator', () => {
  it('is shown by serve, once and on the terminal alone, and acts from another process', async () => {
    const options = ['serve', '--mode', 'local', '--json', '--port', '0', '--data-dir', `${shop.folder}/data`];
    const serve = shop.run(options);
    const [line] = await serve.until(/\{"url".*\}\n/);
    const { url, firstOperator: { token, otpauth } } = JSON.parse(line) as { url: string; firstOperator: { token: string; otpauth: string } };
    const file = shop.file('token', token);
    expect(await resultOf(shop.run(['login', url, '--token-file', file, '--code', codeSoon(otpauth), '--json']))).toMatchObject({ operator: 'admin' });
    expect(await resultOf(shop.run(['nodes', '--json']))).toEqual({ nodes: [] });
    const refused = shop.run(['login', url, '--token-file', file, '--code', '12345', '--json']);
    const unasked = shop.run(['login', url, '--token-file', file]);
    expect([await refused.ended, await unasked.ended]).toEqual([1, 2]);
    expect(refused.stderr()).toContain('admin.unauthorised');
    serve.kill('SIGTERM');
    expect(await serve.ended).toBe(0);
    expect(serve.stderr()).toContain('session.open');
    expect(serve.stderr()).not.toContain(token);
    const again = shop.run(options);
    const [secondLine] = await again.until(/\{"url".*\}\n/);
    expect(JSON.parse(secondLine)).not.toHaveProperty('firstOperator');
  }, 240_000);
});
