import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { permittedData } from '../../scripts/cli/permitted-data.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf, visitCount } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { silent } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';

const daySeconds = 86_400;
const data: Dataset = {
  name: 'orders',
  catalogue: createCatalogue([{ id: 'bread', title: 'Bread', category: 'Food' }, { id: 'wine', title: 'Wine', category: 'Alcohol' }]),
  shoppers: [{ id: '1', group: '', degree: 3, history: historyOf([0, 5, 9].map((day) => ({ time: day * daySeconds, items: [0] }))) }],
  report: { lines: 3, used: 3, complaints: [] },
};
const limits = { maxEpsilon: 1, maxDelta: 1e-5 };
const visitsOf = ({ shoppers }: Dataset): number => visitCount(shoppers[0].history);

it('data grow too old while the process runs', () => {
  let day = 10;
  const { dataset } = permittedData({ ...limits, retentionDays: 7 }, data, silent, () => day * daySeconds * 1_000);
  expect(visitsOf(dataset())).toBe(2);
  day = 13;
  expect(visitsOf(dataset())).toBe(1);
  day = 17;
  expect(visitsOf(dataset())).toBe(0);
});

it('data are whole without a retention, less what the policy bans', () => {
  const policy = join(temporaryFolder(), 'cesta.policy');
  writeFileSync(policy, 'banned-category alcohol\n');
  expect(visitsOf(permittedData(limits, data, silent).dataset())).toBe(3);
  expect(permittedData({ ...limits, policy }, data, silent).dataset().catalogue.products.map(({ id }) => id)).toEqual(['bread']);
});
