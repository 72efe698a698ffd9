import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeFiles, hashCode, hashData, runId } from '../../../scripts/experiment/hashes.ts';
import { parseScenario, type ScenarioInput } from '../../../shared/simulation/scenario.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'cesta-hashes-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string): string => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

describe('the id of a run', () => {
  const id = (input: ScenarioInput = {}, code = 'c', data = 'd'): string => runId(parseScenario(input), code, data);

  it('is the same however the scenario is written', () => {
    expect(id()).toMatch(/^[0-9a-f]{64}$/);
    expect(id({ seed: 1, model: 'neighbours' })).toBe(id({ model: { hyperParameters: {}, kind: 'neighbours' }, rounds: 1 }));
  });

  it('changes with the code and with the data', () => {
    expect(id()).not.toBe(id({}, 'c', 'e'));
    expect(id()).not.toBe(id({}, 'e', 'd'));
  });

  it('changes with every field of the scenario', () => {
    const others: readonly ScenarioInput[] = [
      {}, { data: 'other' }, { protocol: 'validation' }, { model: 'als' }, { model: { kind: 'als', hyperParameters: { factors: 3 } } }, { population: { shops: 19 } }, { population: { shoppers: 9 } },
      { population: { partition: 'country' } }, { population: { partition: { dirichlet: 1 } } }, { population: { sizes: 'zipf' } }, { clients: { are: 'shoppers' } }, { clients: { perRound: 3 } },
      { clients: { overSelection: 2 } }, { clients: { quorum: 0.5 } }, { clients: { dropout: 0.1 } }, { clients: { stragglers: 0.1 } }, { clients: { availability: 'diurnal' } }, { clients: { deadlineSeconds: 5 } },
      { clients: { malicious: { kind: 'participants', count: 1 } } }, { aggregate: 'median' }, { unit: 'shop' }, { weightedUpTo: 5 }, { privacy: { epsilon: null } }, { privacy: { epsilon: 2 } },
      { privacy: { delta: 1e-6 } }, { privacy: { clip: 1 } }, { privacy: { mode: 'central' } }, { privacy: { sampling: 0.5 } }, { privacy: { encoding: 'rotated' } }, { privacy: { adaptiveClip: true } },
      { privacy: { noiseCohort: 9 } }, { rounds: 2 }, { schedule: { kind: 'calendar' } }, { schedule: { kind: 'at-once', everySeconds: 1 } }, { evaluateEvery: 2 }, { baseline: 'central' }, { fidelity: 'messages' }, { seed: 2 },
    ];
    expect(new Set(others.map((other) => id(other))).size).toBe(others.length);
  });
});

describe('the digest of the code', () => {
  const packageOf = (changes: Readonly<Record<string, string>> = {}): string => {
    rmSync(join(folder, 'package'), { recursive: true, force: true });
    const files = {
      'package.json': '{"version":"1.0.0","dependencies":{"zod":"4.0.0"},"scripts":{}}',
      'scripts/simulate/simulate.ts': "import {\n  sum,\n  type Sum,\n} from '../../shared/sum.ts';\nimport type { Words } from '../../shared/words.ts';\nconst { late } = await import('../late.ts');\nnew Worker(new URL('../threads/thread.ts', import.meta.url));\n",
      'shared/sum.ts': "export * from './terms.ts';\n",
      'shared/terms.ts': 'export const sum = 1;\n',
      'shared/words.ts': 'export type Words = string;\n',
      'scripts/late.ts': 'export const late = 1;\n',
      'scripts/threads/thread.ts': 'run();\n',
      'scripts/report.ts': 'draw();\n',
      ...changes,
    };
    for (const [name, content] of Object.entries(files)) write(`package/${name}`, content);
    return hashCode(join(folder, 'package/scripts/simulate'));
  };
  let before: string;
  beforeEach(() => void (before = packageOf()));

  it('is the same for the same files, wherever they are', () => {
    expect(packageOf()).toBe(before);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(['scripts/simulate/simulate.ts', 'shared/sum.ts', 'shared/terms.ts', 'scripts/late.ts', 'scripts/threads/thread.ts', 'scripts/simulate/new.ts'])('changes with %s', (name) => {
    expect(packageOf({ [name]: "import '../../shared/terms.ts';\nexport const changed = 1;\n" })).not.toBe(before);
  });

  it('changes with the versions of packages', () => {
    expect(packageOf({ 'package.json': '{"version":"1.0.0","dependencies":{"zod":"4.0.1"},"scripts":{}}' })).not.toBe(before);
  });

  it.each(['scripts/report.ts', 'shared/words.ts'])('does not change with %s, which decides no result', (name) => {
    expect(packageOf({ [name]: 'export type Changed = 1;\n' })).toBe(before);
  });

  it('covers the models, the privacy layer and the data readers of this package', () => {
    const files = codeFiles();
    expect(files).toEqual(expect.arrayContaining(['scripts/simulate/simulation.ts', 'client/shop/read-data.ts', 'shared/recommender/als/model.ts', 'shared/privacy/clip.ts', 'shared/evaluation/metrics.ts']));
    expect(files.filter((file) => /^scripts\/(cli|experiment|experiments)\//.test(file))).toEqual([]);
  });
});

describe('the digest of the data', () => {
  it('is that of the content, whatever the name and whether it is compressed', async () => {
    const orders = write('orders.csv', 'item_id,shopper_id,timestamp\n');
    expect(await hashData(orders)).toBe(await hashData(write('copy.csv', 'item_id,shopper_id,timestamp\n')));
    expect(await hashData(orders)).not.toBe(await hashData(write('other.csv', 'item_id,shopper_id,timestamp\nlamp,ana,2024-05-01\n')));
  });

  it('is that of the embedded data by its name', async () => {
    expect(await hashData('online-retail')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('covers the titles of a MovieLens folder', async () => {
    write('ml/u.data', '1\t1\t5\t881250949\n');
    const without = await hashData(join(folder, 'ml'));
    write('ml/u.item', '1|Toy Story (1995)\n');
    expect(await hashData(join(folder, 'ml'))).not.toBe(without);
  });

  it('names what is not there', async () => {
    await expect(hashData(join(folder, 'nothing.csv'))).rejects.toMatchObject({ code: 'data.not-found' });
  });
});
