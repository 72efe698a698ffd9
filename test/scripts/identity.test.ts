/** From a token to a round and out again: a real coordinator and real shop nodes over real sockets. */
import { existsSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { enrolNode, renewNode, replaceKey, rotateKey } from '../../client/shop/enrolment.ts';
import { readCertificate } from '../../client/shop/certificate-file.ts';
import { takeNumber } from '../../client/shop/sequence-files.ts';
import { startShopNode, type ShopNode, type ShopNodeOptions } from '../../client/shop/shop-node.ts';
import { openStateFolder } from '../../client/shop/state-folder.ts';
import { issueToken, revokeNode } from '../../scripts/operator.ts';
import type { Coordinator } from '../../server/coordinator.ts';
import type { CoordinatorOptions } from '../../server/coordinator-options.ts';
import type { Fetch } from '../../client/http.ts';
import { codeOf } from '../client/fakes.ts';
import { coordinatorFor } from '../server/support/coordinators.ts';
import { catalogue, taskInput } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';

interface House {
  readonly coordinator: Coordinator;
  readonly dataDir: string;
  readonly stateDir: string;
  readonly operator: { coordinator: URL; dataDir: string };
}

async function house(options: Partial<CoordinatorOptions> = {}, dataDir = temporaryFolder()): Promise<House> {
  const coordinator = await coordinatorFor({ dataDir, task: taskInput({ min: 1, target: 1 }), ...options, identity: { enrolment: 'required', ...options.identity } });
  return { coordinator, dataDir, stateDir: temporaryFolder(), operator: { coordinator: new URL(coordinator.url), dataDir } };
}

const nodeOf = ({ stateDir, operator }: House, shop = 'corner-shop') => ({ shop, stateDir, coordinator: operator.coordinator });

async function enrol(at: House, shop = 'corner-shop', organisation = 'corner'): Promise<void> {
  const { token } = await issueToken(at.operator, organisation, 24);
  await enrolNode({ ...nodeOf(at, shop), token });
}

function start(at: House, shop = 'corner-shop', changes: Partial<ShopNodeOptions> = {}): ShopNode {
  const dataset = { name: 'test', catalogue, shoppers: [], report: { lines: 0, used: 0, complaints: [] } };
  const node = startShopNode({ ...nodeOf(at, shop), dataset, logger: pino({ level: 'silent' }), ...changes });
  onTestFinished(() => node.close());
  return node;
}

/** How a node fares: `up`, or the code it ended with. */
function fate(node: ShopNode): Promise<string> {
  return new Promise((resolve) => {
    node.onEvent((event) => {
      if (event.kind === 'up') resolve('up');
      if (event.kind === 'over' && event.error !== null) resolve(event.error.code);
    });
  });
}

/** Requests arrive and their answers do not. */
const losingAnswers: Fetch = async (url, init) => {
  const response = await fetch(url, init);
  if (init?.method === 'POST') throw new Error('connection reset');
  return response;
};

const ended = (node: ShopNode) => codeOf(() => node.done);

describe('a shop at a coordinator that requires enrolment', () => {
  it('is refused, then enrolled by a token, joins, is revoked, cut off, and refused from then on', async () => {
    const at = await house();
    expect(await fate(start(at))).toBe('enrolment.required');
    await enrol(at);
    const node = start(at);
    expect(await fate(node)).toBe('up');
    const { publicKey } = openStateFolder(at.stateDir, 'corner-shop').key;
    expect(await revokeNode(at.operator, { shop: 'corner-shop' }, 'expelled')).toEqual({ node: publicKey, shop: 'corner-shop', reason: 'expelled' });
    expect(await ended(node)).toBe('node.revoked');
    expect(await fate(start(at))).toBe('node.revoked');
    await at.coordinator.close();
    const again = { ...(await house({}, at.dataDir)), stateDir: at.stateDir };
    expect(await fate(start(again))).toBe('node.revoked');
  });

  it('takes part in a round and gets its release', async () => {
    const at = await house();
    await enrol(at);
    const summary = await start(at, 'corner-shop', { once: true }).done;
    expect(summary).toMatchObject({ rounds: 1, ended: 'once' });
  });

  it('comes back with its certificate after both sides were restarted', async () => {
    const at = await house();
    await enrol(at);
    await at.coordinator.close();
    expect(await fate(start({ ...(await house({}, at.dataDir)), stateDir: at.stateDir }))).toBe('up');
  });

  it('gains nothing by a certificate that it stole', async () => {
    const at = await house();
    await enrol(at);
    const stolen = readFileSync(join(at.stateDir, 'corner-shop', 'certificate.json'), 'utf8');
    const thief = { ...at, stateDir: temporaryFolder() };
    const { path } = openStateFolder(thief.stateDir, 'corner-shop');
    writeFileSync(join(path, 'certificate.json'), stolen);
    // A careful node does not even show it; a careless one would be refused for the key it proves.
    expect(readCertificate(openStateFolder(thief.stateDir, 'corner-shop'))).toBeNull();
    expect(await fate(start(thief))).toBe('enrolment.required');
  });

  it('cannot use a token twice, nor one that another coordinator issued', async () => {
    const at = await house();
    const { token } = await issueToken(at.operator, 'corner', 24);
    await enrolNode({ ...nodeOf(at), token });
    expect(await codeOf(() => enrolNode({ ...nodeOf(at, 'other-shop'), token }))).toBe('enrolment.token-used');
    const elsewhere = await house();
    const foreign = await issueToken(elsewhere.operator, 'corner', 24);
    expect(await codeOf(() => enrolNode({ ...nodeOf(at, 'other-shop'), token: foreign.token }))).toBe('enrolment.token-invalid');
    expect(await codeOf(() => enrolNode({ ...nodeOf(at, 'other-shop'), token: 'guess' }))).toBe('enrolment.token-invalid');
  });

  it('pins the coordinator that certified it, and believes no other', async () => {
    const at = await house();
    await enrol(at);
    expect(openStateFolder(at.stateDir, 'corner-shop').coordinatorKey).toBe(at.coordinator.publicKey);
    const impostor = await house();
    const { token } = await issueToken(impostor.operator, 'corner', 24);
    expect(await codeOf(() => enrolNode({ ...nodeOf({ ...impostor, stateDir: at.stateDir }), token }))).toBe('node.unauthorised');
    expect(await codeOf(() => enrolNode({ ...nodeOf(impostor, 'fresh'), token, coordinatorKey: '0'.repeat(64) }))).toBe('node.unauthorised');
  });

  it('finds no more seats than its organisation has, until one is free', async () => {
    const at = await house({ identity: { nodesPerOrganisation: 1 }, task: taskInput({ min: 3, target: 3 }) });
    for (const [shop, organisation] of [['a', 'chain'], ['b', 'chain'], ['c', 'other']] as const) await enrol(at, shop, organisation);
    const a = start(at, 'a');
    expect(await fate(a)).toBe('up');
    const b = start(at, 'b');
    const down = await new Promise<string>((resolve) => b.onEvent((event) => void (event.kind === 'down' && resolve(event.reason))));
    expect(down).toContain('enrolment.organisation-full');
    expect(await fate(start(at, 'c'))).toBe('up');
    await a.close();
    expect(await fate(b)).toBe('up');
  });
});

describe('the state of an enrolled shop', () => {
  it('renews its certificate, and exchanges its key for another that may join', async () => {
    const at = await house();
    await enrol(at);
    const before = openStateFolder(at.stateDir, 'corner-shop').key.publicKey;
    expect((await renewNode(nodeOf(at))).cert.node).toBe(before);
    const { from, certificate } = await rotateKey(nodeOf(at));
    const state = openStateFolder(at.stateDir, 'corner-shop');
    expect([from, state.key.publicKey]).toEqual([before, certificate.cert.node]);
    expect(state.key.publicKey).not.toBe(before);
    expect(await fate(start(at))).toBe('up');
    for (const file of readdirSync(state.path)) if (file.startsWith('shop.key')) expect([file, statSync(join(state.path, file)).mode & 0o777]).toEqual(['shop.key', 0o600]);
  });

  it('keeps its old key when the hand-over is refused', async () => {
    const at = await house();
    const { publicKey } = openStateFolder(at.stateDir, 'corner-shop').key;
    expect(await codeOf(() => rotateKey(nodeOf(at)))).toBe('enrolment.required');
    expect(openStateFolder(at.stateDir, 'corner-shop').key.publicKey).toBe(publicKey);
  });

  it('finishes a hand-over whose answer was lost', async () => {
    const at = await house();
    await enrol(at);
    const before = openStateFolder(at.stateDir, 'corner-shop').key.publicKey;
    expect(await codeOf(() => rotateKey({ ...nodeOf(at), fetch: losingAnswers }))).toBe('network.unreachable');
    expect(openStateFolder(at.stateDir, 'corner-shop').key.publicKey).toBe(before);
    const { certificate } = await rotateKey(nodeOf(at));
    expect(openStateFolder(at.stateDir, 'corner-shop').key.publicKey).toBe(certificate.cert.node);
    expect(await fate(start(at))).toBe('up');
  });

  it('finishes a hand-over when the node died before the new key took the place of the old one', async () => {
    const at = await house();
    await enrol(at);
    const { path } = openStateFolder(at.stateDir, 'corner-shop');
    const oldKey = readFileSync(join(path, 'shop.key'));
    let pending = '';
    const watching: Fetch = (url, init) => {
      if (init?.method === 'POST') pending = readFileSync(join(path, 'request.json'), 'utf8');
      return fetch(url, init);
    };
    const { certificate } = await rotateKey({ ...nodeOf(at), fetch: watching });
    renameSync(join(path, 'shop.key'), join(path, 'shop.key.next'));
    writeFileSync(join(path, 'shop.key'), oldKey, { mode: 0o600 });
    writeFileSync(join(path, 'request.json'), pending);
    expect((await rotateKey(nodeOf(at))).certificate).toEqual(certificate);
    expect(await fate(start(at))).toBe('up');
  });

  it('does not spend a token on an answer that was lost', async () => {
    const at = await house();
    const { token } = await issueToken(at.operator, 'corner', 24);
    expect(await codeOf(() => enrolNode({ ...nodeOf(at), token, fetch: losingAnswers }))).toBe('network.unreachable');
    expect(existsSync(join(at.stateDir, 'corner-shop', 'certificate.json'))).toBe(false);
    expect((await enrolNode({ ...nodeOf(at), token })).cert.organisation).toBe('corner');
    expect(existsSync(join(at.stateDir, 'corner-shop', 'request.json'))).toBe(false);
  });

  it('signs anew when a request that never arrived has become too old', async () => {
    const at = await house();
    await enrol(at);
    const never: Fetch = () => Promise.reject(new Error('no route'));
    expect(await codeOf(() => renewNode({ ...nodeOf(at), fetch: never, dateMs: () => Date.now() - 600_000 }))).toBe('network.unreachable');
    expect((await renewNode(nodeOf(at))).cert.shop).toBe('corner-shop');
  });

  it('may be enrolled under a new key after a revocation', async () => {
    const at = await house();
    await enrol(at);
    await revokeNode(at.operator, { shop: 'corner-shop' }, 'compromised');
    const { from, to } = replaceKey(at.stateDir, 'corner-shop');
    expect(from).not.toBe(to);
    expect(await fate(start(at))).toBe('enrolment.required');
    await enrol(at);
    expect(await fate(start(at))).toBe('up');
  });
});

describe('numbers in a folder', () => {
  it('rise strictly, from the clock, over restarts, a clock set back, and two takers at one moment', () => {
    const folder = join(temporaryFolder(), 'numbers');
    expect([takeNumber(folder, 1_000), takeNumber(folder, 1_000), takeNumber(folder, 5), takeNumber(folder, 2_000)]).toEqual([1_000, 1_001, 1_002, 2_000]);
    expect(readdirSync(folder)).toEqual(['2000']);
  });
});

describe('an operator', () => {
  it('is whoever has the key of the coordinator', async () => {
    const [at, elsewhere] = [await house(), await house()];
    expect(await codeOf(() => issueToken({ ...at.operator, dataDir: elsewhere.dataDir }, 'corner', 24))).toBe('node.unauthorised');
    expect(await codeOf(() => issueToken({ ...at.operator, dataDir: temporaryFolder() }, 'corner', 24))).toBe('storage.failed');
    expect(existsSync(join(temporaryFolder(), 'signing.key'))).toBe(false);
  });

  it('does not speak in the clear beyond this machine', async () => {
    const at = await house();
    const coordinator = new URL('http://cesta.example.org');
    expect(await codeOf(() => issueToken({ ...at.operator, coordinator }, 'corner', 24))).toBe('transport.insecure');
    expect(await codeOf(() => enrolNode({ ...nodeOf(at), coordinator, token: '0'.repeat(64) }))).toBe('transport.insecure');
    expect(await codeOf(() => start(at, 'corner-shop', { coordinator }))).toBe('transport.insecure');
  });
});
