import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, expect, it } from 'vitest';
import { startShopNode } from '../../../client/shop/shop-node.ts';
import { historyOf } from '../../../shared/commerce/history.ts';
import { planHash, planStatement } from '../../../shared/federation/plan.ts';
import { canonicalJson } from '../../../shared/protocol/canonical-json.ts';
import { examplePlan } from '../../federation/plans.ts';
import { catalogueOf } from '../../ranking/training.ts';
import { admit, coordinator, coordinatorRecord, fakeNetwork, until } from '../fakes.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'cesta-once-'));
afterAll(() => rmSync(stateDir, { recursive: true }));

it('a shop noises its data once for a plan, whoever invites it how often, also after a restart', async () => {
  const catalogue = catalogueOf('a', 'b', 'c');
  const plan = examplePlan({ catalogueHash: catalogue.hash });
  const shoppers = [{ id: 's', group: '', degree: 3 as const, history: historyOf([{ time: 1, items: [0] }]) }];
  const answers: unknown[] = [];
  for (let run = 0; run < 2; run += 1) {
    const network = fakeNetwork();
    const node = startShopNode({
      shop: 'corner-shop', dataset: { name: 'test', catalogue, shoppers, report: { lines: 0, used: 0, complaints: [] } },
      coordinator: new URL('http://localhost:8787/'), stateDir, logger: pino({ level: 'silent' }), openSocket: network.openSocket,
      fetch: (url) => coordinatorRecord.answer(url) ?? Promise.resolve(new Response(canonicalJson(catalogue.products))),
    });
    admit(network.last());
    network.last().say({ type: 'invite', plan, signature: coordinator.sign(planStatement(planHash(plan))), evidence: coordinatorRecord.evidence(plan) });
    await until(() => network.last().messages().some(({ type }) => type === 'join'), 'joining');
    network.last().say({ type: 'train', round: plan.round, deadlineMs: 10_000 });
    await until(() => network.last().messages().some(({ type }) => type === 'report' || type === 'decline'), 'an answer');
    answers.push(network.last().messages().find(({ type }) => type === 'report' || type === 'decline'));
    await node.close();
  }
  expect(answers).toMatchObject([{ type: 'report' }, { type: 'decline', code: 'protocol.replayed' }]);
  expect(readFileSync(join(stateDir, 'corner-shop', 'spends.jsonl'), 'utf8').trim().split('\n').length).toBe(1);
});
