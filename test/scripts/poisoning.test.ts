import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditPoisoning, type PoisoningCell, type PoisoningReport } from '../../scripts/audit/poisoning/poisoning.ts';
import { describePoisoning } from '../../scripts/audit/poisoning/report.ts';
import { seededRandom } from '../../shared/numerics/random.ts';

/** 210 shoppers who have one of ten popular items and one of fifty others, and come back. */
function ordersFile(folder: string): string {
  const random = seededRandom(1);
  const lines = ['shopper_id,item_id,timestamp'];
  for (let shopper = 0; shopper < 210; shopper += 1) {
    const items = [random.nextBelow(10), 10 + random.nextBelow(50), random.nextBelow(60)];
    items.forEach((item, day) => lines.push(`s${shopper},i${item},2026-01-0${day + 1}T10:00:00Z`));
  }
  const file = join(folder, 'orders.csv');
  writeFileSync(file, lines.join('\n'));
  return file;
}

describe('the poisoning audit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cesta-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let report: PoisoningReport;
  beforeAll(async () => {
    report = await auditPoisoning({ data: ordersFile(folder), models: ['popularity'], shops: 14, epsilon: 8, delta: 1e-5, byzantine: 1, targets: 1, maxShoppers: 100, seed: 1 });
  }, 120_000);

  const cell = (defence: string, attacker: string): PoisoningCell => {
    const found = report.tables[0].rows.find((row) => row.defence.startsWith(defence))?.cells.find((each) => each.attacker.startsWith(attacker));
    if (found === undefined) throw new Error(`no ${defence} against ${attacker}`);
    return found;
  };

  it('pushes an item into the lists of all where nothing defends, and the canary sees it', () => {
    expect(cell('none', 'nobody')).toMatchObject({ exposure: 0, held: 0 });
    expect(cell('none', 'one shop, in bounds').exposure).toBeGreaterThan(0.9);
    expect(cell('none', 'one shop, in bounds').held).toBe(1);
  });

  it('is stopped by a median of shops where one shop pushes', () => {
    expect(cell('median', 'one shop, in bounds').exposure).toBeLessThan(0.1);
  });

  it('is not stopped by a trimmed mean where fakes are in every shop', () => {
    expect(cell('none', '5 %').exposure).toBeGreaterThan(0.9);
    expect(cell('trimmed-mean', '5 %').exposure).toBeGreaterThan(0.9);
  });

  it('is refused beyond the bounds where reports are seen, and not where they are masked', () => {
    expect(cell('none', 'one shop, beyond')).toMatchObject({ isRefused: true, exposure: 0 });
    expect(cell('noise, epsilon 8, masked', 'one shop, in bounds').exposure).toBeGreaterThan(0.9);
    expect(cell('noise, epsilon 8, masked', 'one shop, beyond')).toMatchObject({ isRefused: false });
    expect(cell('noise, epsilon 8, masked', 'one shop, beyond').exposure).toBeGreaterThan(0.9);
  });

  it('says what was pushed, and how figures are to be read', () => {
    const text = describePoisoning(report);
    expect(text).toContain('refused');
    expect(text).toContain('no shop is an outlier');
    expect(report.tables[0].pushes).toHaveLength(1);
  });
});
