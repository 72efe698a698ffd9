import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { auditCrashes, type CrashesReport } from '../../scripts/audit/crashes/crashes.ts';
import type { CrashMode } from '../../scripts/audit/crashes/federation.ts';

function crash(mode: CrashMode, kills: number): Promise<CrashesReport> {
  const folder = mkdtempSync(join(tmpdir(), 'cesta-crashes-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return auditCrashes({ mode, kills, seed: 1, folder });
}

describe('processes that are killed without a word', () => {
  it('lose nothing that was acknowledged, and count no round twice, with noise at every shop', async () => {
    const report = await crash('local', 12);
    expect(report).toMatchObject({ kills: 12, findings: [] });
    expect(report.released).toBeGreaterThan(0);
    expect(report.receipts).toBeGreaterThan(report.released);
  }, 600_000);

  it('lose nothing that was acknowledged, and count no round twice, in masked sums', async () => {
    const report = await crash('distributed', 8);
    expect(report).toMatchObject({ kills: 8, findings: [] });
    expect(report.released).toBeGreaterThan(0);
    expect(report.receipts).toBeGreaterThan(report.released);
  }, 600_000);
});
