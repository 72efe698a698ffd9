/** What is wrong inside shares: the aggregator sees it only when they are revealed, and must blame the right one. */
import { describe, expect, it } from 'vitest';
import type { MessageOf, ParticipantMessage } from '../../shared/secagg/messages.ts';
import { decodeShares } from '../../shared/secagg/share-decoder.ts';
import { splitSecret } from '../../shared/secagg/shamir.ts';
import { cheat, cheatTerms, flipped, hasExactSum, misdeal, openQuiet, signed } from './attacks.ts';
import { blamedIn, idOf, random, run, termsOf, type World } from './session.ts';

const cheatId = idOf(cheat);

const named = (world: World): unknown => blamedIn(world).map(({ id, stage, code }) => [id, stage, code]);

/** A round in which the cheat misdeals to holders at these places, and leaves before it sends `leavesBefore`. */
async function misdealt(options: { readonly participants: number; readonly places: readonly number[]; readonly isCommitted: boolean; readonly leavesBefore?: ParticipantMessage['kind']; readonly tolerated?: number }): Promise<World> {
  const isAway = (kind: string): boolean => kind === options.leavesBefore || (options.leavesBefore === 'masked' && (kind === 'confirm' || kind === 'unmask'));
  let change: (message: MessageOf<'shares'>) => ParticipantMessage = (message) => message;
  const world = openQuiet({
    participants: options.participants, terms: cheatTerms({ noise: { tolerated: options.tolerated ?? 1 } }),
    fromParticipant: (message, from) => {
      if (from !== cheatId) return message;
      if (message.kind === 'shares') return change(message);
      return isAway(message.kind) ? null : message;
    },
  });
  change = misdeal(world, options);
  return run(world);
}

describe('a survivor that reveals something wrong', () => {
  const wrongs: readonly [string, (message: MessageOf<'unmask'>) => MessageOf<'unmask'>][] = [
    ['seed', (message) => ({ ...message, seed: flipped(message.seed) })],
    ['noise key', (message) => ({ ...message, noiseKey: flipped(message.noiseKey, 31) })],
    ['first share', (message) => ({ ...message, shares: flipped(message.shares) })],
    ['last share', (message) => ({ ...message, shares: flipped(message.shares, message.shares.length - 1) })],
    ['shares in another order', (message) => ({ ...message, shares: Uint8Array.of(...message.shares.subarray(32), ...message.shares.subarray(0, 32)) })],
    ['everything', (message) => ({ ...message, seed: new Uint8Array(32), noiseKey: new Uint8Array(32), shares: new Uint8Array(message.shares.length) })],
  ];

  it.each(wrongs)('is named for its %s, and shares of others stand in', async (_, change) => {
    const world: World = openQuiet({ participants: 5, fromParticipant: (message, from) => (from === cheatId && message.kind === 'unmask' ? signed(world, change(message)) : message) });
    await run(world);
    expect(named(world)).toEqual([[cheatId, 'unmask', 'secagg.invalid']]);
    expect(world.aggregator.state).toMatchObject({ kind: 'done', result: { survivors: world.ids, excessNoise: [] } });
    expect(hasExactSum(world)).toBe(true);
  });

  it('does not get anybody else blamed where the round then fails for want of shares', async () => {
    // An honest member drops out before its vector, the cheat gives wrong shares and one more leaves: four are needed.
    const world: World = openQuiet({
      participants: 5, terms: cheatTerms({ minParticipants: 4 }),
      fromParticipant: (message, from) => {
        if (from === idOf(4) && message.kind === 'masked') return null;
        return from === cheatId && message.kind === 'unmask' ? signed(world, { ...message, shares: new Uint8Array(message.shares.length) }) : message;
      },
    });
    await run(world);
    expect(world.aggregator.state).toMatchObject({ kind: 'failed', code: 'secagg.too-few', blamed: [{ id: cheatId }] });
  });

  it('blames nobody where honest survivors left with the shares that were needed', async () => {
    const world = await run(openQuiet({ participants: 5, fromParticipant: (message, from) => ((from === idOf(4) && message.kind === 'masked') || (from === idOf(3) && message.kind === 'unmask') ? null : message) }));
    expect(world.aggregator.state).toMatchObject({ kind: 'failed', code: 'secagg.too-few', blamed: [] });
  });
});

describe('boxes that do not open', () => {
  it('name their dealer where more holders complain than can be lying, and its vector stays in the exact sum', async () => {
    const world = await misdealt({ participants: 5, places: [0, 1, 2, 3], isCommitted: false });
    expect(named(world)).toEqual([[cheatId, 'masked', 'secagg.invalid']]);
    expect(world.aggregator.state).toMatchObject({ kind: 'done', result: { survivors: world.ids, blamed: [{ id: cheatId }] } });
    expect(hasExactSum(world)).toBe(true);
  });

  it('name nobody where the few who complain could be lying', async () => {
    for (const places of [[0], [0, 3]]) {
      const world = await misdealt({ participants: 5, places, isCommitted: false });
      expect(named(world)).toEqual([]);
      expect(hasExactSum(world)).toBe(true);
    }
  });

  it.each(['masked', 'unmask'] as const)('fail the round that their dealer leaves before its %s, and name it', async (leavesBefore) => {
    const world = await misdealt({ participants: 5, places: [0, 1, 2, 3], isCommitted: false, leavesBefore });
    expect(world.aggregator.state).toMatchObject({ kind: 'failed', code: 'secagg.too-few', blamed: [{ id: cheatId, code: 'secagg.invalid' }] });
  });

  it('that are made up by a holder cost its shares and frame nobody', async () => {
    const world: World = openQuiet({ participants: 5, fromParticipant: (message, from) => (from === cheatId && message.kind === 'masked' ? signed(world, { ...message, unopened: Uint8Array.of(0b11101) }) : message) });
    await run(world);
    // What it then reveals is more than it announced.
    expect(named(world)).toEqual([[cheatId, 'unmask', 'secagg.invalid']]);
    expect(hasExactSum(world)).toBe(true);
  });
});

describe('shares off the dealer\'s polynomial', () => {
  it.each([[[0]], [[3]], [[0, 1, 2, 3]]])('at places %j name their dealer, and the sum is exact as long as it stays', async (places) => {
    const world = await misdealt({ participants: 5, places, isCommitted: true });
    expect(named(world)).toEqual([[cheatId, 'unmask', 'secagg.invalid']]);
    expect(hasExactSum(world)).toBe(true);
  });

  it.each([['masked', 0], ['masked', 4], ['unmask', 4], ['unmask', 8]] as const)('before %s, at place %i, are corrected where others hold enough and the dealer left', async (leavesBefore, place) => {
    const world = await misdealt({ participants: 10, places: [place], isCommitted: true, leavesBefore });
    expect(named(world)).toEqual([[cheatId, 'unmask', 'secagg.invalid']]);
    expect(hasExactSum(world)).toBe(true);
  });

  it.each(['masked', 'unmask'] as const)('fail the round where most holders have them and the dealer left before its %s, and name it alone', async (leavesBefore) => {
    const world = await misdealt({ participants: 5, places: [0, 1, 2], isCommitted: true, leavesBefore });
    expect(world.aggregator.state).toMatchObject({ kind: 'failed', code: 'secagg.too-few', blamed: [{ id: cheatId, stage: 'unmask', code: 'secagg.invalid' }] });
  });
});

describe('the decoder of shares', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1);

  it('gives the secret back while at most half of the shares beyond the threshold are wrong', () => {
    for (const [count, threshold] of [[4, 4], [9, 7], [12, 4], [20, 14], [33, 22]] as const) {
      const points = Array.from({ length: count }, (_, i) => 3 * i + 1);
      const dealt = splitSecret(secret, threshold, points, random).map((bytes, i) => ({ x: points[i], bytes }));
      for (let wrong = 0; 2 * wrong <= count - threshold; wrong += 1) {
        const shares = dealt.map(({ x, bytes }, i) => ({ x, bytes: i < wrong ? flipped(bytes, (2 * i) % 32) : bytes }));
        expect([count, wrong, decodeShares(shares, threshold)]).toEqual([count, wrong, secret]);
      }
    }
  });

  it('gives nothing back from too few shares, nor from shares that are wrong at random', () => {
    const points = Array.from({ length: 12 }, (_, i) => i + 1);
    const dealt = splitSecret(secret, 4, points, random).map((bytes, i) => ({ x: points[i], bytes }));
    expect(decodeShares(dealt.slice(0, 3), 4)).toBeNull();
    expect(decodeShares(dealt.map(({ x, bytes }, i) => ({ x, bytes: i < 6 ? splitSecret(secret, 1, [x], random)[0].map((byte, k) => byte ^ (i * 17 + k)) : bytes })), 4)).not.toEqual(secret);
  });

  it('handles the secret that is all zero', () => {
    const dealt = splitSecret(new Uint8Array(32), 3, [1, 2, 3, 4, 5], random).map((bytes, i) => ({ x: i + 1, bytes }));
    expect(decodeShares([...dealt.slice(0, 4), { x: 5, bytes: secret }], 3)).toEqual(new Uint8Array(32));
  });
});

describe('leaving', () => {
  it.each(['advertise', 'shares', 'masked', 'confirm', 'unmask'] as const)('with a word instead of %s blames nobody and leaves an exact sum', async (kind) => {
    const word = { kind: 'abort', code: 'secagg.aborted', message: 'gone' };
    const world = await run(openQuiet({ participants: 5, fromParticipant: (message, from) => (from === cheatId && message.kind === kind ? word : message) }));
    expect(named(world)).toEqual([]);
    expect(hasExactSum(world)).toBe(true);
  });

  it('is final: who left after its vector was summed is asked for nothing more', async () => {
    const world: World = openQuiet({ participants: 5, terms: termsOf({ length: 5 }), afterMessage: async (message, from) => (message.kind === 'masked' && from === cheatId ? world.feed({ kind: 'left', id: cheatId }) : undefined) });
    await run(world);
    const asked = world.aggregator.effects.filter((effect) => effect.kind === 'send' && effect.to === cheatId && effect.message.kind === 'survivors');
    expect(asked).toEqual([]);
    expect(hasExactSum(world)).toBe(true);
  });
});
