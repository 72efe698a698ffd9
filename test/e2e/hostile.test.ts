/**
 * Real processes under attack. Bounds on memory are those of the audit: a frame and what may wait for its reader, for each
 * attacker, and what the collector of the engine leaves lying.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { auditHostile, type HostileReport } from '../../scripts/audit/hostile/hostile.ts';
import type { HostileMode } from '../../scripts/audit/hostile/task.ts';

function attack(mode: HostileMode, frames: number, idle: number): Promise<HostileReport> {
  const folder = mkdtempSync(join(tmpdir(), 'cesta-hostile-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return auditHostile({ mode, frames, seed: 1, idle, folder });
}

describe('a coordinator under attack', () => {
  it('answers every misbehaviour, every mutated frame and every flood, while honest shops finish their rounds', async () => {
    const { attack: attacked, flood, findings } = await attack('local', 50_000, 2_000);
    expect(findings).toEqual([]);
    expect(attacked.frames).toBeGreaterThanOrEqual(50_000);
    // Each state was reached.
    expect(Object.keys(attacked.byState).sort()).toEqual(['HTTP', 'after hello', 'before hello', 'ready', 'recruiting', 'training', 'upload granted', 'while the proof is checked']);
    expect(Object.keys(attacked.answers)).toEqual(expect.arrayContaining(['protocol.malformed', 'protocol.replayed', 'protocol.out-of-order', 'update.wrong-round', 'closed 1002', 'closed 1008']));
    expect(attacked.rounds).toBeGreaterThan(0);
    expect(flood.rounds).toBeGreaterThan(0);
    expect(flood.idleOpened).toBeGreaterThan(0);
  }, 600_000);

  it('keeps masked sums going beside members that break their sessions', async () => {
    const { attack: attacked, findings } = await attack('distributed', 3_000, 100);
    expect(findings).toEqual([]);
    expect(attacked.byState['masked session']).toBeGreaterThan(0);
    expect(attacked.answers['secagg.invalid']).toBeGreaterThan(0);
    expect(attacked.rounds).toBeGreaterThan(0);
  }, 600_000);
});
