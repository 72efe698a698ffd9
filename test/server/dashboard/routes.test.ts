import { describe, expect, it } from 'vitest';
import { bundleForBrowsers } from '../../../server/web/bundle.ts';
import { coordinatorFor } from '../support/coordinators.ts';

const read = async (url: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; text: string }> => {
  const response = await fetch(url, { redirect: 'manual', ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe('the pages of the dashboard', () => {
  it('are where the root of the coordinator leads', async () => {
    const { url } = await coordinatorFor();
    const [root, folder] = [await read(`${url}/`), await read(`${url}/dashboard`)];
    expect([root.status, root.headers.get('location'), folder.status, folder.headers.get('location')]).toEqual([302, '/dashboard/', 308, '/dashboard/']);
  });

  it('come with a policy that lets in nothing from elsewhere, and have no script or style of their own', async () => {
    const { url } = await coordinatorFor();
    const page = await read(`${url}/dashboard/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.text).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=|https?:/i);
    const addresses = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address).filter((address) => /\.(js|css)$/.test(address));
    expect(addresses.toSorted()).toEqual(['dashboard.js', 'style.css']);
    for (const address of ['', ...addresses, 'nothing.js']) {
      const { headers, status } = await read(`${url}/dashboard/${address}`, { headers: { Origin: 'https://elsewhere.example' } });
      expect([address, status]).toEqual([address, address === 'nothing.js' ? 404 : 200]);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy.split('; ')).toEqual(expect.arrayContaining(["default-src 'self'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]));
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect([headers.get('access-control-allow-origin'), headers.get('cross-origin-resource-policy'), headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual([null, 'same-origin', 'nosniff', 'no-referrer']);
    }
  });

  it('load later what only a verification of the record needs', async () => {
    const { url } = await coordinatorFor();
    const { text } = await read(`${url}/dashboard/dashboard.js`);
    const [later] = /verify-[A-Z0-9]+\.js/.exec(text) ?? [];
    expect((await read(`${url}/dashboard/${later}`)).text).toContain('the last one in the log');
    expect(text).not.toContain('the last one in the log');
  });

  it('are not there where the operator wants none, while the API is', async () => {
    const { url } = await coordinatorFor({ dashboard: false });
    for (const path of ['/', '/dashboard', '/dashboard/', '/dashboard/dashboard.js']) {
      const { status, text } = await read(`${url}${path}`);
      expect([path, status, (JSON.parse(text) as { error: { code: string } }).error.code]).toEqual([path, 404, 'http.not-found']);
    }
    expect((await read(`${url}/v1/rounds/snapshot`)).status).toBe(200);
  });
});

describe('the bundler', () => {
  it('is missed by name, with what to do about that', async () => {
    const missing = (): Promise<never> => Promise.reject(Object.assign(new Error("Cannot find package 'esbuild' imported from /somewhere"), { code: 'ERR_MODULE_NOT_FOUND' }));
    const refusal = bundleForBrowsers({ dashboard: 'server/dashboard/page/main.tsx' }, { load: missing });
    await expect(refusal).rejects.toMatchObject({ code: 'page.unavailable', message: 'page: expected esbuild to put together server/dashboard/page/main.tsx, got none that could' });
  });

  it('says so where a source is not there', async () => {
    await expect(bundleForBrowsers({ page: 'server/dashboard/page/no-such-page.tsx' })).rejects.toMatchObject({ code: 'page.unavailable' });
  });
});
