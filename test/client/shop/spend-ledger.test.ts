import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSpendLedger } from '../../../client/shop/spend-ledger.ts';
import { spendOf, totalSpent, type Spend } from '../../../client/spends.ts';
import { planHash } from '../../../shared/federation/plan.ts';
import { examplePlan } from '../../federation/plans.ts';
import { codeOf } from '../fakes.ts';

const folder = mkdtempSync(join(tmpdir(), 'cesta-ledger-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const freshPath = (): string => join(folder, `${(files += 1)}.jsonl`);

function spend(number: number): Spend {
  const plan = examplePlan({ round: `main-${number}` });
  return spendOf(plan, planHash(plan), '2026-01-01T00:00:00.000Z');
}

const totalOf = (...numbers: number[]): number => totalSpent({ spends: numbers.map(spend), unreadable: 0 }).epsilon;

describe('the record of spends', () => {
  it('is empty before the first spend, and reading makes no file', () => {
    const path = freshPath();
    expect(openSpendLedger(path).read()).toEqual({ spends: [], unreadable: 0 });
    expect(() => statSync(path)).toThrow();
  });

  it('survives the process: whoever opens it next reads every spend in order', () => {
    const path = freshPath();
    for (const number of [1, 2, 3]) openSpendLedger(path).append(spend(number));
    expect(openSpendLedger(path).read()).toEqual({ spends: [spend(1), spend(2), spend(3)], unreadable: 0 });
    expect(readFileSync(path, 'utf8').split('\n').length).toBe(4);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('counts a last line cut off anywhere, and stays readable behind it', () => {
    const whole = freshPath();
    openSpendLedger(whole).append(spend(1));
    openSpendLedger(whole).append(spend(2));
    const text = readFileSync(whole, 'utf8');
    const second = text.indexOf('\n') + 1;
    // Without its final newline alone the line is still whole.
    for (let end = second + 1; end < text.length - 1; end += 1) {
      const path = freshPath();
      writeFileSync(path, text);
      truncateSync(path, end);
      const ledger = openSpendLedger(path);
      expect(ledger.read().spends).toEqual([spend(1)]);
      expect(totalSpent(ledger.read()).epsilon).toBe(totalOf(1, 1));
      ledger.append(spend(3));
      expect(ledger.read().spends).toEqual([spend(1), spend(3)]);
      expect(totalSpent(ledger.read()).epsilon).toBe(totalOf(1, 1, 3));
    }
  });

  it('reads a last line that only lacks its newline, and does not glue the next one to it', () => {
    const path = freshPath();
    openSpendLedger(path).append(spend(1));
    truncateSync(path, statSync(path).size - 1);
    openSpendLedger(path).append(spend(2));
    expect(openSpendLedger(path).read()).toEqual({ spends: [spend(1), spend(2)], unreadable: 0 });
  });

  it('counts garbage instead of forgetting it', () => {
    const path = freshPath();
    openSpendLedger(path).append(spend(1));
    appendFileSync(path, '\0\0\0\n');
    expect(openSpendLedger(path).read()).toEqual({ spends: [spend(1)], unreadable: 1 });
  });

  it('fails with a code, not with silence, when the disk does not take the line', async () => {
    expect(await codeOf(() => openSpendLedger(join(folder, 'no', 'such', 'folder.jsonl')).append(spend(1)))).toBe('storage.failed');
    expect(await codeOf(() => openSpendLedger(folder).read())).toBe('storage.failed');
  });
});
