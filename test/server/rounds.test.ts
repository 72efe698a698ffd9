import { describe, expect, it } from 'vitest';
import { planHash } from '../../shared/federation/plan.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { roundRig, trainingRig as training } from './support/round-rig.ts';
import { digestOf } from './support/test-client.ts';

describe('a round that goes well', () => {
  it('charges the budget before anybody is told to train, and announces after the release is on disk', async () => {
    const rig = roundRig(['a', 'b']);
    rig.join('a', 'b');
    await rig.settle();
    rig.report('a');
    rig.report('b');
    const { round, news } = await rig.run.ended;
    expect(rig.log).toEqual([
      'a <- invite', 'b <- invite',
      'disk: charged, 2 members', 'a <- train', 'b <- train',
      'a <- upload', 'b <- upload', 'disk: a reported, b reported', 'a <- accepted', 'b <- accepted',
      'disk: release', 'a <- round-done', 'b <- round-done',
    ]);
    expect(round).toMatchObject({ phase: 'done', version: 1 });
    expect(news).toMatchObject({ type: 'round-done', sha256: 'e'.repeat(64) });
  });

  it('sums each report once, however often it is sent', async () => {
    const rig = await training(['a', 'b']);
    const { gridScale } = rig.plan.bounds;
    const update = Int32Array.of(1, 0, 0, 0, 1).map((unit) => unit * gridScale);
    rig.report('a', update);
    rig.announce('a', update);
    expect(() => rig.run.chunk('a', { round: rig.plan.round, seq: 1, offset: 0, data: update })).toThrow('chunk');
    rig.report('b', update);
    await rig.run.ended;
    expect(rig.sums).toHaveLength(1);
    expect([...rig.sums[0].aggregate.sum]).toEqual([2, 0, 0, 0]);
    expect(rig.sums[0].participants).toBe(2);
  });

  it('counts the backends that members say they computed with', async () => {
    const rig = await training(['a', 'b']);
    const update = new Int32Array(rig.plan.statisticLength);
    for (const [participant, backend] of [['a', 'wasm'], ['b', 'plain']] as const) {
      rig.run.message(participant, { type: 'report', seq: 1, round: rig.plan.round, planHash: planHash(rig.plan), length: update.length, sha256: digestOf(update), backend });
      rig.run.chunk(participant, { round: rig.plan.round, seq: 1, offset: 0, data: update });
    }
    await rig.run.ended;
    expect(rig.sums[0].trainedOn).toEqual({ wasm: 1, plain: 1 });
  });

  it('counts none where no model needed one', async () => {
    const rig = await training(['a', 'b']);
    rig.report('a');
    rig.report('b');
    await rig.run.ended;
    expect(rig.sums[0].trainedOn).toBeUndefined();
  });

  it('leaves no timer behind', async () => {
    const rig = await training(['a', 'b']);
    rig.report('a');
    rig.report('b');
    await rig.run.ended;
    expect(rig.clock.pending).toBe(0);
  });

  it('closes as soon as the target has reported, with uploads beyond it forgotten', async () => {
    const rig = await training(['a', 'b', 'c']);
    rig.report('a');
    rig.announce('c');
    rig.report('b');
    await rig.settle();
    rig.run.chunk('c', { round: rig.plan.round, seq: 1, offset: 0, data: new Int32Array(5) });
    expect((await rig.run.ended).round).toMatchObject({ phase: 'done', reported: ['a', 'b'] });
    expect(rig.log).toContain('c <- round-done');
  });
});

describe('members that leave', () => {
  const shape = { min: 2, target: 3 };

  it('before they join: the round trains with the others', async () => {
    const rig = roundRig(['a', 'b', 'c'], shape);
    rig.join('a', 'b');
    rig.run.left('c');
    await rig.settle();
    expect(rig.log).toContain('disk: charged, 2 members');
  });

  it('after they joined: the round trains with the others', async () => {
    const rig = roundRig(['a', 'b', 'c'], shape);
    rig.join('a', 'b');
    rig.run.left('b');
    rig.join('c');
    await rig.settle();
    expect(rig.log).toContain('disk: charged, 2 members');
    expect(rig.log).not.toContain('b <- train');
  });

  it('while they train: the round closes without waiting for the deadline', async () => {
    const rig = await training(['a', 'b', 'c'], shape);
    rig.report('a');
    rig.report('b');
    rig.run.left('c');
    expect((await rig.run.ended).round).toMatchObject({ phase: 'done', reported: ['a', 'b'] });
  });

  it('half-way through an upload: nothing of it is summed', async () => {
    const rig = await training(['a', 'b', 'c'], shape);
    const { gridScale } = rig.plan.bounds;
    rig.announce('c', new Int32Array(5).fill(9 * gridScale));
    rig.run.chunk('c', { round: rig.plan.round, seq: 1, offset: 0, data: new Int32Array(3).fill(9 * gridScale) });
    rig.run.left('c');
    rig.report('a');
    rig.report('b');
    await rig.run.ended;
    expect([...rig.sums[0].aggregate.sum]).toEqual([0, 0, 0, 0]);
  });

  it('after they reported: their report counts', async () => {
    const rig = await training(['a', 'b', 'c'], shape);
    rig.report('a');
    rig.run.left('a');
    rig.report('b');
    rig.report('c');
    expect((await rig.run.ended).round).toMatchObject({ reported: ['a', 'b', 'c'] });
  });

  it('too many of them: the round fails at once where none can come back', async () => {
    const rig = roundRig(['a', 'b']);
    rig.join('a');
    rig.run.left('b');
    const { round } = await rig.run.ended;
    expect(round).toMatchObject({ phase: 'failed', code: 'round.failed' });
    expect(rig.log).toContain('disk: failed round.failed');
    expect(rig.log).not.toContain('a <- train');
  });
});

describe('members that come back', () => {
  it('are told to train again, and may send their report', async () => {
    const rig = await training(['a', 'b']);
    rig.run.left('a');
    rig.run.resumed('a');
    await rig.settle();
    expect(rig.log).toEqual(['a <- train']);
    rig.report('a');
    rig.report('b');
    expect((await rig.run.ended).round.phase).toBe('done');
  });

  it('from a half-open connection start their upload afresh', async () => {
    const rig = await training(['a', 'b']);
    rig.announce('a');
    rig.run.chunk('a', { round: rig.plan.round, seq: 1, offset: 0, data: new Int32Array(2) });
    rig.run.resumed('a');
    rig.report('a');
    rig.report('b');
    expect((await rig.run.ended).round).toMatchObject({ phase: 'done', reported: ['a', 'b'] });
  });

  it('hear again that their report was accepted', async () => {
    const rig = await training(['a', 'b']);
    rig.report('a');
    await rig.settle();
    rig.run.left('a');
    rig.run.resumed('a');
    rig.announce('a');
    await rig.settle();
    expect(rig.log.filter((line) => line === 'a <- accepted')).toHaveLength(3);
    expect(rig.log.filter((line) => line.startsWith('disk'))).toEqual(['disk: a reported']);
  });

  it('are invited again while they have not answered', async () => {
    const rig = roundRig(['a', 'b']);
    rig.run.resumed('a');
    await rig.settle();
    expect(rig.log).toEqual(['a <- invite', 'b <- invite', 'a <- invite']);
  });
});

describe('the clock', () => {
  it('ends recruiting with those who answered', async () => {
    const rig = roundRig(['a', 'b', 'c']);
    rig.join('a', 'b');
    rig.clock.advance(5_000);
    await rig.settle();
    expect(rig.log).toContain('disk: charged, 2 members');
  });

  it('fails a round whose members stay silent', async () => {
    const rig = await training(['a', 'b']);
    rig.report('a');
    rig.clock.advance(19_999);
    expect(rig.run.state.phase).toBe('training');
    rig.clock.advance(1);
    expect((await rig.run.ended).round).toMatchObject({ phase: 'failed' });
    expect(rig.log.slice(-3)).toEqual(['disk: failed round.failed', 'a <- round-failed', 'b <- round-failed']);
  });

  it('releases at the deadline when the quorum has reported', async () => {
    const rig = await training(['a', 'b', 'c'], { min: 2, target: 3 });
    rig.report('a');
    rig.report('b');
    rig.clock.advance(20_000);
    expect((await rig.run.ended).round).toMatchObject({ phase: 'done', reported: ['a', 'b'] });
  });

  it('drops a member whose upload stalls, and gives its place to the next', async () => {
    const rig = await training(['a', 'b', 'c', 'd'], { min: 2, target: 4, trainingMs: 300_000 });
    for (const participant of ['a', 'b', 'c']) rig.announce(participant);
    rig.clock.advance(30_000);
    await rig.settle();
    expect(rig.log).toEqual(expect.arrayContaining(['a <- error protocol.out-of-order', 'b <- error protocol.out-of-order', 'c <- upload']));
    rig.run.chunk('c', { round: rig.plan.round, seq: 1, offset: 0, data: new Int32Array(5) });
    rig.report('d');
    expect((await rig.run.ended).round).toMatchObject({ phase: 'done', reported: ['c', 'd'] });
  });
});

describe('a disk that fails', () => {
  const broken = (): Promise<never> => Promise.reject(new CestaError('storage.failed', 'no space left on /secret'));

  it('when the charge is written: nobody is told to train', async () => {
    const rig = roundRig(['a', 'b'], {}, { startTraining: broken });
    rig.join('a', 'b');
    const { round, news } = await rig.run.ended;
    expect(round).toMatchObject({ phase: 'failed', code: 'storage.failed' });
    expect(rig.log).not.toContain('a <- train');
    expect(rig.log).toContain('a <- round-failed');
    expect(JSON.stringify(news)).not.toContain('secret');
  });

  it('when receipts are written: nobody is told that its report is in, and nothing is released', async () => {
    const rig = await training(['a', 'b'], {}, { recordParticipants: broken });
    rig.report('a');
    rig.report('b');
    expect((await rig.run.ended).round).toMatchObject({ phase: 'failed', code: 'storage.failed' });
    expect(rig.log).not.toContain('a <- accepted');
    expect(rig.sums).toEqual([]);
    expect(rig.log.slice(-3)).toEqual(['disk: failed storage.failed', 'a <- round-failed', 'b <- round-failed']);
  });

  it('when the release is made: the round fails and everybody hears it', async () => {
    const rig = await training(['a', 'b'], {}, { publish: broken });
    rig.report('a');
    rig.report('b');
    expect((await rig.run.ended).round).toMatchObject({ phase: 'failed', code: 'storage.failed' });
    expect(rig.log.slice(-2)).toEqual(['a <- round-failed', 'b <- round-failed']);
  });

  it('when the failure itself is written: everybody hears of it all the same', async () => {
    const rig = await training(['a', 'b'], {}, { failRound: broken });
    rig.run.stop('stopping');
    expect((await rig.run.ended).round).toMatchObject({ phase: 'failed', reason: 'stopping' });
    expect(rig.log).toEqual(['a <- round-failed', 'b <- round-failed']);
  });
});

describe('stopping', () => {
  it('ends a round that trains', async () => {
    const rig = await training(['a', 'b']);
    rig.run.stop('the coordinator is stopping');
    expect((await rig.run.ended).news).toMatchObject({ type: 'round-failed', message: 'the coordinator is stopping' });
    expect(rig.clock.pending).toBe(0);
  });

  it('tells nobody to train when it comes while the charge is written', async () => {
    const rig = roundRig(['a', 'b']);
    rig.join('a', 'b');
    rig.run.stop('the coordinator is stopping');
    await rig.run.ended;
    expect(rig.log).not.toContain('a <- train');
  });

  it('lets a release that is being made be finished', async () => {
    const rig = await training(['a', 'b']);
    rig.report('a');
    rig.report('b');
    rig.run.stop('the coordinator is stopping');
    expect((await rig.run.ended).round.phase).toBe('done');
  });
});
