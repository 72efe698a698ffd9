/** TLS and mutual TLS between a real coordinator and real shop nodes, and what is refused without. */
import { connect } from 'node:net';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { enrolNode } from '../../client/shop/enrolment.ts';
import { tlsSockets } from '../../client/shop/node-socket.ts';
import { startShopNode, type ShopNode } from '../../client/shop/shop-node.ts';
import { tlsFetch, type ClientTls } from '../../client/shop/tls.ts';
import { issueToken } from '../../scripts/operator.ts';
import { codeOf } from '../client/fakes.ts';
import { coordinatorFor } from '../server/support/coordinators.ts';
import { catalogue, taskInput } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';
import { clientTls, pem, serverTls } from '../server/support/tls.ts';

function start(url: string, tls: ClientTls, stateDir = temporaryFolder()): ShopNode {
  const dataset = { name: 'test', catalogue, shoppers: [], report: { lines: 0, used: 0, complaints: [] } };
  const node = startShopNode({ shop: 'corner-shop', dataset, coordinator: new URL(url), stateDir, logger: pino({ level: 'silent' }), once: true, fetch: tlsFetch(tls), openSocket: tlsSockets(tls) });
  onTestFinished(() => node.close());
  return node;
}

const firstLoss = (node: ShopNode) => new Promise<string>((resolve) => node.onEvent((event) => void (event.kind === 'down' && resolve(event.reason))));
const task = taskInput({ min: 1, target: 1 });
const { ca } = clientTls;

describe('a coordinator over TLS', () => {
  it('enrols a shop and takes it through a round, all of it encrypted', async () => {
    const dataDir = temporaryFolder();
    const stateDir = temporaryFolder();
    const { url } = await coordinatorFor({ dataDir, task, tls: serverTls, identity: { enrolment: 'required' } });
    expect(new URL(url).protocol).toBe('https:');
    const fetch = tlsFetch({ ca });
    const coordinator = new URL(url);
    const { token } = await issueToken({ coordinator, dataDir, fetch }, 'corner', 24);
    await enrolNode({ shop: 'corner-shop', stateDir, coordinator, token, fetch });
    expect(await start(url, { ca }, stateDir).done).toMatchObject({ rounds: 1, ended: 'once' });
  });

  it('is not believed when an unknown authority signed its certificate', async () => {
    const { url } = await coordinatorFor({ task, tls: serverTls });
    expect(await firstLoss(start(url, {}))).toMatch(/certificate|self-signed|issuer/i);
    await expect(tlsFetch({})(`${url}/healthz`)).rejects.toThrow(/certificate|issuer/i);
  });

  it('answers conditional requests as it does in the clear', async () => {
    const { url } = await coordinatorFor({ tls: serverTls });
    const response = await tlsFetch({ ca })(`${url}/v1/catalogue`);
    const etag = response.headers.get('ETag') ?? '';
    expect(etag).toBe(`"${catalogue.hash}"`);
    expect((await tlsFetch({ ca })(`${url}/v1/catalogue`, { headers: { 'If-None-Match': etag } })).status).toBe(304);
  });

  it('does not answer in the clear', async () => {
    const { url } = await coordinatorFor({ tls: serverTls });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let heard = '';
    socket.on('data', (data: Buffer) => (heard += data.toString('latin1'))).on('error', () => undefined);
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => void socket.once('close', resolve));
    expect(heard).not.toContain('HTTP/1.1 200');
  });

  it('stops though nobody answers', async () => {
    const coordinator = await coordinatorFor({ task, tls: serverTls });
    const socket = connect(Number(new URL(coordinator.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    await new Promise((resolve) => void socket.once('connect', resolve));
    await coordinator.close();
    socket.destroy();
  });
});

describe('mutual TLS', () => {
  const mutual = { ...serverTls, clientCa: pem('ca.crt') };

  it('takes a shop with a certificate of the authority through a round', async () => {
    const { url } = await coordinatorFor({ task, tls: mutual });
    expect(await start(url, clientTls).done).toMatchObject({ rounds: 1 });
  });

  it('does not hear peers without one', async () => {
    const { url } = await coordinatorFor({ task, tls: mutual });
    await expect(tlsFetch({ ca })(`${url}/healthz`)).rejects.toThrow();
    expect(await firstLoss(start(url, { ca }))).not.toBe('');
    expect((await tlsFetch(clientTls)(`${url}/healthz`)).status).toBe(200);
  });
});

describe('credentials', () => {
  it('come in pairs, and belong together', async () => {
    expect(await codeOf(() => tlsFetch({ cert: clientTls.cert }))).toBe('config.invalid');
    expect(await codeOf(() => tlsSockets({ key: clientTls.key }))).toBe('config.invalid');
    expect(await codeOf(() => coordinatorFor({ tls: { cert: serverTls.cert, key: clientTls.key } }))).toBe('config.invalid');
    expect(await codeOf(() => coordinatorFor({ tls: { cert: 'none', key: 'none' } }))).toBe('config.invalid');
  });
});

describe('a coordinator in the clear', () => {
  it.each(['0.0.0.0', '::', '10.0.0.1'])('does not listen on %s', async (host) => {
    expect(await codeOf(() => coordinatorFor({ host }))).toBe('transport.insecure');
  });

  it('may, where a proxy ends TLS, and with TLS of its own', async () => {
    await coordinatorFor({ host: '0.0.0.0', behindTlsProxy: true });
    const { url } = await coordinatorFor({ host: '0.0.0.0', tls: serverTls });
    expect((await tlsFetch({ ca })(`${url}/healthz`)).status).toBe(200);
  });
});
