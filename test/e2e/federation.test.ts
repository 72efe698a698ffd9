import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCesta } from '../../client/storefront/cesta.ts';
import { lastingPort } from '../../scripts/ports.ts';
import { decodeTensors } from '../../shared/protocol/tensors.ts';
import { eventsCsv, openWorkshop, type Running, type Workshop } from './processes.ts';

let shop: Workshop;
beforeEach(() => {
  shop = openWorkshop();
});
afterEach(() => shop.close());

async function serve(...args: string[]): Promise<{ url: string; process: Running }> {
  const process = shop.run(['serve', '--mode', 'local', '--json', '--port', '0', '--gather-seconds', '20', '--epsilon', '50', ...args]);
  const [, url] = await process.until(/"url":"([^"]+)"/);
  return { url, process };
}

function join(name: string, index: number, url: string, ...args: string[]): Running {
  return shop.run(['join', '--shop', name, '--data', shop.file(`${name}.csv`, eventsCsv(index)), '--coordinator', url, '--state-dir', `${shop.folder}/state`, '--max-epsilon', '100', '--json', ...args]);
}

const lastLine = (running: Running): unknown => JSON.parse(running.stdout().trim().split('\n').at(-1) ?? '');

/** The manifest of a release file, unverified. */
function openManifest(bytes: ArrayBuffer): { version: number; nextClipNorm: number } {
  const { metadata } = decodeTensors(new Uint8Array(bytes));
  return JSON.parse(metadata['manifest']) as { version: number; nextClipNorm: number };
}

// Up to five processes a test, each of which loads all that it runs.
const patience = { timeout: 240_000 };

describe('a federation of processes over real sockets', patience, () => {
  it('trains, releases, and a storefront ranks with reasons; every shop ends with code 0', async () => {
    const { url, process } = await serve('--shops', '3', '--min-shops', '2', '--over-selection', '1');
    const shops = [0, 1, 2].map((index) => join(`shop-${index}`, index, url, '--once'));
    expect(await Promise.all(shops.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    expect(lastLine(shops[0])).toMatchObject({ shop: 'shop-0', shoppers: 12, rounds: 1 });

    const first = await fetch(`${url}/v1/model`);
    expect(first.status).toBe(200);
    const again = await fetch(`${url}/v1/model`, { headers: { 'If-None-Match': first.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);

    const cesta = createCesta({ url, defaultDegree: 1 });
    await cesta.ready;
    expect(cesta.release).toMatchObject({ version: 1, cohort: 3, privacy: { mode: 'local', delta: 1e-5 } });
    cesta.track('purchase', [{ item_id: 'sku-0' }]);
    const shelf = cesta.recommend({ limit: 4 });
    expect(shelf).toHaveLength(4);
    expect(shelf.map(({ item_id }) => item_id)).not.toContain('sku-0');
    expect(shelf.filter(({ source }) => source === 'personal').every(({ because }) => because[0].item_id === 'sku-0')).toBe(true);
    expect(shelf.some(({ source }) => source === 'personal')).toBe(true);

    const budget = shop.run(['budget', url, '--json']);
    expect(await budget.ended).toBe(0);
    expect(lastLine(budget)).toMatchObject({ epsilonLimit: 50, roundsCharged: 1, roundsLeft: 0 });

    process.kill('SIGTERM');
    expect(await process.ended).toBe(0);
  });

  it('trains over rounds with secret samples, rotated deltas and a clip norm that adapts, and stops when the budget is spent', async () => {
    const { url } = await serve('--model', 'als', '--hyper-parameters', '{"factors":4}', '--rounds', '3', '--sampling', '0.9', '--encoding', 'rotated', '--adaptive-clip', '36', '--clip-norm', '0.5', '--shops', '3', '--min-shops', '2', '--over-selection', '1');
    const shops = [0, 1, 2].map((index) => join(`shop-${index}`, index, url));
    expect(await Promise.all(shops.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    expect(lastLine(shops[0])).toMatchObject({ rounds: 3 });
    const manifests = await Promise.all([1, 2, 3].map(async (version) => openManifest(await (await fetch(`${url}/v1/model/${version}`)).arrayBuffer())));
    expect(manifests.map(({ version }) => version)).toEqual([1, 2, 3]);
    // Contributions are longer than the first clip norm: it grows.
    expect(manifests[2].nextClipNorm).toBeGreaterThan(0.5);
    const budget = shop.run(['budget', url, '--json']);
    expect(await budget.ended).toBe(0);
    const report = lastLine(budget) as { epsilonSpent: number; filterUsed: number };
    expect(report).toMatchObject({ state: 'exhausted', roundsCharged: 3, roundsLeft: 0, shopsPerShopper: 2 });
    expect(report.epsilonSpent).toBeLessThanOrEqual(50);
    expect(report.filterUsed).toBeGreaterThan(0.99);
  });

  it('releases without a shop that was killed in the middle', async () => {
    const { url } = await serve('--shops', '3', '--min-shops', '2', '--over-selection', '1', '--gather-seconds', '3');
    const doomed = join('doomed', 0, url);
    await doomed.until(/ready|joined|connected/i);
    doomed.kill('SIGKILL');
    const others = [1, 2].map((index) => join(`shop-${index}`, index, url, '--once'));
    expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([0, 0]);
    expect((await fetch(`${url}/v1/model`)).status).toBe(200);
  });

  it('counts popularity first where the catalogue has no text, then pairs, under one promise', async () => {
    const { url } = await serve('--shops', '2', '--min-shops', '2', '--over-selection', '1');
    const lines = Array.from({ length: 1200 }, (_, line) => `shopper-${line % 40},item-${(line * 7) % 500},2026-01-${String(1 + (line % 28)).padStart(2, '0')}`);
    const data = shop.file('untitled.csv', ['shopper_id,item_id,timestamp', ...lines].join('\n'));
    const shops = ['one', 'two'].map((name) => shop.run(['join', '--shop', name, '--data', data, '--coordinator', url, '--state-dir', `${shop.folder}/state`, '--max-epsilon', '100', '--json']));
    expect(await Promise.all(shops.map(({ ended }) => ended))).toEqual([0, 0]);
    const { rounds } = (await (await fetch(`${url}/v1/rounds`)).json()) as { rounds: { state: string; plan: { model: { kind: string; hyperParameters: { topItems?: number[] } }; baseRelease: string | null } }[] };
    expect(rounds.map(({ state, plan }) => [state, plan.model.kind, plan.model.hyperParameters.topItems?.length, plan.baseRelease])).toEqual([
      ['done', 'popularity', undefined, null],
      ['done', 'neighbours', 447, null],
    ]);
    const budget = (await (await fetch(`${url}/v1/budget`)).json()) as { epsilonSpent: number; roundsLeft: number };
    expect(budget.roundsLeft).toBe(0);
    expect(budget.epsilonSpent).toBeLessThanOrEqual(50);
    const cesta = createCesta({ url, defaultDegree: 1 });
    await cesta.ready;
    expect(cesta.release).toMatchObject({ version: 2, kind: 'neighbours' });
  });

  it('survives a coordinator that goes away: the shop says so, comes back and finishes', async () => {
    const dataDir = `${shop.folder}/coordinator`;
    const port = String(await lastingPort());
    const first = await serve('--shops', '2', '--min-shops', '2', '--over-selection', '1', '--data-dir', dataDir, '--port', port);
    const waiting = join('patient', 0, first.url, '--once');
    await waiting.until(/ready|joined|connected/i);
    first.process.kill('SIGKILL');
    await waiting.until(/network\.unreachable|went away|gone|lost|away/i);
    const second = shop.run(['serve', '--mode', 'local', '--json', '--port', port, '--shops', '2', '--min-shops', '2', '--over-selection', '1', '--epsilon', '50', '--data-dir', dataDir]);
    await second.until(/"url"/);
    const other = join('other', 1, first.url, '--once');
    expect(await Promise.all([waiting.ended, other.ended])).toEqual([0, 0]);
  });

  it('refuses a second shop of the same name with another key, and the first goes on', async () => {
    const { url } = await serve('--shops', '2', '--min-shops', '2', '--over-selection', '1');
    const original = join('corner', 0, url, '--once');
    await original.until(/ready|joined|connected/i);
    const impostor = shop.run(['join', '--shop', 'corner', '--data', shop.file('impostor.csv', eventsCsv(1)), '--coordinator', url, '--state-dir', `${shop.folder}/elsewhere`, '--json']);
    expect(await impostor.ended).toBe(1);
    expect(impostor.stderr()).toContain('node.name-taken');
    const other = join('other', 1, url, '--once');
    expect(await Promise.all([original.ended, other.ended])).toEqual([0, 0]);
  });
});

describe('bad input on the command line', patience, () => {
  async function failure(args: readonly string[]): Promise<{ code: number | null; stderr: string; stdout: string }> {
    const running = shop.run(args);
    return { code: await running.ended, stderr: running.stderr(), stdout: running.stdout() };
  }

  it('is a usage error with exit code 2 for an unknown verb, option or value', async () => {
    for (const args of [['no-such-verb'], ['evaluate', '--data', 'online-retail', '--model', 'popularity', '--epsilon', '0'], ['evaluate', '--nonsense'], ['serve', '--port', '99999'], ['join', '--shop', 'x']]) {
      const { code, stderr, stdout } = await failure(args);
      expect({ args, code }).toEqual({ args, code: 2 });
      expect(stderr).toMatch(/error/);
      expect(stdout).toBe('');
    }
  });

  it('is a coded failure with exit code 1 for a missing, damaged or foreign file and an unknown model', async () => {
    const damaged = shop.file('orders.csv.gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3));
    const foreign = shop.file('other.csv', 'name,colour\nmug,red\n');
    for (const [args, expected] of [
      [['evaluate', '--data', 'no-such-file.csv', '--model', 'popularity'], 'data.not-found'],
      [['evaluate', '--data', damaged, '--model', 'popularity'], 'data.unreadable'],
      [['evaluate', '--data', foreign, '--model', 'popularity'], 'data.missing-column'],
      [['evaluate', '--data', 'online-retail', '--model', 'oracle'], 'model.unknown'],
    ] as const) {
      const { code, stderr, stdout } = await failure([...args, '--json']);
      expect({ expected, code }).toEqual({ expected, code: 1 });
      expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ error: { code: expected } });
      expect(stdout).toBe('');
    }
  });

  it('is a coded failure for a port in use, for a mode that a coordinator refuses and for too few shops to mask', async () => {
    const { url } = await serve('--shops', '2');
    const port = new URL(url).port;
    const second = await failure(['serve', '--port', port, '--data-dir', `${shop.folder}/second`, '--json']);
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toContain('network.port-in-use');
    const central = await failure(['serve', '--port', '0', '--mode', 'central', '--data-dir', `${shop.folder}/third`, '--json']);
    expect(central).toMatchObject({ code: 1 });
    expect(central.stderr).toContain('privacy.mode-unavailable');
    const pair = await failure(['serve', '--port', '0', '--shops', '2', '--data-dir', `${shop.folder}/fourth`, '--json']);
    expect(pair).toMatchObject({ code: 1 });
    expect(pair.stderr).toContain('expected at least 4 in mode distributed');
  });

  it('is told by doctor with line numbers', async () => {
    const file = shop.file('messy.csv', `${eventsCsv(0)}\npurchase,,shopper-1,2026-01-01T00:00:00Z,x\npurchase,sku-1,shopper-1,yesterday,x`);
    const doctor = shop.run(['doctor', file, '--json']);
    expect(await doctor.ended).toBe(0);
    const text = JSON.stringify(lastLine(doctor));
    expect(text).toContain('50');
    expect(text).toContain('51');
  });
});
