import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openOperators } from '../../../server/admin/operators.ts';
import { codeOf } from '../support/codes.ts';
import { openAdminRig, rigKey, type AdminAnswer, type AdminRig } from '../support/admin-rig.ts';
import { silent } from '../support/fixtures.ts';

const wrongToken = `cesta_${'0'.repeat(64)}`;
const logIn = (rig: AdminRig, token: string, code: string, headers: Record<string, string> = {}): Promise<AdminAnswer> => rig.call('POST', '/sessions', { body: { token, code }, headers });

/** A code of six digits that counts neither now nor a step away. */
function wrongCode({ clock, first }: AdminRig): string {
  const right = [-30_000, 0, 30_000].map((offset) => codeOf(first.otpauth, clock.date().getTime() + offset));
  return ['000000', '000001', '000002', '000003'].find((code) => !right.includes(code)) ?? '';
}

describe('a login', () => {
  it('opens a session for the token and a code, which is good until it is ended', async () => {
    const rig = await openAdminRig();
    const { status, body } = await logIn(rig, rig.first.token, rig.freshCode());
    expect([status, body]).toEqual([200, { session: expect.stringMatching(/^[0-9a-f]{64}$/) as string, operator: 'admin', expiresAt: new Date(rig.clock.date().getTime() + 12 * 3_600_000).toISOString() }]);
    const { session } = body as { session: string };
    expect((await rig.call('GET', '/operators', { session })).code).toBe('ok');
    expect((await rig.call('DELETE', '/sessions', { session })).body).toEqual({});
    expect((await rig.call('GET', '/operators', { session })).code).toBe('admin.unauthorised');
  });

  it('ends by itself', async () => {
    const rig = await openAdminRig();
    const session = await rig.logIn();
    rig.clock.advance(30 * 60_000);
    const { status, code } = await rig.call('GET', '/nodes', { session });
    expect([status, code]).toEqual([401, 'admin.unauthorised']);
  });

  it('is refused in the same words for a wrong token, a wrong code and both', async () => {
    const rig = await openAdminRig();
    const fresh = rig.freshCode();
    const answers = [await logIn(rig, wrongToken, fresh), await logIn(rig, rig.first.token, wrongCode(rig)), await logIn(rig, 'guess', 'guess'), await logIn(rig, rig.first.token, '')];
    for (const { status, text } of answers) expect([status, text]).toEqual([401, answers[0].text]);
    expect(answers[0].code).toBe('admin.unauthorised');
    expect((await logIn(rig, rig.first.token, fresh)).code).toBe('ok');
  });

  it('takes a code once, also at the same moment, later in its window and after a restart', async () => {
    const rig = await openAdminRig();
    const code = rig.freshCode();
    const codes = (await Promise.all([1, 2, 3].map(() => logIn(rig, rig.first.token, code)))).map((answer) => answer.code);
    expect(codes.sort()).toEqual(['admin.unauthorised', 'admin.unauthorised', 'ok']);
    rig.clock.advance(29_000);
    expect((await logIn(rig, rig.first.token, code)).code).toBe('admin.unauthorised');
    const restarted = await openOperators({ storage: rig.storage, key: rigKey, clock: rig.clock, logger: silent });
    expect(await restarted.makeFirst()).toBeNull();
    await expect(restarted.verify(rig.first.token, code)).rejects.toMatchObject({ code: 'admin.unauthorised' });
    await expect(restarted.verify(rig.first.token, rig.freshCode())).resolves.toMatchObject({ name: 'admin' });
  });

  it('does not take a code that is older than one that counted', async () => {
    const rig = await openAdminRig();
    const older = codeOf(rig.first.otpauth, rig.clock.date().getTime());
    await rig.logIn();
    expect((await logIn(rig, rig.first.token, older)).code).toBe('admin.unauthorised');
  });

  it('has to wait after five failures with one token, known or not, until time has passed', async () => {
    const rig = await openAdminRig({ limits: { loginsPerAddress: { burst: 100, perSecond: 1 } } });
    for (const token of [rig.first.token, wrongToken]) {
      const codes = [];
      for (let i = 0; i < 6; i += 1) codes.push((await logIn(rig, token, wrongCode(rig))).code);
      expect(codes).toEqual([...Array<string>(5).fill('admin.unauthorised'), 'limit.rate']);
    }
    // Neither failures with another token nor a right code end the wait.
    expect((await logIn(rig, rig.first.token, rig.freshCode())).code).toBe('limit.rate');
    rig.clock.advance(300_000);
    expect((await logIn(rig, rig.first.token, rig.freshCode())).code).toBe('ok');
  });

  it('does not make an operator wait for what is tried with other tokens', async () => {
    const rig = await openAdminRig({ limits: { loginsPerAddress: { burst: 100, perSecond: 1 } } });
    for (let i = 0; i < 8; i += 1) await logIn(rig, wrongToken, rig.freshCode());
    expect((await logIn(rig, rig.first.token, rig.freshCode())).code).toBe('ok');
  });

  it('is limited by address, as are requests with a wrong session', async () => {
    const rig = await openAdminRig({ limits: { loginsPerAddress: { burst: 2, perSecond: 0.001 }, requestsPerAddress: { burst: 2, perSecond: 0.001 } } });
    const logins = [];
    for (let i = 0; i < 3; i += 1) logins.push((await logIn(rig, `${i}`, '000000')).code);
    expect(logins).toEqual(['admin.unauthorised', 'admin.unauthorised', 'limit.rate']);
    const requests = [];
    for (let i = 0; i < 3; i += 1) requests.push((await rig.call('GET', '/tasks', { session: '0'.repeat(64) })).code);
    expect(requests).toEqual(['admin.unauthorised', 'admin.unauthorised', 'limit.rate']);
  });

  it('leaves no secret in the log, the database or the answers to others', async () => {
    const rig = await openAdminRig();
    const code = rig.freshCode();
    await logIn(rig, rig.first.token, wrongCode(rig));
    const { session } = (await logIn(rig, rig.first.token, code)).body as { session: string };
    const added = (await rig.call('POST', '/operators', { session, body: { name: 'second' } })).body as { token: string; otpauth: string };
    const trail = (await rig.call('GET', '/actions', { session })).text;
    const secrets = [rig.first, added].flatMap(({ token, otpauth }) => [token, token.slice(6), new URL(otpauth).searchParams.get('secret') ?? '', secretHex(otpauth)]);
    const disk = readdirSync(rig.folder).map((file) => readFileSync(join(rig.folder, file)).toString('latin1')).join('');
    expect(disk).toContain('operator_actions');
    expect(rig.logged()).toContain('operator acted');
    for (const secret of [...secrets, session]) {
      expect(secret.length).toBeGreaterThan(20);
      for (const text of [disk, rig.logged(), trail]) expect(text.includes(secret)).toBe(false);
    }
  });
});

function secretHex(otpauth: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...(new URL(otpauth).searchParams.get('secret') ?? '')].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return (bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2).toString(16).padStart(2, '0')).join('');
}
