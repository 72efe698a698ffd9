import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { aggregatorStep } from '../../shared/secagg/aggregator.ts';
import type { Blame } from '../../shared/secagg/aggregator-state.ts';
import type { ParticipantMessage } from '../../shared/secagg/messages.ts';
import { binaryFields, cheat, cheatTerms, flipped, hasExactSum, openQuiet, signed } from './attacks.ts';
import { blamedIn, idOf, keyOf, run, type World } from './session.ts';

const cheatId = idOf(cheat);
const participants = 5;

/** What the aggregator collects when a message of this kind arrives. */
const stageOf = { advertise: 'keys', nonce: 'nonces', shares: 'shares', masked: 'masked', confirm: 'confirm', unmask: 'unmask', abort: 'keys' } as const satisfies Record<ParticipantMessage['kind'], Blame['stage']>;

const kinds = ['advertise', 'shares', 'masked', 'confirm', 'unmask'] as const;
type Kind = (typeof kinds)[number];

/** Its vector counts if it was in the sum before the cheat was caught: it cannot be told apart any more. */
const isSummed = (kind: Kind): boolean => kind === 'confirm' || kind === 'unmask';

/** A round in which one participant sends something else in the place of its message of this kind. */
async function cheatedAt(kind: Kind, change: (message: ParticipantMessage, world: World) => unknown): Promise<World> {
  const world: World = openQuiet({ participants, fromParticipant: (message, from) => (from === cheatId && message.kind === kind ? change(message, world) : message) });
  return run(world);
}

function expectNamed(world: World, stage: Blame['stage'], code: ErrorCode, hasSummed: boolean): void {
  expect(blamedIn(world).map(({ id, stage: at, code: why }) => [id, at, why])).toEqual([[cheatId, stage, code]]);
  expect(hasExactSum(world)).toBe(true);
  if (world.aggregator.state.kind !== 'done') return;
  expect(world.aggregator.state.result.survivors).toEqual(world.ids.filter((id) => hasSummed || id !== cheatId));
  expect(world.aggregator.state.result.blamed).toHaveLength(1);
}

/** A round that waits for nothing but the cheat's message of this kind, and that message. */
async function waitingFor(kind: Kind, terms = cheatTerms()): Promise<{ readonly world: World; readonly message: ParticipantMessage }> {
  const held: ParticipantMessage[] = [];
  const world: World = openQuiet({
    participants, terms,
    fromParticipant: (message, from) => {
      if (from !== cheatId || message.kind !== kind) return message;
      held.push(message);
      return null;
    },
  });
  await world.feed({ kind: 'start', invited: world.ids });
  for (const id of world.ids) await world.tell(id, { kind: 'start' });
  expect([world.aggregator.state.kind, held.length]).toEqual([stageOf[kind], 1]);
  return { world, message: held[0] };
}

/** Who is left out, and why, where this comes from the cheat. The round itself stays where it is. */
async function verdictOn({ aggregator: { context, state } }: World, message: unknown): Promise<unknown[]> {
  const before = 'sum' in state ? { ...state, sum: state.sum.slice() } : state;
  const [, effects] = await aggregatorStep(context, before, { kind: 'message', from: cheatId, message });
  return effects.flatMap((effect) => (effect.kind === 'exclude' ? [effect.blame.id, effect.blame.stage, effect.blame.code] : []));
}

describe('a participant that breaks a message is named and the others have their sum', () => {
  it.each(kinds)('a signature that is wrong under %s', async (kind) => {
    const world = await cheatedAt(kind, (message) => ('signature' in message ? { ...message, signature: flipped(message.signature, 40) } : message));
    expectNamed(world, stageOf[kind], 'secagg.invalid', isSummed(kind));
  });

  it.each(kinds)('a signature by another shop, or none, under %s', async (kind) => {
    const { world, message } = await waitingFor(kind);
    for (const signature of [signed(world, message, keyOf(0)), { ...message, signature: new Uint8Array(64) }]) expect(await verdictOn(world, signature)).toEqual([cheatId, stageOf[kind], 'secagg.invalid']);
    expect(await verdictOn(world, signed(world, message))).toEqual([]);
  });

  it.each(kinds)('the length of each field of %s', async (kind) => {
    const { world, message } = await waitingFor(kind);
    for (const [field, bytes] of binaryFields(message)) {
      const lengths = [bytes.length + 1, bytes.length - 1, 0].filter((length) => length >= 0 && length !== bytes.length);
      for (const length of lengths) {
        const resized = new Uint8Array(length);
        resized.set(bytes.subarray(0, length));
        const changed = { ...message, [field]: resized };
        expect([field, length, ...(await verdictOn(world, field === 'signature' ? changed : signed(world, changed)))]).toEqual([field, length, cheatId, stageOf[kind], 'secagg.invalid']);
      }
    }
  });

  it.each(['shares', 'masked', 'confirm', 'unmask'] as const)('the number of another member, or of none, in %s', async (kind) => {
    const { world, message } = await waitingFor(kind);
    for (const from of [0, 4, 5, 65_534]) expect(await verdictOn(world, signed(world, { ...message, from } as ParticipantMessage))).toEqual([cheatId, stageOf[kind], 'secagg.invalid']);
  });

  it.each(kinds)('its own %s of another round', async (kind) => {
    const { message } = await waitingFor(kind, cheatTerms({ round: 'demo-0' }));
    const { world } = await waitingFor(kind);
    expect(await verdictOn(world, message)).toEqual([cheatId, stageOf[kind], 'secagg.invalid']);
  });

  it.each(kinds)('something else where %s belongs', async (kind) => {
    const { world } = await waitingFor(kind);
    const sample = await run(openQuiet({ participants }));
    for (const { message } of sample.view.filter(({ from, message: { kind: other } }) => from === cheatId && other !== kind)) {
      expect(await verdictOn(world, message)).toEqual([cheatId, stageOf[kind], 'protocol.out-of-order']);
    }
    for (const nonsense of [null, 7, 'masked', [], {}, { kind: 'roster' }, { kind, from: cheat }, { kind: 'abort' }]) expect(await verdictOn(world, nonsense)).toEqual([cheatId, stageOf[kind], 'secagg.invalid']);
  });

  it.each(kinds)('two answers with valid signatures where one %s belongs, with both kept as evidence', async (kind) => {
    const world: World = openQuiet({
      participants,
      afterMessage: async (message, from) => {
        if (from !== cheatId || message.kind !== kind) return;
        await world.feed({ kind: 'message', from, message });
        expect(blamedIn(world)).toEqual([]);
        // The second one excludes it; whatever it says after that counts for nothing, not even against it.
        for (let again = 0; again < 2; again += 1) await world.feed({ kind: 'message', from, message: contradiction(world, message) });
      },
    });
    await run(world);
    if (kind === 'confirm') {
      // Nothing but the one survivor set can be signed here: another statement is only a wrong signature.
      expectNamed(world, 'confirm', 'secagg.invalid', true);
      return;
    }
    expectNamed(world, stageOf[kind], 'secagg.equivocation', isSummed(kind) || kind === 'masked');
    const { evidence } = blamedIn(world)[0];
    if (evidence === undefined) throw new Error('expected evidence');
    expect(evidence.first.statement).not.toEqual(evidence.second.statement);
    const { context: { crypto } } = world.aggregator;
    for (const { statement, signature } of [evidence.first, evidence.second]) expect(await crypto.verify(Buffer.from(keyOf(cheat).publicKey, 'hex'), signature, statement)).toBe(true);
  });
});

function contradiction(world: World, message: ParticipantMessage): ParticipantMessage {
  switch (message.kind) {
    case 'advertise':
      return signed(world, { ...message, nonceHash: flipped(message.nonceHash) });
    case 'shares':
      return signed(world, { ...message, boxes: flipped(message.boxes) });
    case 'masked':
      return signed(world, { ...message, vector: flipped(message.vector) });
    case 'unmask':
      return signed(world, { ...message, seed: flipped(message.seed) });
    case 'confirm':
      return { ...message, signature: flipped(message.signature, 33) };
    default:
      return message;
  }
}

describe('keys that are not a participant\'s own', () => {
  const lowOrder = Uint8Array.from(Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'));

  it.each([
    ['of another shop', (other: Uint8Array) => other],
    ['of another shop with the bit set that X25519 ignores', (other: Uint8Array) => other.map((byte, i) => (i === 31 ? byte | 128 : byte))],
    ['of order 8', () => lowOrder],
    ['that are zero', () => new Uint8Array(32)],
  ])('%s are refused by name', async (_, keyFrom) => {
    for (const field of ['cipherKey', 'maskKey'] as const) {
      let other: Uint8Array = new Uint8Array(32);
      const world: World = openQuiet({
        participants,
        fromParticipant: (message, from) => {
          if (message.kind !== 'advertise') return message;
          if (from === idOf(0)) other = message[field];
          return from === cheatId ? signed(world, { ...message, [field]: keyFrom(other) }) : message;
        },
      });
      expectNamed(await run(world), 'keys', 'secagg.invalid', false);
    }
  });

  it('are refused where one key is used for both purposes, or for another shop\'s name', async () => {
    const { world, message } = await waitingFor('advertise');
    if (message.kind !== 'advertise') throw new Error('expected keys');
    expect(await verdictOn(world, signed(world, { ...message, maskKey: message.cipherKey }))).toEqual([cheatId, 'keys', 'secagg.invalid']);
    expect(await verdictOn(world, signed(world, { ...message, id: idOf(0) }))).toEqual([cheatId, 'keys', 'secagg.invalid']);
  });
});
