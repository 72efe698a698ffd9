/** The demo's year: months follow from the number of a round, and no shop trains on what has not happened yet. */
import { beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../../../client/shop/read-data.ts';
import type { Dataset } from '../../../shared/datasets/dataset.ts';
import { simulatedToday, splitDataset } from '../../../scripts/evaluate.ts';
import { dayEnd } from '../../../scripts/cli/options.ts';
import { lastDay, monthCount, monthOfRound, roundNumber } from '../../../scripts/demo/calendar.ts';
import { demoShops, shoppersUntil } from '../../../scripts/demo/federation.ts';

let dataset: Dataset;
beforeAll(async () => {
  dataset = await readDataset('online-retail');
});

describe('the demo\'s year', () => {
  it('has the months of the orders, from the first to the last', () => {
    const times = dataset.shoppers.flatMap(({ history }) => [...history.visitTimes]);
    expect(monthOfRound(1, monthCount).label).toBe('Dec 2010');
    expect(monthOfRound(monthCount, monthCount).label).toBe('Dec 2011');
    expect(new Set(times.map((time) => new Date(time * 1000).toISOString().slice(0, 7))).size).toBe(monthCount);
    expect(Math.max(...times)).toBeLessThan(monthOfRound(monthCount, monthCount).end);
    expect(simulatedToday(splitDataset(dataset, 'last-basket'))).toBe(dayEnd(lastDay));
  });

  it('is dealt to any number of rounds, the last of which has all of it, and so have rounds that come after failures', () => {
    expect([1, 2, 3].map((round) => monthOfRound(round, 3).label)).toEqual(['Apr 2011', 'Aug 2011', 'Dec 2011']);
    expect(monthOfRound(1, 1)).toEqual(monthOfRound(monthCount, monthCount));
    expect(monthOfRound(15, monthCount)).toEqual(monthOfRound(monthCount, monthCount));
    expect(roundNumber('demo-12')).toBe(12);
  });

  it('shows a shop in each round the orders up to the end of its month, of those who had any', () => {
    const [shop] = demoShops(dataset, 20, 1);
    let before = 0;
    for (const round of [1, 6, monthCount]) {
      const { end } = monthOfRound(round, monthCount);
      const shoppers = shoppersUntil(shop.shoppers, end);
      const visits = shoppers.flatMap(({ history }) => [...history.visitTimes]);
      expect(Math.max(...visits)).toBeLessThan(end);
      expect(visits).toHaveLength(shop.shoppers.flatMap(({ history }) => [...history.visitTimes]).filter((time) => time < end).length);
      expect(shoppers.every(({ history }) => history.items.length > 0)).toBe(true);
      expect(visits.length).toBeGreaterThan(before);
      before = visits.length;
    }
  });

  it('keeps every test basket from every shop', () => {
    const trained = new Map(demoShops(dataset, 20, 1).flatMap(({ shoppers }) => shoppers.map(({ id, history }) => [id, history.visitStarts.length])));
    for (const { id, history } of dataset.shoppers) expect(trained.get(id)).toBe(Math.max(1, history.visitStarts.length - 1));
  });
});
