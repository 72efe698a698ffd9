import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../server/http/openapi.ts';
import { actionsSchema, credentialsSchema } from '../../../server/http/admin-schemas.ts';
import { issueCertificate } from '../../../shared/identity/certificate.ts';
import { openAdminRig, rigKey, type AdminRig } from '../support/admin-rig.ts';
import { taskInput } from '../support/fixtures.ts';
import { memoryDesk } from '../support/memory-desk.ts';
import { nodeKey } from '../support/nodes.ts';

const bearer = (session: string) => ({ Authorization: `Bearer ${session}` });

async function deeds(rig: AdminRig, session: string): Promise<string[]> {
  const { actions } = actionsSchema.parse((await rig.call('GET', '/actions', { session })).body);
  return actions.map(({ operator, action, target, outcome }) => [operator, action, target, outcome].join(' '));
}

describe('every request of an operator', () => {
  it('needs a session that is in force, on every path that is documented but one', async () => {
    const rig = await openAdminRig({ desk: memoryDesk(), limits: { requestsPerAddress: { burst: 1_000, perSecond: 1 } } });
    const paths = Object.entries(openApiDocument()['paths'] as Record<string, Record<string, { security?: unknown }>>).filter(([path]) => path.startsWith('/v1/admin'));
    const operations = paths.flatMap(([path, methods]) => Object.entries(methods).map(([method, { security }]) => ({ path: path.slice('/v1/admin'.length).replaceAll(/\{\w+\}/g, '1'), method: method.toUpperCase(), security })));
    expect(operations.length).toBeGreaterThan(11);
    for (const { path, method, security } of operations) {
      const codes = [];
      for (const headers of [{}, bearer('0'.repeat(64)), bearer('x'), { Authorization: `Basic ${'0'.repeat(64)}` }]) codes.push((await rig.call(method, path, { headers })).code);
      if (security === undefined) expect([method, path]).toEqual(['POST', '/sessions']);
      else expect([method, path, ...codes]).toEqual([method, path, ...Array<string>(4).fill('admin.unauthorised')]);
    }
  });

  it('is answered without leave for other origins, and for nobody to keep', async () => {
    const rig = await openAdminRig();
    const session = await rig.logIn();
    const origin = { Origin: 'https://shop.example' };
    const answers = [
      await rig.call('GET', '/nodes', { session, headers: origin }),
      await rig.call('GET', '/nodes', { headers: origin }),
      await rig.call('GET', '/nowhere', { headers: origin }),
      await rig.call('POST', '/sessions', { headers: origin, body: {} }),
      await rig.call('OPTIONS', '/nodes', { headers: { ...origin, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 404, 400, 404]);
    for (const { headers } of answers) {
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect([headers.get('cache-control'), headers.get('cross-origin-resource-policy'), headers.get('x-content-type-options')]).toEqual(['no-store', 'same-origin', 'nosniff']);
    }
    expect((await fetch(`${rig.url}/healthz`)).headers.get('access-control-allow-origin')).toBe('*');
  });

  it('has a body that is JSON, small and strict, or none', async () => {
    const rig = await openAdminRig({ desk: memoryDesk() });
    const session = await rig.logIn();
    const post = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<string> => (await rig.call('POST', path, { session, body, headers })).code;
    expect(await post('/operators', { name: 'b', admin: true })).toBe('usage.invalid');
    expect(await post('/operators', { name: 'Not Allowed' })).toBe('usage.invalid');
    expect(await post('/operators', '{"name":')).toBe('protocol.malformed');
    expect(await post('/operators', '['.repeat(1_000))).toBe('protocol.malformed');
    expect(await post('/operators', { name: 'b' }, { 'Content-Type': 'text/plain' })).toBe('http.media-type');
    expect(await post('/operators', { name: 'x'.repeat(66_000) })).toBe('protocol.too-large');
    expect(await post('/tasks', { ...(taskInput() as object), surprise: 1 })).toBe('plan.invalid');
    expect(await post('/tasks/trial/pause', {})).toBe('usage.invalid');
    expect((await rig.call('GET', '/actions?limit=101', { session })).code).toBe('usage.invalid');
    expect((await rig.call('GET', '/actions?surprise=1', { session })).code).toBe('usage.invalid');
    // A refusal of the shape is no act of an operator.
    expect(await deeds(rig, session)).toEqual(['admin session.open  done']);
  });

  it('comes over TLS when the coordinator stands behind a proxy', async () => {
    const rig = await openAdminRig({ behindProxy: true });
    const body = { token: rig.first.token, code: rig.freshCode() };
    const codeWith = async (headers: Record<string, string>): Promise<string> => (await rig.call('POST', '/sessions', { body, headers })).code;
    expect([await codeWith({}), await codeWith({ 'X-Forwarded-Proto': 'http' }), await codeWith({ 'X-Forwarded-Proto': 'https, http' })]).toEqual(Array(3).fill('transport.insecure'));
    expect(await codeWith({ 'X-Forwarded-Proto': 'http, https' })).toBe('ok');
  });
});

describe('operators', () => {
  it('make others, whose credentials are shown once, and remove them with their sessions, but never the last', async () => {
    const rig = await openAdminRig();
    const session = await rig.logIn();
    const second = credentialsSchema.parse((await rig.call('POST', '/operators', { session, body: { name: 'second' } })).body);
    const other = await rig.logIn(second);
    expect((await rig.call('GET', '/operators', { session: other })).body).toMatchObject({ operators: [{ name: 'admin' }, { name: 'second' }] });
    expect((await rig.call('POST', '/operators', { session, body: { name: 'second' } })).code).toBe('operator.exists');
    expect((await rig.call('DELETE', '/operators/nobody', { session })).code).toBe('operator.unknown');
    const removals = await Promise.all([rig.call('DELETE', '/operators/second', { session }), rig.call('DELETE', '/operators/admin', { session: other })]);
    expect(removals.map(({ code }) => code).filter((code) => code === 'ok')).toHaveLength(1);
    const left = removals[0].code === 'ok' ? { name: 'admin', session } : { name: 'second', session: other };
    expect((await rig.call('GET', '/operators', { session: left.session === session ? other : session })).code).toBe('admin.unauthorised');
    expect((await rig.call('DELETE', `/operators/${left.name}`, { session: left.session })).code).toBe('operator.last');
    expect((await rig.storage.operators()).map(({ name }) => name)).toEqual([left.name]);
  });

  it('leave a trail of everything they change and of failures to log in, page by page', async () => {
    const rig = await openAdminRig({ desk: memoryDesk() });
    await rig.call('POST', '/sessions', { body: { token: rig.first.token, code: 'wrong' } });
    await rig.call('POST', '/sessions', { body: { token: 'unknown', code: 'wrong' } });
    const session = await rig.logIn();
    await rig.call('POST', '/tasks', { session, body: taskInput() });
    await rig.call('POST', '/tasks/trial/resume', { session });
    const cancelled = await rig.call('POST', '/tasks/trial/cancel', { session });
    await rig.call('GET', '/tasks', { session });
    await rig.call('DELETE', '/operators/admin', { session });
    const expected = ['admin operator.remove admin operator.last', 'admin task.cancel trial done', 'admin task.resume trial task.state', 'admin task.create trial done', 'admin session.open  done', 'admin session.open  admin.unauthorised'];
    expect(await deeds(rig, session)).toEqual(expected);
    const page = actionsSchema.parse((await rig.call('GET', '/actions?limit=2', { session })).body);
    expect([page.next, page.actions[1].request]).toEqual([5, cancelled.headers.get('cesta-request')]);
    expect(actionsSchema.parse((await rig.call('GET', `/actions?before=${page.next}&limit=100`, { session })).body)).toMatchObject({ next: null, actions: [{ number: 4 }, { number: 3 }, { number: 2 }, { number: 1 }] });
    expect(rig.logged()).toContain(`"action":"task.cancel","outcome":"done"`);
    expect(rig.logged()).toContain('login refused');
  });
});

describe('tasks', () => {
  it('are made, shown, paused, resumed and cancelled', async () => {
    const rig = await openAdminRig({ desk: memoryDesk() });
    const session = await rig.logIn();
    const made = await rig.call('POST', '/tasks', { session, body: taskInput() });
    expect(made.body).toMatchObject({ name: 'trial', state: 'active', model: 'popularity', mode: 'none', version: null });
    expect((await rig.call('POST', '/tasks', { session, body: taskInput() })).code).toBe('task.exists');
    const states = [];
    for (const verb of ['pause', 'resume', 'cancel']) states.push((await rig.call('POST', `/tasks/trial/${verb}`, { session })).body);
    expect(states).toMatchObject([{ state: 'paused' }, { state: 'active' }, { state: 'cancelled' }]);
    expect((await rig.call('GET', '/tasks/trial', { session })).body).toMatchObject({ state: 'cancelled' });
    expect((await rig.call('GET', '/tasks', { session })).body).toMatchObject({ tasks: [{ name: 'trial' }] });
    for (const [method, path] of [['GET', '/tasks/other'], ['POST', '/tasks/other/pause']] as const) expect((await rig.call(method, path, { session })).status).toBe(404);
  });
});

describe('nodes', () => {
  it('are listed with what they may do, where they stand and who came before them', async () => {
    const rig = await openAdminRig({ presence: { connected: () => ['open', 'enrolled'], ready: () => ['enrolled'], inRound: () => ['enrolled'] } });
    const { storage, clock } = rig;
    const certify = (shop: string, atMs: number, key = nodeKey(shop)) => issueCertificate(rigKey, { node: key.publicKey, shop, organisation: 'chain' }, atMs);
    const envelope = { node: rigKey.publicKey, statement: '00', signature: '00' };
    let seq = 0;
    const commit = (change: Parameters<typeof storage.commitIdentity>[1]) => storage.commitIdentity({ ...envelope, seq: (seq += 1), answer: { kind: 'done', body: {} } }, change);
    for (const [shop, atMs] of [['Enrolled', clock.date().getTime()], ['expired', 1_000_000_000_000], ['revoked', clock.date().getTime()]] as const) {
      await commit({ kind: 'token', token: { hash: shop, organisation: 'chain', expiresAt: '2030-01-01T00:00:00.000Z' } });
      await commit({ kind: 'enrol', certificate: certify(shop, atMs), tokenHash: shop, replaces: null });
    }
    await storage.pinNode('open', nodeKey('open').publicKey);
    await commit({ kind: 'revoke', node: nodeKey('revoked').publicKey, reason: 'expelled' });
    await commit({ kind: 'rotate', from: nodeKey('Enrolled').publicKey, certificate: certify('Enrolled', clock.date().getTime(), nodeKey('next')) });
    const { body } = await rig.call('GET', '/nodes', { session: await rig.logIn() });
    const { nodes } = body as { nodes: Record<string, unknown>[] };
    expect(nodes.map(({ name, publicKey, enrolment, connected, inRound, organisation }) => [name, publicKey, enrolment, connected, inRound, organisation])).toEqual([
      ['Enrolled', nodeKey('next').publicKey, 'enrolled', 'ready', true, 'chain'],
      ['Enrolled', nodeKey('Enrolled').publicKey, 'revoked', 'no', false, 'chain'],
      ['expired', nodeKey('expired').publicKey, 'expired', 'no', false, 'chain'],
      ['open', nodeKey('open').publicKey, 'open', 'yes', false, null],
      ['revoked', nodeKey('revoked').publicKey, 'revoked', 'no', false, 'chain'],
    ]);
    expect(nodes[1]).toMatchObject({ firstSeen: null, lastSeen: null });
  });
});
