import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventsCsv, openWorkshop, type Running, type Workshop } from './processes.ts';

let shop: Workshop;
beforeEach(() => {
  shop = openWorkshop();
});
afterEach(() => shop.close());

const lastLine = (running: Running): unknown => JSON.parse(running.stdout().trim().split('\n').at(-1) ?? '');

describe('verify and witness on the command line', () => {
  it('vouch for a round whose shops asked for a witness', async () => {
    const keyOf = shop.run(['witness', 'http://unused', '--name', 'auditor', '--state-dir', `${shop.folder}/witnesses`, '--show-key']);
    expect(await keyOf.ended).toBe(0);
    const identity = keyOf.stdout().trim();
    expect(identity).toMatch(/^auditor=[0-9a-f]{64}$/);
    const serve = shop.run(['serve', '--mode', 'local', '--json', '--port', '0', '--epsilon', '50', '--shops', '2', '--witness', identity, '--quorum', '1', '--witness-seconds', '200']);
    const [, url] = await serve.until(/"url":"([^"]+)"/);
    const witness = shop.run(['witness', url, '--name', 'auditor', '--state-dir', `${shop.folder}/witnesses`, '--every', '0.2', '--json']);
    const shops = [0, 1].map((index) => shop.run([
      'join', '--shop', `shop-${index}`, '--data', shop.file(`shop-${index}.csv`, eventsCsv(index)), '--coordinator', url, '--state-dir', `${shop.folder}/state`, '--max-epsilon', '100', '--once', '--json',
      '--witnesses', identity, '--quorum', '1',
    ]));
    expect(await Promise.all(shops.map(({ ended }) => ended))).toEqual([0, 0]);
    await witness.until(/"size":5,/);
    const verify = shop.run(['verify', url, '--json']);
    expect(await verify.ended).toBe(0);
    expect(lastLine(verify)).toMatchObject({ size: 5, cosignedBy: ['auditor'], findings: [], tasks: [{ task: 'main', plans: 1, charged: 1, released: 1, delta: 1e-5 }] });
  }, 240_000);

  it('refuse keys that are none, and quorums that nobody could meet', async () => {
    const failures: [string[], number, string][] = [
      [['serve', '--mode', 'local', '--witness', `two words=${'ab'.repeat(32)}`], 2, 'Expected NAME=KEY'],
      [['serve', '--mode', 'local', '--port', '0', '--quorum', '1'], 1, 'config.invalid'],
      [['verify', 'http://127.0.0.1:1'], 1, 'network.unreachable'],
      [['witness', 'http://127.0.0.1:1', '--once'], 1, 'network.unreachable'],
      [['witness', 'http://127.0.0.1:1', '--name', '../up', '--once'], 1, 'config.invalid'],
    ];
    await Promise.all(failures.map(async ([args, code, text]) => {
      const running = shop.run(args);
      expect([args, await running.ended]).toEqual([args, code]);
      expect(running.stderr()).toContain(text);
    }));
  }, 240_000);
});
