import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { main } from '../../../scripts/cli/main.ts';
import { writeOrders, type Orders } from './orders.ts';

let orders: Orders;
beforeAll(() => void (orders = writeOrders()));
afterAll(() => orders.remove());
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function printed(...args: string[]): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => ((text += String(chunk)), true));
  await main(['node', 'cesta', 'simulate', '--data', orders.path, '--model', 'popularity', '--workers', '0', ...args]);
  return text;
}

const figures = z.object({ clientsPerSecond: z.number().positive(), peakRssMb: z.number().positive(), seconds: z.number().positive(), rounds: z.array(z.object({ reported: z.number(), outcome: z.string() })), metrics: z.record(z.string(), z.number()), epsilon: z.number() });

describe('cesta simulate', () => {
  it('takes shoppers for clients where nothing is said of shops, and prints one object', async () => {
    const { rounds, metrics, epsilon } = figures.parse(JSON.parse(await printed('--shoppers', '5000', '--cohort', '400', '--json')));
    expect(rounds).toMatchObject([{ reported: 400, outcome: 'released' }]);
    expect(epsilon).toBeCloseTo(3, 2);
    expect(metrics['ndcg@10']).toBeGreaterThan(0);
  });

  it('says in words why a round failed', async () => {
    expect(await printed('--shops', '20', '--dropout', '0.8')).toMatch(/round 1 failed.*expected at least 16/);
  });

  it('takes no noise for an epsilon', async () => {
    const words = await printed('--shops', '10', '--epsilon', 'none');
    expect(words).toContain('no noise, no privacy');
    expect(words).toMatch(/ndcg@10 +0\.\d{4} {2}discounted gain/);
  });

  it('takes the settings of a rule as JSON', async () => {
    const { rounds } = z.object({ rounds: figures.shape.rounds }).parse(JSON.parse(await printed('--shops', '20', '--aggregate', '{"robust":{"rule":"median","byzantine":1,"groups":4}}', '--json')));
    expect(rounds).toMatchObject([{ outcome: 'released', reported: 20 }]);
  });

  it('refuses a partition that it does not know as a mistake of use', async () => {
    const errors = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await printed('--partition', 'moon');
    expect(process.exitCode).toBe(2);
    expect(errors.mock.calls.join('')).toMatch(/expected hash, country or dirichlet:ALPHA, got moon/);
  });
});
