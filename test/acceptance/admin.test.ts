/** The second factor of operators. */
import { describe, expect, it } from 'vitest';
import { totpStep } from '../../server/admin/totp.ts';
import { openApiDocument } from '../../server/http/openapi.ts';
import { openAdminRig } from '../server/support/admin-rig.ts';

const secret = new TextEncoder().encode('12345678901234567890');

/** RFC 6238, appendix B, SHA-1: seconds, step, code of eight digits. */
const vectors: [number, number, string][] = [[59, 0x1, '94287082'], [1111111109, 0x23523ec, '07081804'], [1111111111, 0x23523ed, '14050471'], [1234567890, 0x273ef07, '89005924'], [2000000000, 0x3f940aa, '69279037'], [20000000000, 0x27bc86aa, '65353130']];

interface Operation {
  readonly security?: unknown;
}

describe('capability 21: two factors for operators', () => {
  it.each(vectors)('capability 21: codes are those of RFC 6238 at %i s', (seconds, step, code) => {
    // Both lengths are remainders of the same number.
    expect(totpStep(secret, code.slice(2), seconds * 1000)).toBe(step);
  });

  it('capability 21: no route of operators answers with the token alone, a wrong code, or one that was used', async () => {
    const rig = await openAdminRig({ limits: { requestsPerAddress: { burst: 1_000, perSecond: 1 }, loginsPerAddress: { burst: 100, perSecond: 1 } } });
    const { token } = rig.first;
    const code = rig.freshCode();
    const wrong = code === '000000' ? '000001' : '000000';
    const logIn = async (body: unknown): Promise<string> => (await rig.call('POST', '/sessions', { body })).code;
    expect([await logIn({ token, code: wrong }), await logIn({ token, code: '' }), await logIn({ token })]).toEqual(['admin.unauthorised', 'admin.unauthorised', 'usage.invalid']);
    expect([await logIn({ token, code }), await logIn({ token, code })]).toEqual(['ok', 'admin.unauthorised']);
    const paths = openApiDocument()['paths'] as Record<string, Record<string, Operation>>;
    const routes = Object.entries(paths).filter(([path]) => path.startsWith('/v1/admin')).flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: path.slice('/v1/admin'.length).replaceAll(/\{\w+\}/g, '1') })));
    const guarded = routes.filter(({ method, path }) => !(method === 'POST' && path === '/sessions'));
    expect(guarded.length).toBe(routes.length - 1);
    expect(guarded.length).toBeGreaterThan(12);
    for (const { method, path } of guarded) {
      const answers = [await rig.call(method, path), await rig.call(method, path, { headers: { Authorization: `Bearer ${token}` } }), await rig.call(method, path, { session: token.slice(-64) })];
      expect([method, path, ...answers.map((answer) => answer.code)]).toEqual([method, path, 'admin.unauthorised', 'admin.unauthorised', 'admin.unauthorised']);
    }
  });

  it('capability 21: with both, every route knows the operator', async () => {
    const rig = await openAdminRig();
    const session = await rig.logIn();
    for (const path of ['/tasks', '/nodes', '/operators', '/actions']) expect((await rig.call('GET', path, { session })).status).toBe(200);
  });
});
