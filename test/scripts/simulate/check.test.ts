import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkScenarios } from '../../../scripts/simulate/check.ts';
import { parseScenario, type ScenarioInput } from '../../../shared/simulation/scenario.ts';
import { ordersCsv } from '../experiment/orders.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cesta-check-'));
  writeFileSync(join(folder, 'orders.csv'), ordersCsv(60));
});
afterAll(() => rmSync(folder, { recursive: true }));

const checked = (...inputs: readonly ScenarioInput[]): Promise<void> => checkScenarios(inputs.map((input, at) => ({ label: `cell ${at}`, scenario: parseScenario({ data: join(folder, 'orders.csv'), ...input }) })));

describe('scenarios that cannot be simulated', () => {
  it.each<[string, ScenarioInput, string, string]>([
    ['a strategy for a model that needs none', { aggregate: 'fedadam' }, 'plan.invalid', 'strategy: expected none for neighbours'],
    ['a rule that masked sums cannot be combined by', { aggregate: 'krum' }, 'config.invalid', 'aggregate: expected median or trimmed-mean'],
    ['more clients than there are', { clients: { perRound: 21 } }, 'config.invalid', 'clients.perRound: expected at most 20'],
    ['a clip norm that nothing enforces', { privacy: { epsilon: null, clip: 1 } }, 'privacy.invalid', 'privacy.clip: expected none without noise'],
    ['sizes of shops that nobody draws', { population: { sizes: 'zipf' } }, 'config.invalid', 'population.sizes: expected none without virtual shoppers'],
    ['more malicious participants than there are', { clients: { malicious: { kind: 'participants', count: 21 } } }, 'config.invalid', 'clients.malicious.count: expected at most 20'],
    ['rounds that begin before others can have ended', { rounds: 2, schedule: { kind: 'at-once', everySeconds: 1_000 } }, 'config.invalid', 'schedule.everySeconds: expected at least 1200'],
    ['a rule over reports that central noise does not hide', { privacy: { mode: 'central' }, aggregate: 'krum' }, 'config.invalid', 'aggregate: expected no robust rule in mode central'],
    ['less noise than there is participants for', { privacy: { noiseCohort: 5 } }, 'privacy.invalid', 'privacy.noiseCohort: expected at least the 20'],
    ['less noise in reports that a rule looks at one by one', { privacy: { mode: 'local', noiseCohort: 50 }, aggregate: 'median' }, 'privacy.invalid', 'privacy.noiseCohort: expected none with a robust rule'],
    ['noise of so large a cohort that a small one has none of it', { privacy: { noiseCohort: 100_000_000 } }, 'privacy.infeasible', 'privacy.noiseCohort: expected at most'],
    ['participants that refuse so little noise', { fidelity: 'messages', privacy: { noiseCohort: 50 } }, 'config.invalid', 'fidelity: expected sums with privacy.noiseCohort'],
    ['participants of whom none adds the noise', { fidelity: 'messages', privacy: { mode: 'central' } }, 'config.invalid', 'fidelity: expected sums in mode central'],
    ['a roster that no frame holds', { fidelity: 'messages', population: { shoppers: 6_000 }, clients: { are: 'shoppers', perRound: 5_000 } }, 'privacy.infeasible', 'cohort: expected a roster of at most'],
    ['data that is not there', { data: 'nothing.csv', baseline: 'popularity' }, 'data.not-found', 'nothing.csv'],
  ])('%s', async (_what, input, code, message) => {
    await expect(checked({}, input)).rejects.toMatchObject({ code, message: expect.stringMatching(new RegExp(`^cell 1: .*${message}`)) as string });
  });

  it('and those that can pass, one of each kind', async () => {
    await expect(checked({}, { privacy: { epsilon: 1 } }, { privacy: { epsilon: null } }, { seed: 5, rounds: 7 })).resolves.toBeUndefined();
  });
});
