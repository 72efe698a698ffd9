/** Shops train a model of their own on all their shoppers, and report one clipped change each, over real sockets. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startShopNode, type ShopNode } from '../../client/shop/shop-node.ts';
import type { Coordinator } from '../../server/coordinator.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { Manifest } from '../../shared/federation/release.ts';
import { decodeTensors, type NamedTensors } from '../../shared/protocol/tensors.ts';
import { coordinatorFor } from '../server/support/coordinators.ts';
import { silent } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';
import { openWorkshop } from './processes.ts';

const items = 6;
const catalogue = createCatalogue(Array.from({ length: items }, (_, item) => ({ id: `item-${item}`, title: `thing ${item}` })));

/** Every shop has habits of its own: after one item comes the next, shop by shop another next. */
const datasetOf = (shop: number): Dataset => ({
  name: 'test', catalogue,
  shoppers: Array.from({ length: 6 }, (_, i) => ({ id: `shopper-${i}`, group: '', degree: 3 as const, history: historyOf([0, 1, 2].map((day) => ({ time: day, items: [(i + day * (1 + shop)) % items] }))) })),
  report: { lines: 0, used: 0, complaints: [] },
});

const fedadam = { kind: 'fedadam', learningRate: 0.01 };
const scaffold = { kind: 'scaffold', localSteps: 3 };

function taskOf(mode: 'none' | 'distributed', strategy: object, rounds: number): unknown {
  const shops = mode === 'none' ? 3 : 5;
  return {
    name: 'trial',
    model: { kind: 'sequence', hyperParameters: { architecture: 'two-tower', width: 4, positions: 4, optimiser: 'sgd', learningRate: 0.1, localEpochs: 1, batch: 4, dropout: 0 } },
    privacy: { mode, rounds, ...(mode === 'none' ? {} : { epsilon: 50, delta: 1e-5, clipNorm: 1, encoding: 'rotated', tolerated: 1, colluding: 1 }) },
    cohort: { minParticipants: shops, targetParticipants: shops, overSelection: 1 },
    deadlines: { recruitingMs: 20_000, trainingMs: 60_000 },
    unit: 'shop', strategy,
  };
}

interface Stage {
  readonly folder: string;
  coordinator(): Promise<Coordinator>;
  join(coordinator: Coordinator): ShopNode[];
}

function stage(task: unknown, shops: number): Stage {
  const folder = temporaryFolder();
  return {
    folder,
    coordinator: () => coordinatorFor({ task, dataDir: join(folder, 'coordinator'), catalogue }),
    join: ({ url }) => Array.from({ length: shops }, (_, shop) => {
      const node = startShopNode({ shop: `shop-${shop}`, dataset: datasetOf(shop), coordinator: new URL(url), stateDir: join(folder, 'shops'), logger: silent });
      onTestFinished(() => node.close());
      return node;
    }),
  };
}

interface Kept {
  readonly manifest: Manifest;
  readonly tensors: NamedTensors;
}

/** The releases in the data folder of a coordinator that was closed, oldest first. */
async function releasesIn({ folder }: Stage): Promise<Kept[]> {
  const dataDir = join(folder, 'coordinator');
  const storage = await openLibsqlStorage(dataDir);
  const releases = await storage.releases('trial', { before: 99, limit: 99 });
  await storage.close();
  const blobs = readdirSync(dataDir, { recursive: true, encoding: 'utf8' });
  return [...releases].reverse().map(({ manifest, sha256 }) => {
    const path = blobs.find((name) => name.endsWith(sha256));
    if (path === undefined) throw new Error(`expected a file of release ${sha256}, got none`);
    return { manifest, tensors: decodeTensors(readFileSync(join(dataDir, path))).tensors };
  });
}

const numbers = (tensors: NamedTensors, name: string): number[] => [...tensors[name].data];

/** The rows of items, which the statistic starts with. */
const weightsOf = ({ tensors }: Kept): number[] => numbers(tensors, 'items');

describe('a federation that trains locally', () => {
  it.each([['none', fedadam], ['none', scaffold], ['distributed', fedadam], ['distributed', scaffold]] as const)('in mode %s with %o goes through its rounds, each shop one contribution', async (mode, strategy) => {
    const shops = mode === 'none' ? 3 : 5;
    const parts = stage(taskOf(mode, strategy, 3), shops);
    const coordinator = await parts.coordinator();
    const nodes = parts.join(coordinator);
    expect(await coordinator.over).toMatchObject({ code: null });
    await Promise.all(nodes.map(({ done }) => done));
    await coordinator.close();
    const releases = await releasesIn(parts);
    expect(releases.map(({ manifest: { version, cohort, shoppers } }) => [version, cohort, shoppers])).toEqual([1, 2, 3].map((version) => [version, shops, shops]));
    expect(releases[2].manifest.privacy.unit).toBe('one whole shop');
    expect(weightsOf(releases[1])).not.toEqual(weightsOf(releases[0]));
    const states = Object.keys(releases[2].tensors).filter((name) => name.startsWith('strategy/'));
    expect(states).toEqual(strategy === fedadam ? ['strategy/momentum', 'strategy/secondMoment'] : ['strategy/control']);
    const controls = readdirSync(join(parts.folder, 'shops'), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('control-'));
    expect(controls.length).toBe(strategy === scaffold ? shops : 0);
    if (strategy !== scaffold || mode !== 'none') return;
    // Nothing was clipped and everybody took part: c is the mean of what shops keep to themselves.
    const owns = controls.map((name) => numbers(decodeTensors(readFileSync(join(parts.folder, 'shops', name))).tensors, 'own'));
    numbers(releases[2].tensors, 'strategy/control').forEach((c, i) => expect(c).toBeCloseTo(owns.reduce((sum, own) => sum + own[i], 0) / owns.length, 4));
  }, 120_000);

  it('goes on with the moments of the optimiser after a restart of the coordinator', async () => {
    const parts = stage(taskOf('none', fedadam, 4), 3);
    const first = await parts.coordinator();
    const nodes = parts.join(first);
    await new Promise<void>((resolve) => nodes[0].onEvent((event) => event.kind === 'round-done' && event.version >= 2 && resolve()));
    await first.close();
    await Promise.all(nodes.map((node) => node.close()));
    const before = (await releasesIn(parts)).length;
    const second = await parts.coordinator();
    parts.join(second);
    expect(await second.over).toMatchObject({ code: null });
    await second.close();
    const releases = await releasesIn(parts);
    expect([before < 4, releases.length]).toEqual([true, 4]);
    for (let round = 1; round < 4; round += 1) {
      const [older, newer] = [releases[round - 1], releases[round]];
      const [momentum, secondMoment, previous] = [numbers(newer.tensors, 'strategy/momentum'), numbers(newer.tensors, 'strategy/secondMoment'), numbers(older.tensors, 'strategy/secondMoment')];
      const [from, to] = [weightsOf(older), weightsOf(newer)];
      from.forEach((weight, i) => {
        const d = momentum[i];
        expect(secondMoment[i]).toBeCloseTo(0.99 * previous[i] + 0.01 * d * d, 7);
        expect(to[i] - weight).toBeCloseTo((0.01 * d) / (Math.sqrt(secondMoment[i]) + 1e-3), 5);
      });
      // Moments that had started anew would all be near (1e-3)^2 again.
      expect(secondMoment.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(previous.reduce((sum, value) => sum + 0.98 * value, 0));
    }
  }, 120_000);
});

describe('cesta serve', () => {
  it('is told unit, strategy and weights by flags, and refuses what its model cannot do', async () => {
    const shop = openWorkshop();
    onTestFinished(() => shop.close());
    const serve = (...args: string[]) => shop.run(['serve', '--json', '--port', '0', '--data-dir', join(shop.folder, args[1]), '--unit', 'shop', '--strategy', 'fedadam', '--server-rate', '.01', '--weighted-up-to', '200', ...args]);
    const [, url] = await serve('--model', 'sequence', '--clip-norm', '1', '--rounds', '9').until(/"url":"([^"]+)"/);
    expect(await (await fetch(`${url}/v1/budget`)).json()).toMatchObject({ unit: 'one whole shop', mode: 'distributed', roundsLeft: 9 });
    const refused = serve('--model', 'neighbours');
    expect(await refused.ended).not.toBe(0);
    expect(refused.stdout() + refused.stderr()).toContain('unit: expected shopper for neighbours');
  }, 60_000);
});
