/** The operator's verbs end to end: the command itself, against a real coordinator. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask } from '../../scripts/cli/ask.ts';
import { createProgram } from '../../scripts/cli/main.ts';
import { exampleTask } from '../../scripts/example-task.ts';
import type { OperatorCredentials } from '../../server/admin/credentials.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import { codeOf } from '../server/support/codes.ts';
import { coordinatorFor, runRound, takePart } from '../server/support/coordinators.ts';
import { taskInput } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';
import { connectShop, joinRound, shopNamed } from '../server/support/test-client.ts';

let home: string;
beforeEach(() => {
  home = join(temporaryFolder(), 'home');
  vi.stubEnv('CESTA_HOME', home);
});
afterEach(() => void vi.unstubAllEnvs());

/** What a verb prints, or the code it fails with. */
async function cesta(...args: string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await createProgram().parseAsync(['node', 'cesta', ...args]);
    return written.join('');
  } catch (thrown) {
    return toCestaError(thrown).code;
  } finally {
    spy.mockRestore();
  }
}

const json = async (...args: string[]): Promise<unknown> => JSON.parse(await cesta(...args, '--json'));

function tokenFile({ token }: OperatorCredentials): string {
  const file = join(temporaryFolder(), 'token');
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return file;
}

const sessions = (): string => join(home, 'sessions.json');
const now = ({ otpauth }: OperatorCredentials, stepsAhead = 0): string => codeOf(otpauth, Date.now() + stepsAhead * 30_000);

function credentialsOf(value: unknown): OperatorCredentials {
  expect(value).toMatchObject({ name: expect.any(String) as string, token: expect.stringMatching(/^cesta_/) as string, otpauth: expect.stringMatching(/^otpauth:/) as string });
  return value as OperatorCredentials;
}

describe('an operator on the command line', () => {
  it('logs in, looks at nodes, makes and removes operators, reads the log and logs out', async () => {
    const coordinator = await coordinatorFor();
    const first = credentialsOf(coordinator.firstOperator);
    await connectShop(coordinator.url, shopNamed('corner-shop'));
    expect(await cesta('nodes')).toBe('usage.invalid');
    expect(await json('login', coordinator.url, '--token-file', tokenFile(first), '--code', now(first))).toMatchObject({ operator: 'admin', coordinator: `${coordinator.url}/` });
    expect([statSync(sessions()).mode & 0o777, statSync(home).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(readFileSync(sessions(), 'utf8')).not.toContain(first.token);
    expect(await json('nodes')).toMatchObject({ nodes: [{ name: 'corner-shop', enrolment: 'open', connected: 'ready', inRound: false, organisation: null }] });
    expect(await cesta('nodes', '--coordinator', `${coordinator.url}/`)).toMatch(/corner-shop .*open.*ready/);
    const second = credentialsOf(await json('operator', 'add', 'second'));
    expect(await cesta('operator', 'add', 'third')).toContain('shown only now');
    expect(await json('operator', 'remove', 'third')).toEqual({ name: 'third' });
    expect(await cesta('operator', 'list')).toMatch(/admin[^]*second/);
    expect(await cesta('operator', 'remove', 'third')).toBe('operator.unknown');
    const log = await cesta('operator', 'log', '--limit', '4');
    expect(log).toMatch(/admin .*operator.remove .*third .*operator.unknown[^]*admin .*operator.remove .*third .*done[^]*Older ones: --before 2/);
    expect(await cesta('login', coordinator.url, '--token-file', tokenFile(second), '--code', now(second))).toContain('as second');
    const { session } = (JSON.parse(readFileSync(sessions(), 'utf8')) as Record<string, { session: string }>)[coordinator.url];
    expect(await cesta('logout')).toContain('Logged out');
    expect(readFileSync(sessions(), 'utf8')).not.toContain(session);
    expect((await fetch(`${coordinator.url}/v1/admin/nodes`, { headers: { Authorization: `Bearer ${session}` } })).status).toBe(401);
    expect(await cesta('nodes', '--coordinator', coordinator.url)).toBe('admin.unauthorised');
  });

  it('sees who belongs to the open round', async () => {
    const { url, firstOperator } = await coordinatorFor();
    const first = credentialsOf(firstOperator);
    await cesta('login', url, '--token-file', tokenFile(first), '--code', now(first));
    const [{ client: a }, { client: b }] = await Promise.all(['a', 'b'].map((name) => connectShop(url, shopNamed(name))));
    await Promise.all([joinRound(a), joinRound(b)]);
    await connectShop(url, shopNamed('late'));
    expect(await json('nodes')).toMatchObject({ nodes: [{ name: 'a', inRound: true }, { name: 'b', inRound: true }, { name: 'late', inRound: false }] });
  });

  it('gets new credentials with the key of the coordinator, and nobody gets them without', async () => {
    const dataDir = temporaryFolder();
    const coordinator = await coordinatorFor({ dataDir });
    const first = credentialsOf(coordinator.firstOperator);
    await cesta('login', coordinator.url, '--token-file', tokenFile(first), '--code', now(first));
    const reset = ['operator', 'reset', '--coordinator', coordinator.url, '--data-dir'];
    const again = credentialsOf(await json(...reset, dataDir));
    expect(await cesta('operator', 'list')).toBe('admin.unauthorised');
    expect(await cesta('login', coordinator.url, '--token-file', tokenFile(first), '--code', now(first, 1))).toBe('admin.unauthorised');
    vi.stubEnv('CESTA_ADMIN_TOKEN', again.token);
    expect(await cesta('login', coordinator.url, '--code', now(again))).toContain('as admin');
    expect(await cesta('operator', 'log')).toMatch(/key of the coordinator .*operator.reset .*admin .*done/);
    expect(await cesta(...reset, temporaryFolder())).toBe('storage.failed');
    expect(await cesta(...reset, dataDir, '--name', 'Not Allowed')).toBe('protocol.malformed');
    await coordinator.close();
    expect(await cesta('logout')).toBe('network.unreachable');
    expect(readFileSync(sessions(), 'utf8').trim()).toBe('{}');
  });

  it('says which coordinator when there are several sessions, and does not speak in the clear beyond this machine', async () => {
    const houses = [await coordinatorFor(), await coordinatorFor()];
    for (const { url, firstOperator } of houses) {
      const first = credentialsOf(firstOperator);
      await cesta('login', url, '--token-file', tokenFile(first), '--code', now(first));
    }
    expect(await cesta('nodes')).toBe('usage.invalid');
    for (const { url } of houses) expect(await json('nodes', '--coordinator', url)).toEqual({ nodes: [] });
    const file = tokenFile(credentialsOf(houses[0].firstOperator));
    expect(await cesta('login', 'http://cesta.example.org', '--token-file', file, '--code', '000000')).toBe('transport.insecure');
    expect(await cesta('nodes', '--coordinator', 'http://cesta.example.org')).toBe('transport.insecure');
  });

  it('is told what is missing or wrong', async () => {
    const { url } = await coordinatorFor();
    expect(await cesta('login', url, '--token-file', join(home, 'nowhere'), '--code', '000000')).toBe('data.not-found');
    vi.stubEnv('CESTA_ADMIN_TOKEN', 'wrong');
    expect(await cesta('login', url, '--code', '000000')).toBe('admin.unauthorised');
    expect(existsSync(sessions())).toBe(false);
    expect(await cesta('task', 'create')).toBe('usage.invalid');
    expect(await cesta('login', 'http://127.0.0.1:1', '--code', '000000')).toBe('network.unreachable');
    for (const verb of ['nodes', 'logout']) expect(await cesta(verb)).toBe('usage.invalid');
  });

  it('keeps to a sessions file that nobody else reads', async () => {
    const coordinator = await coordinatorFor();
    const first = credentialsOf(coordinator.firstOperator);
    await cesta('login', coordinator.url, '--token-file', tokenFile(first), '--code', now(first));
    chmodSync(sessions(), 0o644);
    expect(await cesta('nodes')).toBe('storage.failed');
    chmodSync(sessions(), 0o600);
    writeFileSync(sessions(), '{"http://127.0.0.1":{}}');
    expect(await cesta('nodes')).toBe('storage.failed');
  });
});

describe('tasks on the command line', () => {
  it('are made of a file, shown, paused, resumed and cancelled', async () => {
    const coordinator = await coordinatorFor();
    const first = credentialsOf(coordinator.firstOperator);
    await cesta('login', coordinator.url, '--token-file', tokenFile(first), '--code', now(first));
    const file = join(temporaryFolder(), 'task.json');
    writeFileSync(file, JSON.stringify(taskInput({ name: 'second' })));
    expect(await json('task', 'create', file)).toMatchObject({ name: 'second', state: 'active', version: null });
    expect(await cesta('task', 'create', file)).toBe('task.exists');
    expect(await cesta('task', 'show', 'second')).toMatch(/second .*active .*popularity/);
    expect([await json('task', 'pause', 'second'), await json('task', 'resume', 'second'), await json('task', 'cancel', 'second')]).toMatchObject([{ state: 'paused' }, { state: 'active' }, { state: 'cancelled' }]);
    expect(await cesta('task', 'pause', 'second')).toBe('task.state');
    expect(await json('task', 'list')).toMatchObject({ tasks: [{ name: 'trial', state: 'active' }, { name: 'second', state: 'cancelled' }] });
    expect(await cesta('task', 'show', '../operators')).toBe('task.not-found');
    writeFileSync(file, '{');
    expect(await cesta('task', 'create', file)).toBe('plan.invalid');
    expect(await cesta('task', 'create', join(home, 'nowhere'))).toBe('data.not-found');
    expect(await cesta('releases', 'rollback', '--task', 'other')).toBe('task.not-found');
  });

  it('have releases, which are listed, promoted and rolled back', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ rounds: 2 }) });
    const first = credentialsOf(coordinator.firstOperator);
    await cesta('login', coordinator.url, '--token-file', tokenFile(first), '--code', now(first));
    const releases = (...args: string[]): Promise<unknown> => json('releases', args[0], '--task', 'trial', ...args.slice(1));
    expect(await cesta('releases', 'list', '--task', 'trial')).toContain('There are no releases');
    const { clients } = await runRound(coordinator.url, ['a', 'b']);
    expect(await cesta('releases', 'rollback', '--task', 'trial')).toBe('release.state');
    await Promise.all(clients.map((client) => takePart(client)));
    expect(await releases('list')).toMatchObject({ releases: [{ version: 2, state: 'serving' }, { version: 1, state: 'served' }], next: null });
    expect(await releases('rollback')).toMatchObject({ version: 3, restores: 1 });
    expect(await releases('promote', '2')).toMatchObject({ version: 4, restores: 2 });
    expect(await cesta('releases', 'promote', '2', '--task', 'trial')).toBe('release.state');
    expect(await cesta('releases', 'reject', '1', '--task', 'trial')).toBe('release.state');
    expect(await cesta('releases', 'promote', '9', '--task', 'trial')).toBe('release.not-found');
    expect(await cesta('releases', 'list', '--task', 'trial', '--limit', '2')).toMatch(/4 .*serving .*2 [^]*3 .*served .*1 [^]*--before 3/);
    expect((await fetch(`${coordinator.url}/v1/model`)).headers.get('cesta-version')).toBe('4');
    expect(await cesta('operator', 'log')).toMatch(/release.promote .*trial 9 .*release.not-found[^]*release.promote .*trial 2 .*done/);
  });

  it('start from an example that can be planned as it is printed', async () => {
    const spec = parseTaskSpec(JSON.parse(await cesta('task', 'create', '--example')));
    expect(spec).toEqual(parseTaskSpec(exampleTask(new Date())));
    const catalogue = createCatalogue(Array.from({ length: 50 }, (_, item) => ({ id: `${item}`, title: `tea mug number ${item}` })));
    const model = createModel(spec.model.kind, catalogue, spec.model.hyperParameters);
    expect(makePlan(spec, { model, catalogue, roundNumber: 1, baseRelease: null }).task).toBe('example');
  });
});

describe('a question on the terminal', () => {
  const terminal = () => {
    const input = Object.assign(new PassThrough(), { isTTY: true });
    const shown: string[] = [];
    return { input, shown, output: new PassThrough().on('data', (chunk: Buffer) => void shown.push(chunk.toString())) };
  };

  it('does not show what is typed when that is hidden', async () => {
    const { input, shown, output } = terminal();
    const answer = ask('Token', { hidden: true, instead: '' }, { input, output });
    input.write('cesta_secret\r');
    expect(await answer).toBe('cesta_secret');
    expect(shown.join('')).toBe('Token: \n');
    const code = ask('Code', { hidden: false, instead: '' }, { input, output });
    input.write(' 123456 \r');
    expect(await code).toBe('123456');
    expect(shown.join('')).toContain('123456');
  });

  it('is not asked where there is no terminal, and may be left', async () => {
    const { input, output } = terminal();
    await expect(ask('Token', { hidden: true, instead: '--token-file' }, { input: new PassThrough(), output })).rejects.toMatchObject({ code: 'usage.invalid', message: expect.stringContaining('--token-file') as string });
    const left = ask('Code', { hidden: false, instead: '' }, { input, output });
    input.write('\u0003');
    await expect(left).rejects.toMatchObject({ code: 'usage.invalid' });
  });
});
