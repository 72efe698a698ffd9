/** One shop misbehaves, two do not: the coordinator lives, answers with a code, and their round completes. */
import { describe, expect, it } from 'vitest';
import { maxCoordinate } from '../../shared/federation/accumulator.ts';
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import { openRelease } from '../../shared/federation/release.ts';
import { encodeChunk, maxFrameBytes } from '../../shared/protocol/messages.ts';
import { encodeTensors } from '../../shared/protocol/tensors.ts';
import { coordinatorFor, oneOfEach } from './support/coordinators.ts';
import { taskInput } from './support/fixtures.ts';
import { announceReport, connectShop, dial, digestOf, joinRound, reportUpdate, sendChunks, shopNamed, type TestClient } from './support/test-client.ts';

/** A round of two honest shops and one that acts after it was told to train. */
async function roundWith(misbehave: (attacker: TestClient, plan: Plan) => Promise<void> | void): Promise<{ sum: number[]; cohort: number; attacker: TestClient }> {
  const coordinator = await coordinatorFor({ task: taskInput({ min: 2, target: 3 }) });
  const [attacker, ...honest] = await Promise.all(['attacker', 'a', 'b'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
  const plan = (await Promise.all([attacker, ...honest].map(joinRound)))[0];
  await attacker.next('train');
  await misbehave(attacker, plan);
  await Promise.all(honest.map((client) => reportUpdate(client, plan, oneOfEach(plan))));
  attacker.hangUp();
  await honest[0].next('round-done');
  const { manifest, tensors } = await openRelease(new Uint8Array(await (await fetch(`${coordinator.url}/v1/model`)).arrayBuffer()), coordinator.publicKey);
  return { sum: [...tensors['popularity'].data], cohort: manifest.cohort, attacker };
}

const announcement = (plan: Plan, change: object = {}) => ({ type: 'report', round: plan.round, planHash: planHash(plan), length: plan.statisticLength, sha256: digestOf(oneOfEach(plan)), ...change });

type Attack = (attacker: TestClient, plan: Plan) => Promise<void> | void;

const refused: readonly (readonly [string, string, Attack])[] = [
  ['one garbage byte', 'protocol.malformed', (attacker) => attacker.sendBytes(Uint8Array.of(0))],
  ['a tensor file of another kind', 'protocol.malformed', (attacker) => attacker.sendBytes(encodeTensors({ chunk: { shape: [1], data: Float32Array.of(Number.NaN) } }, { round: 'trial-1', seq: '9', offset: '0' }))],
  ['a header length of 2^63', 'protocol.malformed', (attacker) => attacker.sendBytes(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 1, 2))],
  ['a valid envelope with a garbage payload', 'update.corrupt', async (attacker, plan) => {
    attacker.say(announcement(plan));
    await attacker.next('upload');
    sendChunks(attacker, plan.round, Int32Array.from({ length: plan.statisticLength }, (_, index) => index * 7));
  }],
  ['a wrong length', 'update.wrong-length', (attacker, plan) => attacker.say(announcement(plan, { length: plan.statisticLength + 1 }))],
  ['chunks beyond the length', 'update.wrong-length', async (attacker, plan) => {
    attacker.say(announcement(plan));
    await attacker.next('upload');
    sendChunks(attacker, plan.round, new Int32Array(plan.statisticLength + 1));
  }],
  ['a coordinate that no honest shop has', 'update.out-of-range', async (attacker, plan) => {
    const update = oneOfEach(plan);
    update[1] = maxCoordinate(plan) + 1;
    announceReport(attacker, plan, update);
    await attacker.next('upload');
    sendChunks(attacker, plan.round, update);
  }],
  ['an update for another round', 'update.wrong-round', (attacker, plan) => attacker.say(announcement(plan, { round: 'trial-99' }))],
  ['an update for another plan', 'update.wrong-round', (attacker, plan) => attacker.say(announcement(plan, { planHash: 'f'.repeat(64) }))],
  ['a chunk that nobody granted', 'protocol.out-of-order', (attacker, plan) => attacker.sendBytes(encodeChunk({ round: plan.round, seq: attacker.nextSeq(), offset: 0, data: new Int32Array(2) }))],
  ['a replayed message', 'protocol.replayed', (attacker, plan) => attacker.send({ ...announcement(plan), seq: 1 })],
];

describe('a round survives a member that sends', () => {
  it.each(refused)('%s: %s', async (_what, code, attack) => {
    const { sum, cohort } = await roundWith(async (attacker, plan) => {
      await attack(attacker, plan);
      expect((await attacker.next('error')).code).toBe(code);
    });
    expect(sum).toEqual([2, 2, 2, 2]);
    expect(cohort).toBe(2);
  });

  it('an oversized frame', async () => {
    const { sum, attacker } = await roundWith((member) => member.sendBytes(new Uint8Array(maxFrameBytes + 1)));
    expect(await attacker.closed).toBe(1009);
    expect(sum).toEqual([2, 2, 2, 2]);
  });

  it('the same update twice: it is summed once', async () => {
    const { sum, cohort } = await roundWith(async (member, plan) => {
      const update = oneOfEach(plan);
      announceReport(member, plan, update);
      await member.next('upload');
      sendChunks(member, plan.round, update);
      await member.next('accepted');
      announceReport(member, plan, update);
      await member.next('accepted');
      sendChunks(member, plan.round, update);
      expect((await member.next('error')).code).toBe('protocol.out-of-order');
    });
    expect([sum, cohort]).toEqual([[3, 3, 3, 3], 3]);
  });

  it('a count that is a lie within the bounds, and nothing else: the release stays finite', async () => {
    const { sum, cohort } = await roundWith(async (member, plan) => {
      const update = new Int32Array(plan.statisticLength);
      update[update.length - 1] = -maxCoordinate(plan);
      announceReport(member, plan, update);
      await member.next('upload');
      sendChunks(member, plan.round, update);
      await member.next('accepted');
    });
    expect([sum, cohort]).toEqual([[2, 2, 2, 2], 3]);
  });

  it('nothing at all, and leaves', async () => {
    const { sum } = await roundWith((member) => member.hangUp());
    expect(sum).toEqual([2, 2, 2, 2]);
  });

  it('its leave in the middle of an upload', async () => {
    const { sum } = await roundWith(async (member, plan) => {
      announceReport(member, plan, oneOfEach(plan));
      await member.next('upload');
      member.say({ type: 'leave', round: plan.round });
    });
    expect(sum).toEqual([2, 2, 2, 2]);
  });
});

describe('a coordinator', () => {
  it('serves its shops beside hundreds of sockets that say nothing', async () => {
    const coordinator = await coordinatorFor();
    await Promise.all(Array.from({ length: 300 }, () => dial(coordinator.url)));
    const shops = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
    const plan = (await Promise.all(shops.map(joinRound)))[0];
    await Promise.all(shops.map((client) => reportUpdate(client, plan, oneOfEach(plan))));
    expect((await shops[0].next('round-done')).version).toBe(1);
  });

  it('fails a round of liars and completes the next', async () => {
    const coordinator = await coordinatorFor();
    const liars = await Promise.all(['x', 'y'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
    const plan = (await Promise.all(liars.map(joinRound)))[0];
    await Promise.all(liars.map((client) => client.next('train')));
    for (const client of liars) client.say(announcement(plan, { length: 1 }));
    expect((await liars[1].next('round-failed')).code).toBe('round.failed');
    for (const client of liars) client.hangUp();
    const shops = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
    const next = (await Promise.all(shops.map(joinRound)))[0];
    await Promise.all(shops.map((client) => reportUpdate(client, next, oneOfEach(next))));
    expect((await shops[0].next('round-done')).version).toBe(1);
  });
});
