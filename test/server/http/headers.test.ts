import { describe, expect, it } from 'vitest';
import { tlsFetch } from '../../../client/shop/tls.ts';
import { openApiDocument } from '../../../server/http/openapi.ts';
import { errorSchema } from '../../../server/http/schemas.ts';
import { coordinatorFor } from '../support/coordinators.ts';
import { clientTls, serverTls } from '../support/tls.ts';

const shop = 'https://shop.example';
const other = 'https://other.example';
const preflight = (origin: string, method: string) => ({ method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Method': method } });
const posts = Object.entries(openApiDocument()['paths'] as Record<string, object>).filter(([, operations]) => 'post' in operations).map(([path]) => path);
/** The others look at who asks first. */
const open = posts.filter((path) => !path.startsWith('/v1/admin') || path === '/v1/admin/sessions');

describe('answers to other origins', () => {
  it('are for those that are named, and say that they depend on it', async () => {
    const { url } = await coordinatorFor({ corsOrigins: [shop, 'http://localhost:3000'] });
    for (const [origin, allowed] of [[shop, shop], ['http://localhost:3000', 'http://localhost:3000'], [other, null], [`${shop}.evil.example`, null]] as const) {
      const { headers } = await fetch(`${url}/healthz`, { headers: { Origin: origin } });
      expect([origin, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([origin, allowed, 'Origin']);
    }
    const answer = await fetch(`${url}/v1/model`, preflight(shop, 'GET'));
    expect([answer.status, answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')]).toEqual([204, shop, 'Origin']);
    expect((await fetch(`${url}/v1/model`, preflight(other, 'GET'))).headers.get('access-control-allow-methods')).toBeNull();
  });

  it('are for all by default, and do not depend on who asks', async () => {
    const { url } = await coordinatorFor();
    const { headers } = await fetch(`${url}/healthz`, { headers: { Origin: shop } });
    expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual(['*', null]);
  });

  it('never allow a page to post', async () => {
    const { url } = await coordinatorFor({ corsOrigins: [shop] });
    expect(posts.length).toBeGreaterThanOrEqual(2);
    for (const path of posts) {
      const asked = await fetch(`${url}${path}`, preflight(shop, 'POST'));
      expect([path, asked.headers.get('access-control-allow-origin'), asked.headers.get('access-control-allow-methods')]).toEqual([path, null, null]);
      const posted = await fetch(`${url}${path}`, { method: 'POST', body: 'x', headers: { Origin: shop } });
      expect([path, posted.headers.get('access-control-allow-origin')]).toEqual([path, null]);
    }
  });
});

describe('what is posted', () => {
  it.each(open)('to %s must say what it is, and has an end', async (path) => {
    const { url } = await coordinatorFor();
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/html', '']) {
      const response = await fetch(`${url}${path}`, { method: 'POST', body: new Uint8Array(8), headers: type === '' ? {} : { 'Content-Type': type } });
      expect([type, response.status, errorSchema.parse(await response.json()).error.code]).toEqual([type, 415, 'http.media-type']);
    }
    const document = openApiDocument()['paths'] as Record<string, { post: { requestBody: { content: object } } }>;
    const [right] = Object.keys(document[path].post.requestBody.content);
    const tooLong = await fetch(`${url}${path}`, { method: 'POST', body: 'x'.repeat(1 << 20), headers: { 'Content-Type': right } });
    expect(errorSchema.parse(await tooLong.json()).error.code).toBe('protocol.too-large');
  });
});

describe('HEAD', () => {
  it.each(['/healthz', '/readyz', '/metrics', '/.well-known/cesta.json', '/v1/openapi.json', '/v1/catalogue', '/v1/rounds', '/v1/budget', '/v1/log/checkpoint'])('of %s is GET without a body', async (path) => {
    const { url } = await coordinatorFor();
    const [head, get] = [await fetch(`${url}${path}`, { method: 'HEAD' }), await fetch(`${url}${path}`)];
    expect([head.status, await head.text(), head.headers.get('content-type')]).toEqual([200, '', get.headers.get('content-type')]);
  });
});

describe('over TLS', () => {
  it('browsers are told to stay there, but not for the name that other servers of this machine have, too', async () => {
    const { url } = await coordinatorFor({ tls: serverTls });
    const hsts = async (host: string): Promise<string | null> => new Promise((resolve, reject) => {
      void import('node:https').then(({ get }) => get(`${url}/healthz`, { ca: clientTls.ca, servername: 'localhost', headers: { Host: host } }, (response) => {
        response.resume();
        resolve(response.headers['strict-transport-security'] ?? null);
      }).on('error', reject));
    });
    expect(await hsts('cesta.example.org')).toBe('max-age=31536000');
    expect(await hsts('localhost')).toBeNull();
    expect((await tlsFetch({ ca: clientTls.ca })(`${url}/healthz`)).status).toBe(200);
    const clear = await coordinatorFor();
    expect((await fetch(`${clear.url}/healthz`)).headers.get('strict-transport-security')).toBeNull();
  });
});
