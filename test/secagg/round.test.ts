import { describe, expect, it } from 'vitest';
import type { ParticipantMessage } from '../../shared/secagg/messages.ts';
import { softwareCrypto } from '../../shared/secagg/software-crypto.ts';
import { blamedIn, idOf, openWorld, reportOf, revealers, run, sumOf, termsOf } from './session.ts';

describe('a masked round', () => {
  it.each([16, 20, 24, 31, 32])('gives the exact sum in a ring of %i bits', async (modulusBits) => {
    const terms = termsOf({ modulusBits });
    const { aggregator } = await run(openWorld({ participants: 5, terms }));
    expect(aggregator.state).toMatchObject({ kind: 'done', result: { participants: 5, blamed: [], excessNoise: [] } });
    if (aggregator.state.kind !== 'done') return;
    expect(aggregator.state.result.sum).toEqual(sumOf([0, 1, 2, 3, 4].map((i) => reportOf(i, terms.length)), terms.length));
  });

  it('gives the same sum where one side computes in software and the other on the platform', async () => {
    const world = openWorld({ participants: 4 });
    const one = world.participants.get(idOf(1));
    if (one !== undefined) world.participants.set(idOf(1), { ...one, context: { ...one.context, crypto: softwareCrypto } });
    await run(world);
    expect(world.aggregator.state.kind).toBe('done');
  });

  const stages: readonly (readonly [ParticipantMessage['kind'], number])[] = [['advertise', 5], ['shares', 4], ['masked', 5], ['confirm', 4], ['unmask', 4]];
  for (const [stage, participants] of stages) {
    it(`survives, or ends cleanly, for every set of ${participants} participants that leaves before ${stage}`, async () => {
      const terms = termsOf({ length: 3, noise: { tolerated: 1 } });
      for (let subset = 0; subset < 2 ** participants; subset += 1) {
        const leaves = (id: string): boolean => (subset >> Number(id.slice(5)) & 1) === 1;
        const world = await run(openWorld({ participants, terms, fromParticipant: (message, from) => (message.kind === stage && leaves(from) ? null : message) }));
        const { state } = world.aggregator;
        const left = world.ids.filter(leaves).length;
        const hasSum = state.kind === 'done';
        // Four are the minimum, and all but one the threshold; one dropout is what the noise tolerates.
        const isAnswer = stage === 'confirm' || stage === 'unmask';
        expect([subset, hasSum]).toEqual([subset, left <= (isAnswer ? 1 : participants - 4)]);
        if (!hasSum) {
          if (stage !== 'unmask' && stage !== 'confirm') expect(revealers(world)).toEqual([]);
          continue;
        }
        const isMissing = stage === 'advertise' || stage === 'shares' || stage === 'masked';
        const survivors = world.ids.filter((id) => !isMissing || !leaves(id));
        expect(state.result.survivors).toEqual(survivors);
        expect(state.result.excessNoise).toEqual([]);
      }
    });
  }
});

describe('removable noise', () => {
  it('leaves exactly the components of the dropouts in the sum', async () => {
    const terms = termsOf({ length: 40, noise: { tolerated: 3 } });
    for (const left of [0, 1, 2, 3]) {
      const drawn = new Map<string, Int32Array>();
      const world = openWorld({
        participants: 10, terms: { ...terms }, reports: () => new Int32Array(terms.length),
        // Noise of component k is k everywhere: what is left says which components are.
        noiseOf: (_, { component }) => new Int32Array(terms.length).fill(10 ** component),
        fromParticipant: (message, from) => (message.kind === 'masked' && Number(from.slice(5)) < left ? null : message),
      });
      await run(world);
      const { state } = world.aggregator;
      expect(state.kind).toBe('done');
      if (state.kind !== 'done') continue;
      const kept = [10, 100, 1000].slice(0, left).reduce((sum, value) => sum + value, 0);
      expect([...new Set(state.result.sum)]).toEqual([(10 - left) * kept]);
      expect(drawn.size).toBe(0);
    }
  });

  it('stays in by whole components where one makes up for two dropouts', async () => {
    // Of three dropouts: two and one.
    const terms = termsOf({ length: 8, noise: { tolerated: 3, dropoutStep: 2 } });
    const kept = [0, 10, 10, 110];
    for (const left of [0, 1, 2, 3]) {
      const world = await run(openWorld({
        participants: 10, terms,
        noiseOf: (_, { component }) => new Int32Array(terms.length).fill(10 ** component),
        fromParticipant: (message, from) => (message.kind === 'masked' && Number(from.slice(5)) < left ? null : message),
      }));
      const { state } = world.aggregator;
      expect(state).toMatchObject({ kind: 'done', result: { excessNoise: [], blamed: [] } });
      if (state.kind !== 'done') continue;
      const survivors = Array.from({ length: 10 - left }, (_, i) => reportOf(left + i, terms.length));
      const noise = survivors.map(() => new Int32Array(terms.length).fill(kept[left]));
      expect(state.result.sum).toEqual(sumOf([...survivors, ...noise], terms.length));
    }
  });

  it('stays in, and is told, where a survivor gives neither its key nor enough others their shares of it', async () => {
    const terms = termsOf({ length: 4, noise: { tolerated: 1 }, minParticipants: 5 });
    const world = await run(openWorld({
      participants: 6, terms, reports: () => new Int32Array(4), noiseOf: () => new Int32Array(4).fill(1000),
      fromParticipant: (message, from) => (message.kind === 'unmask' && from === idOf(2) ? null : message),
    }));
    // Five others hold shares of the key, so that it is found without its owner.
    expect(world.aggregator.state).toMatchObject({ kind: 'done', result: { sum: new Int32Array(4), excessNoise: [] } });
  });

  it('reveals nothing when more left than the noise was planned for', async () => {
    const terms = termsOf({ noise: { tolerated: 1 } });
    const world = await run(openWorld({ participants: 8, terms, fromParticipant: (message, from) => (message.kind === 'masked' && (from === idOf(0) || from === idOf(1)) ? null : message) }));
    expect(world.aggregator.state).toMatchObject({ kind: 'failed', code: 'secagg.too-few' });
    expect(revealers(world)).toEqual([]);
    expect(blamedIn(world)).toEqual([]);
  });
});

describe('a Harary graph', () => {
  it('gives the exact sum with neighbours only, dropouts included', async () => {
    const terms = termsOf({ length: 6, minParticipants: 30, graph: { kind: 'harary', corruptFraction: 0.05, dropoutFraction: 0.1, securityBits: 20 } });
    const participants = 40;
    const gone = (id: string): boolean => Number(id.slice(5)) % 13 === 3;
    const world = await run(openWorld({ participants, terms, fromParticipant: (message, from) => (message.kind === 'masked' && gone(from) ? null : message) }));
    const { state } = world.aggregator;
    expect(state.kind).toBe('done');
    if (state.kind !== 'done') return;
    const survivors = world.ids.filter((id) => !gone(id));
    expect(state.result.sum).toEqual(sumOf(survivors.map((id) => reportOf(world.ids.indexOf(id), 6)), 6));
    const { state: participant } = world.participants.get(idOf(0)) ?? {};
    expect(participant?.kind).toBe('done');
  });
});
