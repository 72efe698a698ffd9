import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadTensors } from '../../shared/tensors/runtime.ts';
import { openConnection } from '../../client/connection.ts';
import { startParticipant, type Participant, type ParticipantEvent, type ParticipantOptions } from '../../client/participant.ts';
import { emptyRecord, spendOf, totalSpent } from '../../client/spends.ts';
import { planHash, planStatement, type Plan } from '../../shared/federation/plan.ts';
import { makeReceipt, type SignedReceipt } from '../../shared/ledger/receipt.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import type { Noised } from '../../shared/privacy/vectors.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { decodeChunk, type ClientMessage } from '../../shared/protocol/messages.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { catalogueOf } from '../ranking/training.ts';
import { examplePlan } from '../federation/plans.ts';
import { admit, coordinator, fakeNetwork, fakeTimers, until, type FakeNetwork, type FakeTimers } from './fakes.ts';

const items = 20_000;
const catalogue = catalogueOf(...Array.from({ length: items }, (_, index) => `sku-${index}`));
const model = createModel('popularity', catalogue, {});
const goodPlan = examplePlan({
  catalogueHash: catalogue.hash,
  statisticLength: items + 1,
  privacy: { mode: 'local', epsilon: 3, delta: 1e-5, rounds: 1, noiseStd: 7, mechanism: 'skellam', sampling: 1, filterOrder: 8, shopsPerShopper: 2 },
});
const noised = Int32Array.from({ length: items + 1 }, (_, index) => (index * 2_654_435_761) | 0) as Noised;

interface Rig {
  readonly network: FakeNetwork;
  readonly timers: FakeTimers;
  readonly events: ParticipantEvent[];
  readonly participant: Participant;
  readonly sent: () => ClientMessage[];
  readonly invite: (plan: Plan, signature?: string) => void;
  readonly redial: () => void;
  builds: AbortSignal[];
}

function rig(changes: Partial<ParticipantOptions> = {}): Rig {
  const network = fakeNetwork();
  const timers = fakeTimers();
  const events: ParticipantEvent[] = [];
  const builds: AbortSignal[] = [];
  const participant = startParticipant({
    connect: (handlers) => openConnection({
      url: 'ws://coordinator', openSocket: network.openSocket, shop: 'corner-shop', key: signingKey(randomBytes(32)),
      coordinatorKey: coordinator.publicKey, products: [], timers, uniform: () => 0.5, ...handlers,
    }),
    model: () => Promise.resolve(model),
    statistic: (_plan, _hash, { signal }) => {
      builds.push(signal);
      return Promise.resolve(noised);
    },
    onEvent: (event) => void events.push(event),
    ...changes,
  });
  admit(network.last());
  return {
    network, timers, events, participant, builds,
    sent: () => network.last().messages(),
    invite: (plan, signature = coordinator.sign(planStatement(planHash(plan)))) => network.last().say({ type: 'invite', plan, signature }),
    redial() {
      const down = events.findLast((event) => event.kind === 'down');
      timers.advance(down?.retryInMs ?? 0);
    },
  };
}

/** The answer to an invitation: the code it was declined with, or `joined`. */
async function answerTo(plan: Plan, changes: Partial<ParticipantOptions> = {}, signature?: string): Promise<string> {
  const { invite, sent } = rig(changes);
  invite(plan, signature);
  await until(() => sent().length > 2, 'an answer');
  const answer = sent()[2];
  if (answer.type === 'join') return answer.planHash === planHash(plan) && answer.round === plan.round ? 'joined' : 'joined another round';
  return answer.type === 'decline' && answer.round === plan.round ? answer.code : `unexpected ${answer.type}`;
}

const refuseWith = (code: ErrorCode) => (): never => {
  throw new CestaError(code, 'because');
};

describe('an invitation', () => {
  it('to a genuine plan that fits is joined', async () => {
    expect(await answerTo(goodPlan)).toBe('joined');
    expect(await answerTo(goodPlan, { budget: { maxEpsilon: 3, maxDelta: 1e-5, record: () => emptyRecord } })).toBe('joined');
  });

  it('is declined when the coordinator did not sign exactly this plan', async () => {
    const signature = coordinator.sign(planStatement(planHash(goodPlan)));
    expect(await answerTo({ ...goodPlan, deadlines: { recruitingMs: 1, trainingMs: 1 } }, {}, signature)).toBe('plan.invalid');
    expect(await answerTo(goodPlan, {}, signingKey(randomBytes(32)).sign(planStatement(planHash(goodPlan))))).toBe('plan.invalid');
  });

  it('is to any task, unless the participant takes part in some only', async () => {
    expect(await answerTo({ ...goodPlan, task: 'other' })).toBe('joined');
    expect(await answerTo(goodPlan, { tasks: ['other'] })).toBe('plan.invalid');
    expect(await answerTo(goodPlan, { tasks: ['other', goodPlan.task] })).toBe('joined');
  });

  it('is declined for another model or length than this participant\'s own', async () => {
    expect(await answerTo({ ...goodPlan, model: { kind: 'ease', hyperParameters: {} } })).toBe('plan.invalid');
    expect(await answerTo({ ...goodPlan, statisticLength: items })).toBe('plan.invalid');
  });

  it('is declined with what stands against its catalogue, its model or its size', async () => {
    for (const code of ['catalogue.invalid', 'network.unreachable', 'model.unusable'] as const) {
      expect(await answerTo(goodPlan, { model: () => Promise.reject(new CestaError(code, 'because')) })).toBe(code);
    }
    expect(await answerTo(goodPlan, { accept: refuseWith('privacy.infeasible') })).toBe('privacy.infeasible');
    expect(await answerTo(goodPlan, { accept: () => { throw new Error('a defect'); } })).toBe('internal');
  });

  it('is declined when its noise does not keep its promise', async () => {
    expect(await answerTo({ ...goodPlan, privacy: { mode: 'local', epsilon: 3, delta: 1e-5, rounds: 1, noiseStd: 0.1, mechanism: 'skellam', sampling: 1, filterOrder: 8, shopsPerShopper: 2 } })).toBe('privacy.invalid');
  });

  it('is declined at the own limit, and without privacy whenever there is a limit', async () => {
    const record = { spends: [spendOf({ ...goodPlan, round: 'main-0' }, '', '')], unreadable: 0 };
    const after = totalSpent({ ...record, spends: [...record.spends, ...record.spends] }, { maxEpsilon: 1, maxDelta: 1e-5 }).epsilon;
    expect(await answerTo(goodPlan, { budget: { maxEpsilon: after * 0.9, maxDelta: 1e-5, record: () => record } })).toBe('budget.exhausted');
    expect(await answerTo(goodPlan, { budget: { maxEpsilon: after * 1.1, maxDelta: 1e-5, record: () => record } })).toBe('joined');
    const open: Plan = { ...goodPlan, privacy: { mode: 'none' } };
    expect(await answerTo(open, { budget: { maxEpsilon: 6, maxDelta: 1e-5, record: () => emptyRecord } })).toBe('privacy.mode-unavailable');
    expect(await answerTo(open)).toBe('joined');
  });

  it('is declined when the own record cannot be read: not knowing is not having spent nothing', async () => {
    expect(await answerTo(goodPlan, { budget: { maxEpsilon: 6, maxDelta: 1e-5, record: refuseWith('storage.failed') } })).toBe('storage.failed');
  });

  it('that this version cannot read is declined with the reason', () => {
    const { network, sent, events } = rig();
    const say = (changes: object): void => network.last().sayText(JSON.stringify({ type: 'invite', plan: { ...goodPlan, ...changes }, signature: '00'.repeat(64) }));
    say({ privacy: { mode: 'central' } });
    say({ protocol: 2 });
    say({ model: { kind: 'oracle', hyperParameters: {} } });
    say({ surprise: true });
    expect(sent().slice(2).map((message) => (message.type === 'decline' ? message.code : message.type)))
      .toEqual(['privacy.mode-unavailable', 'protocol.version', 'model.unknown', 'plan.invalid']);
    expect(events.filter(({ kind }) => kind === 'declined').length).toBe(4);
  });
});

const holder = { shop: 'corner-shop', node: 'ab'.repeat(32) };

function receiptFor(changes: Partial<SignedReceipt['receipt']> = {}, key = coordinator): SignedReceipt {
  return makeReceipt(key, { ...holder, round: 'main-1', planHash: planHash(goodPlan), sha256: sha256Hex(new Uint8Array(noised.buffer)), acceptedAt: '2026-01-02T03:04:05.000Z', ...changes });
}

describe('a report', () => {
  const types = (messages: readonly ClientMessage[]): string[] => messages.map(({ type }) => type);

  async function offered(changes: Partial<ParticipantOptions> = {}): Promise<Rig> {
    const started = rig(changes);
    started.invite(goodPlan);
    await until(() => types(started.sent()).includes('join'));
    started.network.last().say({ type: 'train', round: 'main-1', deadlineMs: 1_000 });
    await until(() => types(started.sent()).includes('report'));
    return started;
  }

  it('is announced by length and digest, sent only when asked for, and done when accepted', async () => {
    const { network, sent, events, builds } = await offered();
    expect(sent().at(-1)).toMatchObject({ type: 'report', round: 'main-1', planHash: planHash(goodPlan), length: items + 1, sha256: sha256Hex(new Uint8Array(noised.buffer)) });
    expect(network.last().frames.length).toBe(0);
    network.last().say({ type: 'upload', round: 'main-1' });
    await until(() => network.last().frames.length === 2);
    const chunks = network.last().frames.map(decodeChunk);
    expect(chunks.every(({ round }) => round === 'main-1')).toBe(true);
    expect(Int32Array.from(chunks.flatMap(({ data }) => [...data]))).toEqual(Int32Array.from(noised));
    network.last().say({ type: 'accepted', round: 'main-1', receipt: receiptFor() });
    network.last().say({ type: 'round-done', round: 'main-1', version: 4, sha256: 'ab'.repeat(32) });
    expect(events.slice(-2)).toEqual([{ kind: 'reported', round: 'main-1', bytes: noised.byteLength }, { kind: 'round-done', round: 'main-1', version: 4, took: 'part' }]);
    expect(builds.length).toBe(1);
  });

  it('says which backend it was computed on, where the model needs one', async () => {
    const { backend, simd } = await loadTensors();
    const { sent, events } = await offered({ model: () => Promise.resolve({ ...model, prepare: () => Promise.resolve() }) });
    expect(sent().at(-1)).toMatchObject({ type: 'report', backend });
    expect(events.find(({ kind }) => kind === 'computed')).toMatchObject({ round: 'main-1', backend, simd });
    expect((await offered()).sent().at(-1)).not.toHaveProperty('backend');
  });

  async function acknowledged(receipt: SignedReceipt, keep: (kept: SignedReceipt) => void): Promise<ParticipantEvent[]> {
    const { network, events } = await offered({ receipts: { ...holder, keep } });
    network.last().say({ type: 'upload', round: 'main-1' });
    await until(() => network.last().frames.length === 2);
    network.last().say({ type: 'accepted', round: 'main-1', receipt });
    return events.slice(-2);
  }

  it('that is accepted leaves a receipt, kept before anybody hears of it', async () => {
    const kept: SignedReceipt[] = [];
    const receipt = receiptFor();
    expect(await acknowledged(receipt, (one) => void kept.push(one))).toEqual([{ kind: 'receipt', round: 'main-1', receipt }, { kind: 'reported', round: 'main-1', bytes: noised.byteLength }]);
    expect(kept).toEqual([receipt]);
  });

  it('keeps no receipt of another report, shop or coordinator, nor one that the disk refuses, and says so', async () => {
    const wrong = [receiptFor({ sha256: '0'.repeat(64) }), receiptFor({ planHash: '0'.repeat(64) }), receiptFor({ shop: 'other' }), receiptFor({ node: '0'.repeat(64) }), receiptFor({}, signingKey(randomBytes(32)))];
    for (const receipt of wrong) {
      const kept: SignedReceipt[] = [];
      expect(await acknowledged(receipt, (one) => void kept.push(one))).toMatchObject([{ kind: 'no-receipt', round: 'main-1', code: 'receipt.untrusted' }, { kind: 'reported' }]);
      expect(kept).toEqual([]);
    }
    const full = (): never => {
      throw new CestaError('storage.failed', 'disk full');
    };
    expect(await acknowledged(receiptFor(), full)).toMatchObject([{ kind: 'no-receipt', code: 'storage.failed' }, { kind: 'reported' }]);
  });

  it('is sent again after a loss as the same bytes: the data is noised once', async () => {
    const noisings: Noised[] = [];
    const { network, sent, redial } = await offered({
      statistic: () => {
        const fresh = Int32Array.from({ length: items + 1 }, () => randomBytes(4).readInt32LE()) as Noised;
        noisings.push(fresh);
        return Promise.resolve(fresh.slice() as Noised);
      },
    });
    const announced: ClientMessage[] = [];
    const uploads: Int32Array[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      announced.push({ ...sent().at(-1), seq: 0 } as ClientMessage);
      network.last().say({ type: 'upload', round: 'main-1' });
      await until(() => network.last().frames.length === 2);
      uploads.push(Int32Array.from(network.last().frames.flatMap((frame) => [...decodeChunk(frame).data])));
      network.last().lose();
      redial();
      admit(network.last());
      network.last().say({ type: 'train', round: 'main-1', deadlineMs: 1_000 });
    }
    expect(noisings.length).toBe(1);
    expect(uploads).toEqual([0, 1, 2].map(() => Int32Array.from(noisings[0])));
    expect(announced).toEqual([0, 1, 2].map(() => announced[0]));
    expect(types(sent()).filter((type) => type === 'report').length).toBe(1);
  });

  it('that is finished while the coordinator is away is offered on its return', async () => {
    let finish: (statistic: Noised) => void = () => undefined;
    const { invite, network, sent, redial } = rig({ statistic: () => new Promise((resolve) => (finish = resolve)) });
    invite(goodPlan);
    await until(() => types(sent()).includes('join'));
    network.last().say({ type: 'train', round: 'main-1', deadlineMs: 1_000 });
    network.last().lose();
    finish(noised);
    redial();
    admit(network.last());
    await until(() => types(sent()).includes('report'));
    expect(types(sent())).toEqual(['hello', 'proof', 'report']);
  });

  it('that cannot be made is declined with its code and no more, for the others need not wait', async () => {
    const { invite, network, sent } = rig({ statistic: () => Promise.reject(new CestaError('storage.failed', 'disk full')) });
    invite(goodPlan);
    await until(() => types(sent()).includes('join'));
    network.last().say({ type: 'train', round: 'main-1', deadlineMs: 1_000 });
    await until(() => types(sent()).includes('decline'));
    expect(sent().at(-1)).toMatchObject({ type: 'decline', code: 'storage.failed', message: 'no report could be made; its owner knows why' });
  });

  it('is abandoned when its round fails, and the next round starts afresh', async () => {
    const { network, sent, builds, invite } = rig({ statistic: (_plan, _hash, { signal }) => new Promise(() => builds.push(signal)) });
    invite(goodPlan);
    await until(() => types(sent()).includes('join'));
    network.last().say({ type: 'train', round: 'main-1', deadlineMs: 1_000 });
    expect(builds.map(({ aborted }) => aborted)).toEqual([false]);
    network.last().say({ type: 'round-failed', round: 'main-1', code: 'round.failed', message: 'too few' });
    expect(builds.map(({ aborted }) => aborted)).toEqual([true]);
    invite({ ...goodPlan, round: 'main-2' });
    await until(() => types(sent()).filter((type) => type === 'join').length === 2);
    network.last().say({ type: 'train', round: 'main-2', deadlineMs: 1_000 });
    expect(builds.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('under way is abandoned with the participant, which leaves the round and the coordinator', async () => {
    const { network, sent, builds, invite, participant, events, timers } = rig({ statistic: (_plan, _hash, { signal }) => new Promise(() => builds.push(signal)) });
    invite(goodPlan);
    await until(() => types(sent()).includes('join'));
    network.last().say({ type: 'train', round: 'main-1', deadlineMs: 1_000 });
    participant.stop();
    expect(sent().at(-1)).toMatchObject({ type: 'leave', round: 'main-1' });
    expect([builds[0].aborted, network.last().isClosed, timers.waiting]).toEqual([true, true, 0]);
    expect(events.at(-1)).toEqual({ kind: 'over', error: null });
  });
});
