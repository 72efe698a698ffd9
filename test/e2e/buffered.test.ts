import { expect, it } from 'vitest';
import { openRelease, type Manifest } from '../../shared/federation/release.ts';
import { verifyRecord } from '../../scripts/verify.ts';
import type { Fetch } from '../../client/http.ts';
import { federation } from './recorded-federation.ts';

/** Something that requests wait for. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** Holds back the n-th request for such an address. */
function holding(part: string, turn: number, until: Promise<void>): Fetch {
  let seen = 0;
  return async (...request: Parameters<Fetch>) => {
    if (String(request[0]).includes(part) && (seen += 1) === turn) await until;
    return fetch(...request);
  };
}

const task = {
  name: 'trial',
  model: { kind: 'als', hyperParameters: { factors: 4 } },
  privacy: { mode: 'local', epsilon: 8, delta: 1e-5, rounds: 4 },
  cohort: { minParticipants: 2, targetParticipants: 2, overSelection: 2 },
  deadlines: { recruitingMs: 60_000, trainingMs: 60_000 },
  maxShoppersPerShop: 100,
  aggregation: { kind: 'buffered', maxStaleness: 3 },
};

it('a shop node that trains through two rounds is in the sum of the fourth, and record and budget add up', async () => {
  const parts = federation(4);
  const coordinator = await parts.coordinator({ task });
  const [slowIsHere, thirdRelease, fourthRelease] = [gate(), gate(), gate()];
  const one = parts.join(coordinator, 'one');
  // The second shop answers the first invitation when the slow one is here, and does not come to report to the fourth round.
  const untilHere = holding('v1/catalogue', 1, slowIsHere.passed);
  const untilDone = holding('/model/', 3, fourthRelease.passed);
  const two = parts.join(coordinator, 'two', { fetch: (...request: Parameters<Fetch>) => (String(request[0]).includes('v1/catalogue') ? untilHere : untilDone)(...request) });
  await one.until('joined');
  const slow = parts.join(coordinator, 'slow', { fetch: holding('/model/', 1, thirdRelease.passed) });
  one.node.onEvent((event) => event.kind === 'round-done' && event.version === 3 && thirdRelease.open());
  slow.node.onEvent((event) => event.kind === 'round-done' && event.version === 4 && fourthRelease.open());
  await expect.poll(() => coordinator.state().shopsReady, { timeout: 20_000 }).toBe(3);
  slowIsHere.open();

  expect(await slow.until('round-done')).toMatchObject({ round: 'trial-2', version: 4, took: 'part' });
  expect(await Promise.all([one, two, slow].map(({ node }) => node.done))).toMatchObject([{ rounds: 4, ended: 'task-over' }, { rounds: 3 }, { rounds: 1 }]);

  const manifests: Manifest[] = [];
  for (const version of [1, 2, 3, 4]) {
    const bytes = new Uint8Array(await (await fetch(`${coordinator.url}/v1/model/${version}`)).arrayBuffer());
    manifests.push((await openRelease(bytes, coordinator.publicKey)).manifest);
  }
  expect(manifests.map(({ metrics }) => [metrics['staleReports'], metrics['meanStaleness']])).toEqual([[0, 0], [0, 0], [0, 0], [1, 1]]);
  expect(manifests.map(({ cohort }) => cohort)).toEqual([2, 2, 2, 2]);
  // Two fresh reports have noise of variance 2, a fresh one and one two releases old 1 + 1/3.
  expect(manifests[3].privacy.noiseStd / manifests[0].privacy.noiseStd).toBeCloseTo(Math.sqrt((1 + 1 / 3) / 2), 12);
  expect(manifests[3].privacy.assumptions.join(' ')).toContain('up to 3 releases later');

  expect(await verifyRecord(new URL(coordinator.url), { retryMs: 1 })).toMatchObject({ findings: [], tasks: [{ plans: 4, charged: 4, released: 4, release: { version: 4 } }] });
  const budget = (await (await fetch(`${coordinator.url}/v1/budget`)).json()) as { epsilonSpent: number; assumptions: string[] };
  expect(budget.epsilonSpent).toBeLessThanOrEqual(8);
  expect(budget.assumptions.join(' ')).toContain('every plan is charged in full');
}, 60_000);
