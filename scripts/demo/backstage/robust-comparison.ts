/**
 * A job of the backstage: one masked round of the demo's shops, with and without the malicious shop, combined as a plain sum
 * and as the median of groups. The same histories, the same invented shoppers, noise of the same budget; seeded, so that it
 * can be repeated.
 */
import { z } from 'zod';
import { readDataset } from '../../../client/shop/read-data.ts';
import type { ShopperHistory } from '../../../shared/commerce/history.ts';
import { createModel } from '../../../shared/recommender/registry.ts';
import { look } from '../../audit/poisoning/poisoning.ts';
import type { Defence } from '../../audit/poisoning/settings.ts';
import { honestSums, train, type Stage } from '../../audit/poisoning/stage.ts';
import { reportFailure } from '../../cli/output.ts';
import { dayEnd } from '../../cli/options.ts';
import { splitDataset } from '../../evaluate.ts';
import { lastDay } from '../calendar.ts';
import { demoHyperParameters, demoShops } from '../federation.ts';
import { inventedShoppers, inventHistories, planPush } from '../push.ts';
import type { JobLine } from './jobs.ts';
import type { CombinedRow, RobustComparison } from './state.ts';

const optionsSchema = z.strictObject({ shops: z.number().int(), groups: z.number().int(), epsilon: z.number().positive(), delta: z.number().positive(), seed: z.number().int() });
const say = (line: JobLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
/** Of a task, unless it says otherwise. */
const maxShoppers = 5_000;

try {
  const { shops, groups, epsilon, delta, seed } = optionsSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
  const dataset = await readDataset('online-retail');
  const parts = splitDataset(dataset, 'last-basket');
  const push = planPush(dataset, parts);
  const honest = demoShops(dataset, shops, seed).map(({ shoppers }) => shoppers.map(({ history }) => history));
  const attacked = [...honest, inventHistories(push, dayEnd(lastDay) - 1)];
  const model = createModel('neighbours', dataset.catalogue, demoHyperParameters(1));
  const stageOf = (members: readonly (readonly ShopperHistory[])[]): Stage => ({ model, catalogue: dataset.catalogue, parts, shops: members, epsilon, delta, maxShoppers, honest: new Map(), noise: new Map() });
  const defences: readonly (Defence & { readonly rule: CombinedRow['rule'] })[] = [
    { rule: 'sum', name: 'sum', terms: 'masked' },
    { rule: 'median of groups', name: 'median', terms: 'grouped', robust: { rule: 'median', byzantine: 1, groups } },
  ];
  const rows: CombinedRow[] = [];
  for (const [attacker, members] of [['nobody', honest], ['malicious shop', attacked]] as const) {
    const stage = stageOf(members);
    for (const { rule, ...defence } of defences) {
      say({ progress: `${rule}, ${attacker}` });
      const { plan, sums } = honestSums(stage, defence);
      rows.push({ rule, attacker, ...look(stage, train(stage, plan, defence, sums, seed), push.target) });
    }
  }
  const result: RobustComparison = { rows, shops, groups, epsilon, invented: inventedShoppers, testShoppers: parts.tests.length };
  say({ result });
} catch (thrown) {
  reportFailure(thrown, true);
}
