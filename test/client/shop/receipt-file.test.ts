import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { openReceiptFile } from '../../../client/shop/receipt-file.ts';
import { startShopNode, type ShopNodeEvent } from '../../../client/shop/shop-node.ts';
import { historyOf } from '../../../shared/commerce/history.ts';
import { planHash, planStatement } from '../../../shared/federation/plan.ts';
import { makeReceipt, type SignedReceipt } from '../../../shared/ledger/receipt.ts';
import { canonicalJson } from '../../../shared/protocol/canonical-json.ts';
import { examplePlan } from '../../federation/plans.ts';
import { catalogueOf } from '../../ranking/training.ts';
import { acknowledge, admit, coordinator, coordinatorRecord, fakeNetwork, until } from '../fakes.ts';

const folder = mkdtempSync(join(tmpdir(), 'cesta-receipts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const receipt = (number: number): SignedReceipt => makeReceipt(coordinator, { round: `main-${number}`, planHash: 'a'.repeat(64), shop: 'corner', node: 'b'.repeat(64), sha256: 'c'.repeat(64), acceptedAt: '2026-01-02T03:04:05.000Z' });

describe('the receipts of a shop', () => {
  it('are read in order by whoever opens the file next, and by its owner alone', () => {
    const path = join(folder, 'kept.jsonl');
    expect(openReceiptFile(path).read()).toEqual({ receipts: [], unreadable: 0 });
    for (const number of [1, 2]) openReceiptFile(path).append(receipt(number));
    expect(openReceiptFile(path).read()).toEqual({ receipts: [receipt(1), receipt(2)], unreadable: 0 });
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('stay readable behind a line that a crash cut off', () => {
    const path = join(folder, 'cut.jsonl');
    openReceiptFile(path).append(receipt(1));
    appendFileSync(path, '{"receipt":{"round":');
    openReceiptFile(path).append(receipt(2));
    expect(openReceiptFile(path).read()).toEqual({ receipts: [receipt(1), receipt(2)], unreadable: 1 });
  });

  it('are kept by the node, checked against the report that it announced', async () => {
    const catalogue = catalogueOf('a', 'b', 'c');
    const plan = examplePlan({ catalogueHash: catalogue.hash, privacy: { mode: 'none' }, bounds: { ...examplePlan().bounds, clipNorm: null, countValue: 1 } });
    const network = fakeNetwork();
    const events: ShopNodeEvent[] = [];
    const node = startShopNode({
      shop: 'Corner', coordinator: new URL('http://localhost:8787'), stateDir: folder, logger: pino({ level: 'silent' }), openSocket: network.openSocket,
      dataset: { name: 'test', catalogue, shoppers: [{ id: 's', group: '', degree: 3, history: historyOf([{ time: 1, items: [0] }]) }], report: { lines: 0, used: 0, complaints: [] } },
      fetch: (url) => coordinatorRecord.answer(url) ?? Promise.resolve(new Response(canonicalJson(catalogue.products))),
    });
    node.onEvent((event) => void events.push(event));
    const socket = network.last();
    admit(socket);
    socket.say({ type: 'invite', plan, signature: coordinator.sign(planStatement(planHash(plan))), evidence: coordinatorRecord.evidence(plan) });
    await until(() => socket.messages().some(({ type }) => type === 'join'), 'joining');
    socket.say({ type: 'train', round: plan.round, deadlineMs: 10_000 });
    await until(() => socket.messages().some(({ type }) => type === 'report'), 'reporting');
    socket.say({ type: 'upload', round: plan.round });
    await until(() => socket.frames.length === 1, 'uploading');
    acknowledge(socket, plan.round);
    await node.close();
    const { receipts } = openReceiptFile(join(folder, 'Corner', 'receipts.jsonl')).read();
    expect(receipts).toMatchObject([{ receipt: { round: plan.round, planHash: planHash(plan), shop: 'corner' } }]);
    expect(events.find((event) => event.kind === 'receipt')).toEqual({ kind: 'receipt', round: plan.round, receipt: receipts[0] });
  });
});
