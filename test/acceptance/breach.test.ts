/** The breach drill, on a federation made for it, on a copy, and for real. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { respondToBreach } from '../../scripts/breach.ts';
import { openDrillTarget } from '../../scripts/breach/drill-target.ts';
import { createProgram } from '../../scripts/cli/main.ts';
import { customerNotice, deadlineOf, type BreachReport } from '../../shared/policy/breach.ts';
import { codeOf } from '../server/support/codes.ts';
import { coordinatorFor, takePart } from '../server/support/coordinators.ts';
import { silent, taskInput } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';
import { connectShop, shopNamed } from '../server/support/test-client.ts';

let home: string;
beforeEach(() => {
  home = join(temporaryFolder(), 'home');
  vi.stubEnv('CESTA_HOME', home);
});
afterEach(() => void vi.unstubAllEnvs());

async function cesta(...args: string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await createProgram().parseAsync(['node', 'cesta', ...args]);
    return written.join('');
  } finally {
    spy.mockRestore();
  }
}

const reportOf = (folder: string): BreachReport => JSON.parse(readFileSync(join(folder, 'breach.json'), 'utf8')) as BreachReport;

/** A coordinator that has had a round, and goes on. */
async function federation() {
  const dataDir = temporaryFolder();
  const coordinator = await coordinatorFor({ dataDir, task: taskInput({ mode: 'local' }), accountability: { controller: { name: 'Example Ltd', contact: 'privacy@example.org' }, jurisdiction: 'gdpr', processors: [] } });
  const clients = await Promise.all(['corner', 'market'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
  await Promise.all(clients.map((client) => takePart(client)));
  return { coordinator, dataDir };
}

describe('capability 16: the response to a breach', () => {
  it('capability 16: a drill freezes rounds, exchanges keys, lists whom it concerns and ends in a complete report', async () => {
    const target = await openDrillTarget(null, silent);
    try {
      const { report, credentials } = await respondToBreach({ kind: 'drill', ...target, jurisdiction: 'gdpr', description: 'a laptop was stolen.', discoveredAt: '2026-03-09T08:00:00.000Z', since: '2020-01-01T00:00:00.000Z', compromised: ['south'], now: () => '2026-03-09T09:00:00.000Z' });
      expect(report).toMatchObject({ kind: 'drill', deadlineAt: '2026-03-12T08:00:00.000Z', tasks: [{ name: 'exercise', before: 'active', now: 'paused' }], record: { findings: [] } });
      expect(report.rounds).toMatchObject([{ round: 'exercise-1', state: 'done', participants: 3, record: { isProven: true } }]);
      expect(report.rounds[0].epsilon).toBeGreaterThan(0);
      expect(report.nodes.map(({ name, rounds, isRevoked }) => [name, rounds, isRevoked])).toEqual([['north', ['exercise-1'], false], ['south', ['exercise-1'], true], ['west', ['exercise-1'], false]]);
      expect(report.steps.map(({ step }) => step)).toEqual(['freeze rounds', 'revoke south', 'rotate operators\' credentials', 'end sessions', 'verify the public record', 'list what is concerned']);
      expect(report.steps[3].outcome).toContain('refused now');
      expect(credentials.map(({ name }) => name)).toEqual(['admin']);
      expect(JSON.stringify(report)).not.toContain(credentials[0].token);
      expect(report.notice).toContain('a laptop was stolen.');
    } finally {
      await target.close();
    }
  }, 60_000);

  it('capability 16: a drill on a copy leaves the coordinator that is copied as it was', async () => {
    const { coordinator, dataDir } = await federation();
    const out = join(temporaryFolder(), 'out');
    await cesta('breach', 'drill', '--data-dir', dataDir, '--out', out, '--json');
    const report = reportOf(out);
    expect(report).toMatchObject({ kind: 'drill', tasks: [{ name: 'trial', before: 'active', now: 'paused' }], rounds: [{ round: 'trial-1', state: 'done', participants: 2, record: { isProven: true } }] });
    expect(report.nodes.map(({ name }) => name)).toEqual(['corner', 'market']);
    expect(readFileSync(join(out, 'breach.md'), 'utf8')).toContain('EXERCISE');
    expect((await coordinator.tasks.status('trial')).state).toBe('active');
  }, 60_000);

  it('capability 16: for real, tasks of the coordinator itself are paused and its operators\' sessions and tokens end', async () => {
    const { coordinator, dataDir } = await federation();
    const first = coordinator.firstOperator;
    if (first === null) throw new Error('expected a first operator');
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, first.token, { mode: 0o600 });
    await cesta('login', coordinator.url, '--token-file', file, '--code', codeOf(first.otpauth, Date.now()));
    const out = join(temporaryFolder(), 'out');
    const answer = JSON.parse(await cesta('breach', 'drill', '--for-real', '--coordinator', coordinator.url, '--data-dir', dataDir, '--out', out, '--json')) as { kind: string; credentials: { token: string }[] };
    expect(answer).toMatchObject({ kind: 'real', credentials: [{ name: 'admin' }] });
    expect(answer.credentials[0].token).not.toBe(first.token);
    expect((await coordinator.tasks.status('trial')).state).toBe('paused');
    await expect(cesta('task', 'list')).rejects.toMatchObject({ code: 'admin.unauthorised' });
    await expect(cesta('login', coordinator.url, '--token-file', file, '--code', codeOf(first.otpauth, Date.now() + 30_000))).rejects.toMatchObject({ code: 'admin.unauthorised' });
    const notice = reportOf(out).notice;
    expect(notice).toContain('Example Ltd, privacy@example.org');
    expect(notice).not.toMatch(/EXERCISE|\[/);
  }, 60_000);

  it('capability 16: needs to be told that it is for real', async () => {
    await expect(cesta('breach', 'drill', '--coordinator', 'http://127.0.0.1:1')).rejects.toMatchObject({ code: 'usage.invalid' });
    await expect(cesta('breach', 'drill', '--for-real', '--coordinator', 'http://127.0.0.1:1')).rejects.toMatchObject({ code: 'usage.invalid' });
  });

  it('capability 16: the deadline follows from the law, and the notice does not claim more protection than there was', () => {
    expect([deadlineOf('gdpr', '2026-12-30T12:00:00.000Z'), deadlineOf('ccpa', '2026-12-30T12:00:00.000Z')]).toEqual(['2027-01-02T12:00:00.000Z', null]);
    const round = { task: 't', round: 't-1', state: 'done', openedAt: '', endedAt: null, participants: 2, record: null };
    const facts = { kind: 'real', controller: null, jurisdiction: 'gdpr', description: 'x', discoveredAt: '2026-03-09T08:00:00.000Z', since: '2026-03-01T00:00:00.000Z', nodes: [] } as const;
    expect(customerNotice({ ...facts, rounds: [{ ...round, epsilon: 1 }, { ...round, epsilon: 0.5 }, { ...round, epsilon: null }] })).toMatch(/In 2 such sums .* epsilon 1\.5 [^]*1 rounds of that time had no such noise/);
    expect(customerNotice({ ...facts, rounds: [{ ...round, epsilon: null }] })).not.toContain('noise hides');
  });
});
