import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { experiment, sweep } from '../../../scripts/experiment/define.ts';
import { expand } from '../../../scripts/experiment/expand.ts';
import { loadExperiment, shippedExperiments } from '../../../scripts/experiment/load-file.ts';
import { parseExperiment } from '../../../scripts/experiment/parse.ts';
import { temporaryFolder } from '../../server/support/folders.ts';

const define = new URL('../../../scripts/experiment/define.ts', import.meta.url).href;
const written = (name: string, content: string): string => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
};

describe('an experiment file', () => {
  it.each([
    ['tried.ts', `import { experiment, sweep } from '${define}';\nconst rounds: number = 3;\nexport default experiment({ rounds, privacy: { epsilon: sweep([1, Infinity]) } });`],
    ['tried.ts', `export const experiment = { rounds: 3 as const, privacy: { epsilon: { sweep: [1, Infinity] } } };`],
    ['tried.mjs', `export default { rounds: 3, privacy: { epsilon: [1, Infinity] } };`],
    ['tried.json', `\uFEFF{ "rounds": 3, "privacy": { "epsilon": [1, null] } }`],
    ['tried.json', `{ "rounds": 3, "privacy": { "epsilon": [1, null] } }`],
  ])('%s may be a module or JSON: %s', async (file, content) => {
    const { name, experiment: said } = await loadExperiment(written(file, content));
    expect(name).toBe('tried');
    expect(expand(parseExperiment(said)).cells.map(({ label }) => label)).toEqual(['epsilon 1', 'no noise']);
  });

  it.each(['tried.ts', 'tried.mts'])('may import this package by its name, whatever kind of module its folder makes it: %s', async (file) => {
    // The smallest of its entries, all of which are found alike.
    const { experiment: said } = await loadExperiment(written(file, `import * as entry from 'cesta/storefront/take-part';\nexport default { question: Object.keys(entry).join() };`));
    expect(said).toMatchObject({ question: expect.stringMatching(/\w/) as string });
  });

  it.each([
    ['empty.ts', 'export const other = 3;', 'config.invalid', 'expected an experiment as its default export or by the name experiment'],
    ['nothing.ts', '', 'config.invalid', 'expected an experiment as its default export or by the name experiment, got neither'],
    ['promise.ts', 'export default Promise.resolve({ rounds: 3 });', 'config.invalid', 'got a promise'],
    ['broken.ts', 'throw new Error("on purpose");', 'data.unreadable', 'on purpose'],
    ['broken.json', '{ "rounds": ', 'data.unreadable', 'expected JSON'],
    ['orders.csv', 'a,b', 'data.unreadable', 'expected a file that ends in .ts, .mts, .js, .mjs, .json'],
  ])('%s is refused', async (file, content, code, message) => {
    await expect(loadExperiment(written(file, content))).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  it('that does not exist may have been one that comes with Cesta', async () => {
    await expect(loadExperiment('frontire')).rejects.toMatchObject({ code: 'data.not-found', message: expect.stringContaining('the closest is frontier') as string });
  });
});

describe('experiments that come with Cesta', () => {
  it.each(shippedExperiments())('%s can be planned, whole and quick, and says what it asks', async (name) => {
    const { experiment: said } = await loadExperiment(name);
    const parsed = parseExperiment(said, { name });
    expect(parsed.question).toMatch(/\?$/);
    expect(expand(parsed).cells.length).toBeGreaterThan(1);
    expect(expand(parseExperiment(said, { name, quick: true })).cells.length).toBeGreaterThan(0);
  });
});

describe('the types of an experiment', () => {
  it('know its fields at every depth, swept or not', () => {
    experiment({ privacy: { epsilon: sweep([1, Infinity]), mode: 'central' }, clients: { malicious: sweep([{ kind: 'none' }, { kind: 'participants', count: 2 }]) }, aggregate: sweep(['mean', 'trimmedMean', { robust: { rule: 'median', byzantine: 1 } }]) });
    experiment({ population: sweep([{ shops: 5 }, { shops: 10 }]), model: { kind: 'als', hyperParameters: { factors: sweep([8, 16]) } }, quick: { rounds: 1, seeds: [1] } });
    const mistakes = [
      // @ts-expect-error a misspelt field
      experiment({ privacy: { epsilo: 1 } }),
      // @ts-expect-error another type
      experiment({ rounds: 'many' }),
      // @ts-expect-error one value of a sweep that cannot be
      experiment({ unit: sweep(['shopper', 'basket']) }),
      // @ts-expect-error a metric nobody knows
      experiment({ metrics: ['ndgc@10'] }),
      // @ts-expect-error seeds are listed
      experiment({ seed: 1 }),
    ];
    for (const mistake of mistakes) expect(() => expand(parseExperiment(mistake))).toThrow(expect.objectContaining({ code: 'config.invalid' }));
  });
});
