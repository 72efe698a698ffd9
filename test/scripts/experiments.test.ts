import { beforeAll, describe, expect, it } from 'vitest';
import { expand, type Expansion } from '../../scripts/experiment/expand.ts';
import { loadExperiment, shippedExperiments } from '../../scripts/experiment/load-file.ts';
import { parseExperiment, type ParsedExperiment } from '../../scripts/experiment/parse.ts';
import { checkScenarios } from '../../scripts/simulate/check.ts';

const names = ['cold-shop', 'drift', 'dropout', 'forgetting', 'frontier', 'poisoning', 'scale', 'strategies'];
/** Of the quick form: each takes seconds, and all of them are to take less than a minute. */
const mostRuns = 16;

const runsOf = ({ cells, baselines }: Expansion): number => cells.flatMap(({ scenarios }) => scenarios).length + Object.values(baselines).flat().length;

describe('the experiments that come with Cesta', () => {
  it('are these', () => expect(shippedExperiments()).toEqual(names));

  describe.each(names)('%s', (name) => {
    let whole: ParsedExperiment;
    let quick: ParsedExperiment;
    beforeAll(async () => {
      const { experiment } = await loadExperiment(name);
      [whole, quick] = [parseExperiment(experiment, { name }), parseExperiment(experiment, { name, quick: true })];
    });

    it('asks a question, and sweeps something to answer it', () => {
      expect(whole.question).toMatch(/\?$/);
      expect(expand(whole).axes.length).toBeGreaterThan(0);
      expect(expand(quick).axes).toEqual(expand(whole).axes);
    });

    it('has several seeds in full, and few enough runs with --quick', () => {
      expect(whole.seeds.length).toBeGreaterThan(1);
      expect(runsOf(expand(quick))).toBeLessThanOrEqual(mostRuns);
      expect(runsOf(expand(quick))).toBeLessThan(runsOf(expand(whole)));
    });
  });

  it('are not refused before they run, the first setting and the last', async () => {
    for (const name of names) {
      const { cells } = expand(parseExperiment((await loadExperiment(name)).experiment, { name, quick: true }));
      await checkScenarios([cells[0], cells[cells.length - 1]].map(({ label, scenarios: [scenario] }) => ({ label: `${name}: ${label}`, scenario })));
    }
  }, 240_000);
});
