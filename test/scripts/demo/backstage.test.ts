/** The backstage starts processes: whoever presses its buttons must have its page. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from 'node:http';
import { serveBackstage, tokenHeader, type Backstage } from '../../../scripts/demo/backstage/serve.ts';
import type { BackstageState } from '../../../scripts/demo/backstage/state.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';

const state: BackstageState = {
  federation: { shops: 5, rounds: 3, epsilon: 3, mode: 'distributed', robust: null }, links: { dashboard: '', shop: '' }, target: null, baselines: [], releases: [], isOver: false,
  malicious: { state: 'absent', rounds: [], error: null }, comparison: { state: 'idle' }, attackersView: { state: 'idle' },
};

describe('the backstage', () => {
  const pressed: string[] = [];
  let backstage: Backstage;
  let token = '';
  beforeAll(async () => {
    backstage = await serveBackstage({
      port: 0, state: () => state,
      actions: {
        addMaliciousShop: () => void pressed.push('add'),
        removeMaliciousShop: () => Promise.resolve(),
        startComparison: () => {
          throw new CestaError('backstage.busy', 'comparison: expected no job under way, got attackersView');
        },
        startAttackersView: () => void pressed.push('view'),
      },
    });
    const page = await fetch(backstage.url);
    token = /data-token="([0-9a-f]{64})"/.exec(await page.text())?.[1] ?? '';
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  });
  afterAll(() => backstage.close());

  const origin = (): string => new URL(backstage.url).origin;
  /** Any header may be said, as browsers do not let pages do. */
  function ask(method: string, path: string, headers: Record<string, string>): Promise<{ status: number; body: unknown }> {
    return new Promise((resolve, reject) => {
      request(new URL(path, backstage.url), { method, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => void (text += part)).on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      }).on('error', reject).end();
    });
  }

  it('does what its own page asks, and answers with the state', async () => {
    expect(await ask('POST', '/api/malicious-shop', { [tokenHeader]: token, origin: origin() })).toEqual({ status: 200, body: state });
    expect(pressed).toEqual(['add']);
    expect((await ask('GET', '/api/state', { [tokenHeader]: token })).body).toEqual(state);
  });

  it('refuses whoever lacks the token, comes from another origin, or calls this machine by another name', async () => {
    const before = pressed.length;
    const strangers: Record<string, string>[] = [
      { origin: origin() },
      { origin: origin(), [tokenHeader]: token.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
      { [tokenHeader]: token, origin: 'https://elsewhere.example' },
      { [tokenHeader]: token },
      { [tokenHeader]: token, origin: origin(), host: 'elsewhere.example' },
    ];
    for (const headers of strangers) {
      expect(await ask('POST', '/api/attackers-view', headers)).toMatchObject({ status: 403, body: { error: { code: 'backstage.unauthorised' } } });
    }
    expect((await ask('GET', '/api/state', {})).status).toBe(403);
    expect(pressed).toHaveLength(before);
  });

  it('says in codes why a button did nothing', async () => {
    const headers = { [tokenHeader]: token, origin: origin() };
    expect(await ask('POST', '/api/comparison', headers)).toMatchObject({ status: 409, body: { error: { code: 'backstage.busy', hint: expect.stringContaining('One job') as string } } });
    expect(await ask('POST', '/api/nothing', headers)).toMatchObject({ status: 404, body: { error: { code: 'http.not-found' } } });
  });
});
