import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nothingButShoppers } from '../server/support/coordinators.ts';
import { connectShop, joinRound, reportUpdate, shopNamed, type TestClient } from '../server/support/test-client.ts';
import { openWorkshop, type Running, type Workshop } from './processes.ts';

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.close());

const settings = { mode: 'local', model: 'popularity', shops: 2, minShops: 2, overSelection: 1, epsilon: 50, maxShoppers: 100, host: '127.0.0.1', port: 0 };
const products = ['apple', 'bread', 'cheese'].map((id) => ({ id, title: `some ${id}` }));

async function inARound(...args: string[]): Promise<{ process: Running; url: string; clients: TestClient[] }> {
  const process = workshop.run(['serve', '--json', '--config', workshop.file('cesta.json', JSON.stringify(settings)), ...args]);
  const [, url] = await process.until(/"url":"([^"]+)"/);
  const clients = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(url, shopNamed(name), { products })).client));
  return { process, url, clients };
}

describe('cesta serve', () => {
  it('prints what is in force and who said so, and does nothing', async () => {
    const file = workshop.file('cesta.json', JSON.stringify({ shops: 6, database: 'postgres://cesta:s3cret@127.0.0.1/cesta' }));
    const run = workshop.run(['serve', '--print-config', '--config', file, '--epsilon', '1']);
    expect(await run.ended).toBe(0);
    expect(run.stdout()).not.toContain('s3cret');
    expect(JSON.parse(run.stdout())).toMatchObject({ epsilon: { value: 1, source: 'flag --epsilon' }, shops: { value: 6, source: `file ${file}` }, port: { value: 8787, source: 'default' } });
    const typo = workshop.run(['serve', '--print-config', '--config', workshop.file('typo.json', '{"shop":1}')]);
    expect(await typo.ended).toBe(1);
    expect(typo.stderr()).toContain('config.invalid');
  });

  it('lets the round that is open end in a release when it is told to stop, and ends with code 0', async () => {
    const { process, clients } = await inARound();
    const plans = await Promise.all(clients.map(joinRound));
    process.kill('SIGTERM');
    await process.until(/coordinator drains/);
    await Promise.all(clients.map((client, i) => reportUpdate(client, plans[i], nothingButShoppers(plans[i]))));
    expect(await clients[0].next('round-done')).toMatchObject({ version: 1 });
    expect(await process.ended).toBe(0);
    expect(await clients[0].closed).toBe(1001);
    const line = process.stderr().split('\n').find((text) => text.includes('"msg":"configuration"')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ config: { shops: { value: 2 } } });
  });

  it('is stopped at once by a second signal, in good order', async () => {
    const { process, clients } = await inARound('--drain-seconds', '3600');
    await Promise.all(clients.map(joinRound));
    await clients[0].next('train');
    process.kill('SIGTERM');
    await process.until(/coordinator drains/);
    process.kill('SIGTERM');
    expect(await clients[0].next('round-failed')).toMatchObject({ code: 'round.failed' });
    expect(await process.ended).toBe(0);
  });
});
