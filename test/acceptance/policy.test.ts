/** The policy file, and the records made of the configuration. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventsCsv, openWorkshop, type Workshop } from '../e2e/processes.ts';
import { readDataset } from '../../client/shop/read-data.ts';
import { startShopNode } from '../../client/shop/shop-node.ts';
import { coordinatorFor, takePart } from '../server/support/coordinators.ts';
import { silent, taskInput } from '../server/support/fixtures.ts';
import { connectShop, shopNamed } from '../server/support/test-client.ts';
import { parsePolicy } from '../../shared/policy/policy.ts';

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.close());

const within = { mode: 'local', model: 'popularity', epsilon: 2, shops: 6, minShops: 5, port: 0, jurisdiction: 'gdpr', processor: ['host:runs the server:DE'] };
const lines = 'max-epsilon 3\nmin-cohort 5\nallowed-mode distributed,local\nallowed-processor host\njurisdiction gdpr\nbanned-category alcohol\n';
const products = 'id,title,category,price\nwine,red wine,Drinks > Alcohol,5\ntea,green tea,Drinks,2\nmug,blue mug,Kitchen,3\n';

async function serve(settings: object, policy: string, ...more: string[]) {
  const run = workshop.run(['serve', '--json', '--config', workshop.file('cesta.json', JSON.stringify(settings)), '--policy', workshop.file('cesta.policy', policy), ...more]);
  const started = await run.until(/"url":"([^"]+)"|error policy|"error":\{.*\}/);
  return { run, url: started[1] as string | undefined };
}

describe('capability 24: a policy file', () => {
  it('capability 24: a coordinator outside of its policy does not start, and names the line and the reason', async () => {
    for (const [change, reason] of [[{ epsilon: 8 }, 'cesta.policy:1: max-epsilon: expected at most 3 epsilon, got 8'], [{ minShops: 4 }, 'cesta.policy:2: min-cohort: expected sums of at least 5 participants, got 4'], [{ processor: ['cloud:backup:US'] }, 'cesta.policy:4: allowed-processor: expected none but host, got cloud']] as const) {
      const { run, url } = await serve({ ...within, ...change }, lines);
      expect([url, await run.ended]).toEqual([undefined, 1]);
      expect(JSON.parse(run.stderr().trim().split('\n').at(-1) ?? '')).toMatchObject({ error: { code: 'policy.violated', message: expect.stringContaining(reason) as string } });
    }
    const unknown = await serve(within, 'max-epsilon 3\nmax-fun 1\n');
    expect([await unknown.run.ended, unknown.run.stderr()]).toEqual([1, expect.stringContaining('cesta.policy:2')]);
    expect(unknown.run.stderr()).toContain('config.invalid');
  }, 120_000);

  it('capability 24: one within it starts, and no product of a banned category is in its catalogue', async () => {
    const { url, run } = await serve(within, lines, '--catalogue', workshop.file('products.csv', products));
    const served = (await (await fetch(`${url}/v1/catalogue`)).json()) as { id: string }[];
    expect(served.map(({ id }) => id)).toEqual(['mug', 'tea']);
    run.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    const priced = await serve(within, `${lines}banned-field price\n`, '--catalogue', workshop.file('products.csv', products));
    expect([await priced.run.ended, priced.run.stderr()]).toEqual([1, expect.stringContaining('cesta.policy:7: banned-field: expected no product with price')]);
  }, 120_000);

  it('capability 24: an operator cannot make a task outside of it either', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ mode: 'local', min: 5, target: 6 }), policy: parsePolicy('cesta.policy', lines) });
    await expect(coordinator.tasks.create(taskInput({ name: 'second', mode: 'none' }))).rejects.toMatchObject({ code: 'policy.violated' });
    await expect(coordinator.tasks.create(taskInput({ name: 'third', mode: 'local', min: 5, target: 6 }))).resolves.toMatchObject({ name: 'third' });
  });

  it('capability 24: a shop node outside of its policy does not start', async () => {
    const data = workshop.file('orders.csv', eventsCsv(1));
    const join = async (policy: string, ...more: string[]) => {
      const run = workshop.run(['join', '--json', '--shop', 'corner', '--coordinator', 'http://127.0.0.1:9', '--data', data, '--policy', workshop.file('shop.policy', policy), ...more]);
      return { code: await run.ended, said: run.stderr() };
    };
    expect(await join('max-epsilon 3\n')).toEqual({ code: 1, said: expect.stringContaining('shop.policy:1: max-epsilon: expected at most 3 epsilon, got 10') as string });
    expect(await join('\nmax-retention-days 365\n', '--retention-days', '366')).toEqual({ code: 1, said: expect.stringContaining('shop.policy:2: max-retention-days: expected at most 365 days of retention, got 366') as string });
    expect(await join('max-epsilon 3\n', '--max-epsilon', '3', '--unprotected')).toEqual({ code: 1, said: expect.stringContaining('got no limit') as string });
  }, 120_000);

  it('capability 24: what shops publish of a banned category is in no catalogue, and a shop declines what its policy does not allow', async () => {
    const coordinator = await coordinatorFor({ open: true, task: taskInput({ mode: 'local', target: 3 }), policy: parsePolicy('cesta.policy', 'banned-category alcohol\nbanned-field price\n') });
    const published = [{ id: 'wine', title: 'red wine', category: 'Alcohol', price: 5 }, { id: 'tea', title: 'green tea', price: 2 }];
    const dataset = await readDataset(workshop.file('orders.csv', eventsCsv(1)));
    const node = startShopNode({ shop: 'strict', dataset, coordinator: new URL(coordinator.url), stateDir: `${workshop.folder}/shops`, logger: silent, policy: parsePolicy('shop.policy', 'min-cohort 5\n') });
    const declined = new Promise((resolve) => node.onEvent((event) => void (event.kind === 'declined' && resolve(event))));
    const clients = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name), { products: published })).client));
    await Promise.all(clients.map((client) => takePart(client)));
    const served = (await (await fetch(`${coordinator.url}/v1/catalogue`)).json()) as { id: string }[];
    expect(served.filter(({ id }) => !id.startsWith('sku'))).toEqual([{ id: 'tea', title: 'green tea' }]);
    expect(await declined).toMatchObject({ code: 'policy.violated', message: expect.stringContaining('shop.policy:1: min-cohort: expected sums of at least 5 participants, got 2') as string });
    await node.close();
  });
});
