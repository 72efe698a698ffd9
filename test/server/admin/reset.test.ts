/** Whoever has the key of a coordinator may always make an operator: over the wire, at a coordinator that runs. */
import { describe, expect, it } from 'vitest';
import { createCredentials, type OperatorCredentials } from '../../../server/admin/credentials.ts';
import { operatorAnswerSchema } from '../../../shared/identity/requests.ts';
import type { Coordinator } from '../../../server/coordinator.ts';
import { codeOf } from '../support/codes.ts';
import { coordinatorFor } from '../support/coordinators.ts';
import { temporaryFolder } from '../support/folders.ts';
import { envelopeOf, nodeKey, operatorKey, post } from '../support/nodes.ts';

/** A code, by default the one of now. */
async function logIn({ url }: Coordinator, { token, otpauth }: OperatorCredentials, code = codeOf(otpauth, Date.now())): Promise<{ code: string; session: string }> {
  const body = JSON.stringify({ token, code });
  const response = await fetch(`${url}/v1/admin/sessions`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  const answer = (await response.json()) as { session?: string; error?: { code: string } };
  return { code: answer.error?.code ?? 'ok', session: answer.session ?? '' };
}

/** Still to come, and taken already: the clocks may be a step apart. */
const nextCode = ({ otpauth }: OperatorCredentials): string => codeOf(otpauth, Date.now() + 30_000);

const read = async ({ url }: Coordinator, session: string, path: string): Promise<Record<string, Record<string, unknown>[]>> =>
  (await fetch(`${url}/v1/admin/${path}`, { headers: { Authorization: `Bearer ${session}` } })).json() as Promise<Record<string, Record<string, unknown>[]>>;

describe('the first start of a coordinator', () => {
  it('makes one operator and tells who started it, and no later start does', async () => {
    const dataDir = temporaryFolder();
    const coordinator = await coordinatorFor({ dataDir });
    const first = coordinator.firstOperator;
    if (first === null) throw new Error('expected an operator');
    expect(first.name).toBe('admin');
    const used = codeOf(first.otpauth, Date.now());
    const { code, session } = await logIn(coordinator, first, used);
    expect(code).toBe('ok');
    expect(await read(coordinator, session, 'nodes')).toEqual({ nodes: [] });
    await coordinator.close();
    const again = await coordinatorFor({ dataDir });
    expect(again.firstOperator).toBeNull();
    // The code counted before the restart, and the session did not outlive it.
    expect((await logIn(again, first, used)).code).toBe('admin.unauthorised');
    expect((await logIn(again, first, nextCode(first))).code).toBe('ok');
    expect(Object.keys(await read(again, session, 'nodes'))).toEqual(['error']);
  });
});

describe('a start that fails', () => {
  it('leaves the first operator to the next one, who can show it', async () => {
    const taken = await coordinatorFor();
    const dataDir = temporaryFolder();
    await expect(coordinatorFor({ dataDir, port: Number(new URL(taken.url).port) })).rejects.toMatchObject({ code: 'network.port-in-use' });
    expect((await coordinatorFor({ dataDir })).firstOperator?.name).toBe('admin');
  });
});

describe('an operator made with the key of the coordinator', () => {
  it('takes the place of the one that had the name, whose token and sessions are worth nothing then', async () => {
    const dataDir = temporaryFolder();
    const coordinator = await coordinatorFor({ dataDir });
    const key = operatorKey(dataDir);
    const first = coordinator.firstOperator ?? createCredentials(key, 'nobody').shown;
    const { session } = await logIn(coordinator, first);
    const { shown, kept } = createCredentials(key, 'admin');
    const envelope = envelopeOf(key, key.publicKey, 'operator', { ...kept });
    const answer = await post(coordinator.url, envelope);
    expect([answer.code, operatorAnswerSchema.parse(answer.body)]).toEqual(['ok', { name: 'admin' }]);
    expect(await post(coordinator.url, envelope)).toEqual(answer);
    expect((await logIn(coordinator, first, nextCode(first))).code).toBe('admin.unauthorised');
    expect(Object.keys(await read(coordinator, session, 'nodes'))).toEqual(['error']);
    const next = await logIn(coordinator, shown);
    const { actions } = await read(coordinator, next.session, 'actions');
    expect(actions.filter(({ action }) => action === 'operator.reset')).toMatchObject([{ operator: 'key of the coordinator', target: 'admin', outcome: 'done', request: null }]);
    await coordinator.close();
    expect((await logIn(await coordinatorFor({ dataDir }), shown, nextCode(shown))).code).toBe('ok');
  });

  it('is refused to everybody else, and to a seal of another name or key', async () => {
    const dataDir = temporaryFolder();
    const { url } = await coordinatorFor({ dataDir });
    const key = operatorKey(dataDir);
    const stranger = nodeKey('stranger');
    const { kept } = createCredentials(key, 'second');
    expect((await post(url, envelopeOf(stranger, key.publicKey, 'operator', { ...kept }))).code).toBe('node.unauthorised');
    expect((await post(url, envelopeOf(key, key.publicKey, 'operator', { ...kept, name: 'third' }))).code).toBe('protocol.malformed');
    expect((await post(url, envelopeOf(key, key.publicKey, 'operator', { ...createCredentials(stranger, 'second').kept }))).code).toBe('protocol.malformed');
    expect((await post(url, envelopeOf(key, key.publicKey, 'operator', { ...kept, surprise: 1 }))).code).toBe('protocol.malformed');
  });
});
