/** The breach drill, on a federation made for it, on a copy, and for real. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fetch } from '../../client/http.ts';
import { respondToBreach } from '../../scripts/breach.ts';
import { openAffectedReader } from '../../scripts/breach/affected.ts';
import { openDrillTarget } from '../../scripts/breach/drill-target.ts';
import { createProgram } from '../../scripts/cli/main.ts';
import type { OperatorCredentials } from '../../server/admin/credentials.ts';
import { openJournalReader } from '../../server/storage/journal-reader.ts';
import { breachMarkdown, customerNotice, deadlineOf, type BreachReport } from '../../shared/policy/breach.ts';
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

/** The only file of its kind in a folder. */
function onlyFile(folder: string, pattern: RegExp): string {
  const [name, ...others] = readdirSync(folder).filter((file) => pattern.test(file));
  expect(others).toEqual([]);
  return readFileSync(join(folder, name), 'utf8');
}
const reportOf = (folder: string): BreachReport => JSON.parse(onlyFile(folder, /^(drill|breach)-\d{8}T\d{6}Z\.json$/)) as BreachReport;
const terms = { jurisdiction: 'gdpr', description: 'a laptop was stolen.', discoveredAt: '2026-03-09T08:00:00.000Z', since: '2020-01-01T00:00:00.000Z', compromised: [], now: () => '2026-03-09T09:00:00.000Z' } as const;

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
      const credentials: OperatorCredentials[] = [];
      const report = await respondToBreach({ ...terms, kind: 'drill', ...target, compromised: ['south'], onCredentials: (made) => void credentials.push(made) });
      expect(report).toMatchObject({ kind: 'drill', deadlineAt: '2026-03-12T08:00:00.000Z', tasks: [{ name: 'exercise', before: 'active', now: 'paused' }], record: { findings: [] } });
      expect(report.rounds).toMatchObject([{ round: 'exercise-1', state: 'done', participants: 3, record: { isProven: true } }]);
      expect(report.rounds?.[0].epsilon).toBeGreaterThan(0);
      expect(report.nodes?.map(({ name, rounds, isRevoked }) => [name, rounds, isRevoked])).toEqual([['north', ['exercise-1'], false], ['south', ['exercise-1'], true], ['west', ['exercise-1'], false]]);
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
    expect(report.nodes?.map(({ name }) => name)).toEqual(['corner', 'market']);
    expect(onlyFile(out, /^drill-.*\.md$/)).toContain('EXERCISE');
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
    // What a drill left there stays.
    mkdirSync(out);
    writeFileSync(join(out, 'drill-20260309T080000Z.json'), 'kept');
    const lines = (await cesta('breach', 'drill', '--for-real', '--coordinator', coordinator.url, '--data-dir', dataDir, '--out', out, '--json')).trim().split('\n');
    const [made, answer] = lines.map((line) => JSON.parse(line) as { kind?: string; credentials?: { name: string; token: string } });
    expect([lines.length, made.credentials?.name, answer.kind]).toEqual([2, 'admin', 'real']);
    expect(made.credentials?.token).not.toBe(first.token);
    expect(readFileSync(join(out, 'drill-20260309T080000Z.json'), 'utf8')).toBe('kept');
    expect((await coordinator.tasks.status('trial')).state).toBe('paused');
    await expect(cesta('task', 'list')).rejects.toMatchObject({ code: 'admin.unauthorised' });
    await expect(cesta('login', coordinator.url, '--token-file', file, '--code', codeOf(first.otpauth, Date.now() + 30_000))).rejects.toMatchObject({ code: 'admin.unauthorised' });
    const { notice } = JSON.parse(onlyFile(out, /^breach-.*\.json$/)) as BreachReport;
    expect(notice).toContain('Example Ltd, privacy@example.org');
    expect(notice).not.toMatch(/EXERCISE|\[/);
  }, 60_000);

  it('capability 16: what fails after credentials were exchanged is in the report, and the credentials were handed out before it', async () => {
    const target = await openDrillTarget(null, silent);
    const told: string[] = [];
    const fetch: Fetch = async (url, init) => {
      if (!url.includes('checkpoint')) return globalThis.fetch(url, init);
      told.push('head asked for');
      return new Response('forged\n1\nAAAA\n\n');
    };
    try {
      const report = await respondToBreach({ ...terms, kind: 'drill', ...target, fetch, onCredentials: ({ name }) => void told.push(name) });
      expect(told.slice(0, 2)).toEqual(['admin', 'head asked for']);
      expect(report.record).toMatchObject({ size: null, findings: [expect.stringMatching(/^[a-z]+\./)] });
      expect(report.steps.filter(({ outcome }) => outcome.startsWith('NOT DONE')).map(({ step }) => step)).toEqual(['verify the public record']);
      expect(report.rounds).toHaveLength(1);
      expect(breachMarkdown(report)).toContain('It could not be read');
    } finally {
      await target.close();
    }
  }, 60_000);

  it('capability 16: a report or a journal that is not to be had is found out before anything is changed', async () => {
    const { coordinator, dataDir } = await federation();
    const first = coordinator.firstOperator;
    if (first === null) throw new Error('expected a first operator');
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, first.token, { mode: 0o600 });
    await cesta('login', coordinator.url, '--token-file', file, '--code', codeOf(first.otpauth, Date.now()));
    const forReal = ['breach', 'drill', '--for-real', '--coordinator', coordinator.url, '--data-dir', dataDir];
    await expect(cesta(...forReal, '--out', join(file, 'below'))).rejects.toMatchObject({ code: 'config.invalid' });
    const out = join(temporaryFolder(), 'out');
    await expect(cesta(...forReal, '--out', out, '--database', 'postgres://nobody@127.0.0.1:1/none')).rejects.toMatchObject({ code: 'config.invalid' });
    expect(readdirSync(out)).toEqual([]);
    expect((await coordinator.tasks.status('trial')).state).toBe('active');
    await cesta('task', 'list');
  }, 60_000);

  it('capability 16: rounds are listed however many there are', async () => {
    const { dataDir } = await federation();
    const journal = await openJournalReader(dataDir, undefined);
    try {
      await sql`insert into rounds select 'more-' || n.value, task, 1000 + n.value, plan, plan_hash, state, opened_at, training_at, ended_at, participants, failure_code, failure_message from rounds, (with recursive n(value) as (select 1 union all select value + 1 from n where value < 33000) select value from n) n where id = 'trial-1'`.execute(journal.db);
    } finally {
      await journal.close();
    }
    const reader = await openAffectedReader({ dataDir });
    try {
      const { rounds } = await reader.since('2020-01-01T00:00:00.000Z', []);
      expect(rounds).toHaveLength(33_001);
      expect(rounds.find(({ round }) => round === 'trial-1')).toMatchObject({ participants: 2, record: { isProven: true } });
    } finally {
      await reader.close();
    }
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
