import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWitnessNode } from '../../scripts/witness.ts';
import { verifyRecord } from '../../scripts/verify.ts';
import { logKey, logOrigin, openCheckpoint } from '../../shared/ledger/checkpoint.ts';
import { spendEntry, type LogEntry } from '../../shared/ledger/log-entries.ts';
import type { NoteKey } from '../../shared/ledger/signed-note.ts';
import { ledgerOrders } from '../../shared/privacy/budget.ts';
import { planHash } from '../../shared/federation/plan.ts';
import { codeOf } from '../client/fakes.ts';
import { runRound } from '../server/support/coordinators.ts';
import { taskInput } from '../server/support/fixtures.ts';
import { connectShop, shopNamed } from '../server/support/test-client.ts';
import { federation, rewriteRecord, runRecordedRound, type Federation } from './recorded-federation.ts';

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

function conflictsIn(folder: string): { known: string; offered: string }[] {
  return readdirSync(folder).filter((name) => name.startsWith('record-conflict-')).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { known: string; offered: string });
}

const stranger: LogEntry = { type: 'node-enrolled', node: 'ab'.repeat(32) };

/** A round was run, and then its record was changed by the one who keeps it. */
async function rewritten(change: (entries: LogEntry[]) => LogEntry[], rounds = 3): Promise<Federation> {
  const parts = federation(rounds);
  const coordinator = await parts.coordinator({ roundsWanted: 1 });
  await runRecordedRound(parts, coordinator);
  await coordinator.close();
  await rewriteRecord(parts.dataDir, change);
  return parts;
}

describe('the record of a federation', () => {
  it('adds up over rounds and a restart, and is verified from outside', async () => {
    const parts = federation(2);
    const first = await parts.coordinator({ roundsWanted: 1 });
    expect(await verifyRecord(new URL(first.url))).toMatchObject({ size: 0, tasks: [], findings: [] });
    await runRecordedRound(parts, first);
    const early = await verifyRecord(new URL(first.url), { coordinatorKey: first.publicKey });
    expect(early).toMatchObject({ key: 'given', size: 5, findings: [], tasks: [{ task: 'trial', plans: 1, charged: 1, released: 1, delta: 1e-5, release: { version: 1 } }] });
    await first.close();
    const second = await parts.coordinator();
    expect((await verifyRecord(new URL(second.url))).root).toBe(early.root);
    await runRecordedRound(parts, second);
    const late = await verifyRecord(new URL(second.url));
    expect(late).toMatchObject({ key: 'as served', size: 10, findings: [], tasks: [{ plans: 2, charged: 2, released: 2, release: { version: 2 } }] });
    const budget = (await (await fetch(`${second.url}/v1/budget`)).json()) as { epsilonSpent: number };
    expect(late.tasks[0].epsilon).toBe(budget.epsilonSpent);
    expect(late.tasks[0].epsilon).toBeGreaterThan(early.tasks[0].epsilon ?? Infinity);
  });

  it('adds up at every moment of a round: while shops are asked, while they train, and after it failed', async () => {
    const parts = federation(2);
    const coordinator = await parts.coordinator();
    const clients = await Promise.all(['one', 'two'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
    const verify = () => verifyRecord(new URL(coordinator.url), { retryMs: 1 });
    const { plan } = await clients[0].next('invite');
    expect(await verify()).toMatchObject({ size: 1, findings: [], tasks: [{ plans: 1, charged: 0, epsilon: 0 }] });
    for (const client of clients) client.say({ type: 'join', round: plan.round, planHash: planHash(plan) });
    await clients[0].next('train');
    expect(await verify()).toMatchObject({ size: 3, findings: [], tasks: [{ plans: 1, charged: 1, released: 0 }] });
    for (const client of clients) client.say({ type: 'leave', round: plan.round });
    for (const client of clients) client.hangUp();
    await coordinator.close();
    const again = await parts.coordinator();
    expect(await verifyRecord(new URL(again.url), { retryMs: 1 })).toMatchObject({ size: 3, findings: [], tasks: [{ charged: 1, released: 0, release: null }] });
  });

  it('adds up where nothing is promised', async () => {
    const parts = federation();
    const coordinator = await parts.coordinator({ task: taskInput() });
    await runRound(coordinator.url, ['one', 'two']);
    expect(await verifyRecord(new URL(coordinator.url))).toMatchObject({ size: 5, findings: [], tasks: [{ charged: 1, released: 1, epsilon: null, delta: null }] });
  });

  it('that was rewritten is refused by the shops that saw it: they decline, and keep both heads', async () => {
    const parts = await rewritten((entries) => [stranger, ...entries]);
    const coordinator = await parts.coordinator({ roundsWanted: 2 });
    const shops = ['one', 'two'].map((name) => parts.join(coordinator, name));
    const declined = await Promise.all(shops.map(({ until }) => until('declined')));
    expect(declined.map(({ code }) => code)).toEqual(['log.inconsistent', 'log.inconsistent']);
    const [conflict] = conflictsIn(join(parts.folder, 'shops', 'one'));
    for (const note of [conflict.known, conflict.offered]) await openCheckpoint(note, [logKey(coordinator.publicKey)], logOrigin(coordinator.publicKey));
  });

  it('that was rewritten behind its signed head is not gone on with at all', async () => {
    const parts = federation();
    const coordinator = await parts.coordinator({ roundsWanted: 1 });
    await runRecordedRound(parts, coordinator);
    await coordinator.close();
    const { openLibsql } = await import('../../server/storage/libsql-database.ts');
    const database = openLibsql(join(parts.dataDir, 'coordinator.db'));
    database.prepare("update log_entries set bytes = 'e30=' where position = 2").run([]);
    database.close();
    expect(await codeOf(() => parts.coordinator())).toBe('storage.failed');
  });

  it('tells the verifier which entry is wrong, though the head is signed', async () => {
    const spendLess = (entry: LogEntry): LogEntry => (entry.type === 'budget-spend' ? spendEntry(entry, entry.events.map((event) => ({ ...event, variance: 1e12 })), ledgerOrders.map(() => 0)) : entry);
    const parts = await rewritten((entries) => entries.map(spendLess));
    const coordinator = await parts.coordinator({ roundsWanted: 1 });
    const { findings } = await verifyRecord(new URL(coordinator.url));
    expect(findings).toMatchObject([{ index: 2, reason: expect.stringContaining('expected the events of its plan') as unknown }]);
  });

  it('tells the verifier that something is served which it does not say', async () => {
    const parts = federation(3);
    const coordinator = await parts.coordinator({ roundsWanted: 1 });
    await runRecordedRound(parts, coordinator);
    const url = new URL(coordinator.url);
    const budget = (await (await fetch(`${coordinator.url}/v1/budget`)).json()) as Record<string, unknown>;
    const serving = (path: string, answer: () => Response) => (address: string, init?: RequestInit) => (address.endsWith(path) ? Promise.resolve(answer()) : fetch(address, init));
    const reasons = async (path: string, answer: () => Response): Promise<string[]> => (await verifyRecord(url, { fetch: serving(path, answer), retryMs: 1 })).findings.map(({ index, reason }) => `${index} ${reason.split(':')[0]}`);
    expect(await reasons('/budget', () => Response.json({ ...budget, epsilonSpent: 0.1 }))).toEqual(['null budget']);
    expect(await reasons('/budget', () => Response.json({ ...budget, roundsCharged: 0 }))).toEqual(['null budget']);
    expect(await reasons('/budget', () => Response.json({ ...budget, rdp: null }))).toEqual(['null budget']);
    expect(await reasons('/model', () => new Response('another release'))).toEqual(['null model']);
    expect(await reasons('/model', () => Response.json({ error: { code: 'release.not-found', message: '' } }, { status: 404 }))).toEqual(['null model']);
  });

  it('tells the verifier which entry was changed on the way, and refuses a head of another key', async () => {
    const parts = federation(3);
    const coordinator = await parts.coordinator({ roundsWanted: 1 });
    await runRecordedRound(parts, coordinator);
    const url = new URL(coordinator.url);
    const tampering = async (address: string, init?: RequestInit): Promise<Response> => {
      const response = await fetch(address, init);
      if (!address.includes('/tile/entries/')) return response;
      const bytes = new Uint8Array(await response.arrayBuffer());
      // One digit of the root of the roster: the entry reads as well as before.
      const at = new TextDecoder('latin1').decode(bytes).indexOf('"root":"') + 8;
      bytes[at] = bytes[at] === 48 ? 49 : 48;
      return new Response(bytes);
    };
    expect((await verifyRecord(url, { fetch: tampering, retryMs: 1 })).findings).toMatchObject([{ index: 1 }]);
    expect(await codeOf(() => verifyRecord(url, { coordinatorKey: 'ab'.repeat(32) }))).toBe('log.untrusted');
    expect(await codeOf(() => verifyRecord(new URL('http://127.0.0.1:1')))).toBe('network.unreachable');
  });
});

describe('witnesses of a federation', () => {
  const openAuditor = (parts: Federation, url: string) => openWitnessNode({ coordinator: new URL(url), name: 'auditor', stateDir: join(parts.folder, 'witnesses') });
  const keyOf = (identity: string): NoteKey => ({ name: identity.split('=')[0], publicKey: identity.split('=')[1], kind: 'witness' });
  const policyOf = (parts: Federation) => ({ witnesses: [keyOf(openAuditor(parts, 'http://unused').identity)], quorum: 1 });

  it('sign heads before anybody is invited, and shops ask for that', async () => {
    const parts = federation(1);
    const witnesses = policyOf(parts);
    const coordinator = await parts.coordinator({ witnesses, witnessMs: 20_000 });
    const auditor = openAuditor(parts, coordinator.url);
    expect(await auditor.look()).toMatchObject({ size: 0, cosignatures: 1 });
    const shops = ['one', 'two'].map((name) => parts.join(coordinator, name, { witnesses }));
    await expect.poll(async () => textOf(`${coordinator.url}/v1/log/checkpoint`)).toContain('\n1\n');
    expect(await auditor.look()).toMatchObject({ size: 1, cosignatures: 1 });
    await Promise.all(shops.map(({ until }) => until('round-done')));
    expect(await auditor.look()).toMatchObject({ size: 5, cosignatures: 1 });
    expect(await verifyRecord(new URL(coordinator.url))).toMatchObject({ cosignedBy: ['auditor'], findings: [] });
  });

  it('are missed: a shop that asks for them declines where the coordinator does not', async () => {
    const parts = federation(1);
    const coordinator = await parts.coordinator();
    const witnesses = policyOf(parts);
    const shops = ['one', 'two'].map((name) => parts.join(coordinator, name, { witnesses }));
    expect((await Promise.all(shops.map(({ until }) => until('declined')))).map(({ code }) => code)).toEqual(['log.untrusted', 'log.untrusted']);
  });

  it('are known to the operator, or refused', async () => {
    const parts = federation(1);
    const coordinator = await parts.coordinator();
    expect(await codeOf(() => openAuditor(parts, coordinator.url).look())).toBe('log.untrusted');
  });

  it('refuse a log that was rewritten or rolled back, and keep both notes', async () => {
    const rewrites: ((entries: LogEntry[]) => LogEntry[])[] = [
      (entries) => entries.filter(({ type }) => type !== 'survivors'),
      (entries) => [stranger, ...entries],
    ];
    for (const change of rewrites) {
      const parts = federation(3);
      const witnesses = { ...policyOf(parts), quorum: 0 };
      const coordinator = await parts.coordinator({ roundsWanted: 1, witnesses });
      await runRecordedRound(parts, coordinator);
      expect(await openAuditor(parts, coordinator.url).look()).toMatchObject({ size: 5 });
      const seen = await textOf(`${coordinator.url}/v1/log/checkpoint`);
      await coordinator.close();
      await rewriteRecord(parts.dataDir, change);
      const forked = await parts.coordinator({ roundsWanted: 1, witnesses });
      const offered = await textOf(`${forked.url}/v1/log/checkpoint`);
      expect(await codeOf(() => openAuditor(parts, forked.url).look())).toBe('log.inconsistent');
      const [conflict] = conflictsIn(join(parts.folder, 'witnesses', 'auditor'));
      expect(conflict.offered).toBe(offered);
      expect(seen.startsWith(conflict.known.slice(0, -1))).toBe(true);
      expect(await textOf(`${forked.url}/v1/log/checkpoint`)).toBe(offered);
    }
  });
});
