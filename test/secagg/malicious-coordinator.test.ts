import * as primitives from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { bitmapOf, concatenated, recordOf } from '../../shared/secagg/bytes.ts';
import { neighboursOf } from '../../shared/secagg/graph.ts';
import type { CoordinatorMessage, MessageOf } from '../../shared/secagg/messages.ts';
import { nodeCrypto } from '../../shared/secagg/node-crypto.ts';
import { softwareCrypto } from '../../shared/secagg/software-crypto.ts';
import { participantStep } from '../../shared/secagg/participant.ts';
import { advertiseStatement, rosterStatement, type RosterEntry } from '../../shared/secagg/roster.ts';
import { boxBytes, commitmentRowBytes, pairMaskKey } from '../../shared/secagg/sealed-share.ts';
import { confirmationsNeeded, confirmStatement, signBytes, survivorsHash, survivorsStatement } from '../../shared/secagg/session.ts';
import type { Terms } from '../../shared/secagg/terms.ts';
import { cheatTerms, flipped, openQuiet } from './attacks.ts';
import { coordinator, idOf, keyOf, revealers, run } from './session.ts';
import { entriesOf, expectAbort, rosterFor, sentBy, survivorsFor, victim, victimId, victimOf, type Stage, type Victim } from './victim.ts';

const participants = 6;
const terms: Terms = cheatTerms({ length: 3, noise: { tolerated: 1 } });
const lowOrder = Uint8Array.of(1, ...new Uint8Array(31));

/** Six took part, and the last of them dealt nothing; five are the threshold. */
let target: Victim;
let otherSession: Victim;
const neverDealt = participants - 1;

beforeAll(async () => {
  const silent = (kind: string, from: string): boolean => kind === 'shares' && from === idOf(neverDealt);
  target = await victimOf({ participants, terms, fromParticipant: (message, from) => (silent(message.kind, from) ? null : message) });
  otherSession = await victimOf({ participants, terms: { ...terms, round: 'demo-0' } });
});

/** A shop that colludes signs whatever keys it is asked to. */
function resigned(entry: RosterEntry, change: Partial<RosterEntry>, over = terms, by = keyOf(Number(entry.id.slice(5)))): RosterEntry {
  const changed = { ...entry, ...change };
  return { ...changed, signature: signBytes(by, advertiseStatement(over, changed)) };
}

type Script = readonly [string, () => CoordinatorMessage, ErrorCode];

function play(stage: Stage, scripts: readonly Script[]): void {
  it.each(scripts)(`%s, met in ${stage}`, async (_, message, code) => {
    await expectAbort(target, stage, message(), code);
  });
}

describe('a roster that a participant refuses', () => {
  const entries = (): RosterEntry[] => entriesOf(target);
  const changed = (index: number, change: (entry: RosterEntry) => RosterEntry): RosterEntry[] => entries().map((entry, i) => (i === index ? change(entry) : entry));
  play('advertised', [
    ['not signed by the coordinator', () => ({ ...rosterFor(terms, entries()), signature: flipped(rosterFor(terms, entries()).signature, 32) }), 'secagg.invalid'],
    ['signed for another plan', () => rosterFor({ ...terms, planHash: 'c'.repeat(64) }, entries()), 'secagg.invalid'],
    ['with members that were given another model', () => rosterFor(terms, changed(4, (entry) => resigned(entry, {}, { ...terms, modelHash: 'c'.repeat(64) }))), 'secagg.invalid'],
    ['with members that were given a stale plan', () => rosterFor(terms, changed(0, (entry) => resigned(entry, {}, { ...terms, planHash: 'c'.repeat(64) }))), 'secagg.invalid'],
    ['with an entry of another round', () => rosterFor(terms, changed(3, () => entriesOf(otherSession)[3])), 'secagg.invalid'],
    ['of another round', () => sentBy(otherSession, 'roster'), 'secagg.invalid'],
    ['with a stranger', () => rosterFor(terms, [...entries(), resigned({ ...entries()[0], id: 'shop-9999' }, { cipherKey: new Uint8Array(32).fill(9), maskKey: new Uint8Array(32).fill(7) }, terms, keyOf(9999))]), 'secagg.invalid'],
    ['with an entry that another shop signed', () => rosterFor(terms, changed(1, (entry) => resigned(entry, {}, terms, keyOf(0)))), 'secagg.invalid'],
    ['with a forged signature', () => rosterFor(terms, changed(1, (entry) => ({ ...entry, signature: new Uint8Array(64) }))), 'secagg.invalid'],
    ['with keys swapped in under a name', () => rosterFor(terms, changed(1, (entry) => ({ ...entry, maskKey: flipped(entry.maskKey, 3) }))), 'secagg.invalid'],
    ['without the participant', () => rosterFor(terms, entries().filter(({ id }) => id !== victimId)), 'secagg.invalid'],
    ['with other keys of the participant', () => rosterFor(terms, changed(victim, (entry) => resigned(entry, { maskKey: new Uint8Array(32).fill(9) }))), 'secagg.invalid'],
    ['with an id that is listed twice', () => rosterFor(terms, [...entries(), resigned(entries()[4], { cipherKey: new Uint8Array(32).fill(9), maskKey: new Uint8Array(32).fill(7) })]), 'secagg.invalid'],
    ['with one entry twice', () => rosterFor(terms, [...entries(), entries()[4]]), 'secagg.invalid'],
    ['in an order of its own', () => rosterFor(terms, [...entries()].reverse(), true), 'secagg.invalid'],
    ['with one key under two names', () => rosterFor(terms, changed(4, (entry) => resigned(entry, { maskKey: entries()[3].maskKey }))), 'secagg.invalid'],
    ['with one key twice but for the bit that X25519 ignores', () => rosterFor(terms, changed(4, (entry) => resigned(entry, { maskKey: entries()[3].maskKey.map((byte, i) => (i === 31 ? byte | 128 : byte)) }))), 'secagg.invalid'],
    ['with a sealing key of low order', () => rosterFor(terms, changed(4, (entry) => resigned(entry, { cipherKey: lowOrder }))), 'secagg.invalid'],
    ['with a mask key of low order', () => rosterFor(terms, changed(4, (entry) => resigned(entry, { maskKey: lowOrder }))), 'secagg.invalid'],
    ['below the minimum', () => rosterFor(terms, entries().slice(0, 3)), 'secagg.too-few'],
    ['of nobody', () => rosterFor(terms, []), 'secagg.too-few'],
    ['that is cut short', () => ({ ...rosterFor(terms, entries()), records: rosterFor(terms, entries()).records.slice(1) }), 'secagg.invalid'],
  ]);

  it('because no mask of one model fits another, even if somebody would sign for both', () => {
    const key = new Uint8Array(32).fill(1);
    expect(pairMaskKey(softwareCrypto, key, terms.modelHash, [0, 1])).not.toEqual(pairMaskKey(softwareCrypto, key, 'c'.repeat(64), [0, 1]));
    expect(pairMaskKey(softwareCrypto, key, terms.modelHash, [0, 1])).toEqual(pairMaskKey(softwareCrypto, key, terms.modelHash, [1, 0]));
  });
});

describe('boxes that a participant refuses', () => {
  const honest = (): MessageOf<'forward'> => sentBy(target, 'forward');
  const size = boxBytes(1);
  const places = [0, 1, 2, 3];
  const boxes = (at: (place: number) => number): Uint8Array => concatenated(places.map((place) => recordOf(honest().boxes, at(place), size)));
  const rows = (at: (place: number) => number): Uint8Array => concatenated(places.map((place) => recordOf(honest().commitments, at(place), commitmentRowBytes(1))));
  play('shared', [
    ['of another session', () => ({ ...sentBy(otherSession, 'forward'), senders: honest().senders, boxes: sentBy(otherSession, 'forward').boxes.slice(0, honest().boxes.length), commitments: sentBy(otherSession, 'forward').commitments.slice(0, honest().commitments.length) }), 'secagg.too-few'],
    ['swapped between two senders', () => ({ ...honest(), boxes: boxes((place) => [1, 0, 2, 3][place]) }), 'secagg.too-few'],
    ['under commitments of another sender', () => ({ ...honest(), commitments: rows((place) => [1, 0, 2, 3][place]) }), 'secagg.too-few'],
    ['changed in one bit', () => ({ ...honest(), boxes: flipped(honest().boxes, 5) }), 'secagg.too-few'],
    ['that claim to come from itself', () => ({ ...honest(), senders: bitmapOf(participants, [0, 1, victim, 3]) }), 'secagg.invalid'],
    ['from beyond the roster', () => ({ ...honest(), senders: Uint8Array.of(0b11000011) }), 'secagg.invalid'],
    ['of fewer than the threshold', () => ({ kind: 'forward', senders: bitmapOf(participants, [0, 1, 3]), boxes: boxes((place) => place).slice(0, 3 * size), commitments: rows((place) => place).slice(0, 3 * commitmentRowBytes(1)) }), 'secagg.too-few'],
    ['of nobody', () => ({ kind: 'forward', senders: new Uint8Array(1), boxes: new Uint8Array(0), commitments: new Uint8Array(0) }), 'secagg.too-few'],
    ['of a wrong length', () => ({ ...honest(), boxes: honest().boxes.slice(1) }), 'secagg.invalid'],
    ['with too few commitments', () => ({ ...honest(), commitments: honest().commitments.slice(1) }), 'secagg.invalid'],
  ]);
});

describe('a survivor set that a participant refuses', () => {
  const dealt = [0, 1, 2, 3, 4];
  play('masked', [
    ['that the coordinator did not sign', () => survivorsFor(target.session, dealt, keyOf(0)), 'secagg.invalid'],
    ['signed for another set', () => ({ ...survivorsFor(target.session, dealt), signature: survivorsFor(target.session, [0, 1, 2, 3]).signature }), 'secagg.invalid'],
    ['of another session', () => sentBy(otherSession, 'survivors'), 'secagg.invalid'],
    ['without the participant', () => survivorsFor(target.session, [0, 1, 3, 4, 5]), 'secagg.invalid'],
    ['with one that never dealt', () => survivorsFor(target.session, [0, 1, 2, 3, neverDealt]), 'secagg.invalid'],
    ['of all, one of which never dealt', () => survivorsFor(target.session, [...dealt, neverDealt]), 'secagg.invalid'],
    ['below the threshold', () => survivorsFor(target.session, [0, 1, 2, 3]), 'secagg.too-few'],
    ['of the participant alone', () => survivorsFor(target.session, [victim]), 'secagg.too-few'],
    ['of a wrong length', () => ({ ...survivorsFor(target.session, dealt), members: new Uint8Array(2) }), 'secagg.invalid'],
    ['beyond the roster', () => ({ ...survivorsFor(target.session, dealt), members: Uint8Array.of(0b11011111) }), 'secagg.invalid'],
  ]);

  it('below the minimum of the terms, or beyond the dropouts that noise was planned for', async () => {
    for (const change of [{ minParticipants: 8, noise: null }, { noise: { tolerated: 1 } }] as const) {
      const victimOfMany = await victimOf({ participants: 8, terms: { ...terms, ...change } });
      expect(victimOfMany.session.graph.threshold).toBe(6);
      await expectAbort(victimOfMany, 'masked', survivorsFor(victimOfMany.session, [0, 1, 2, 3, 4, 5]), 'secagg.too-few');
    }
  });
});

describe('confirmations that a participant refuses', () => {
  const statement = (): Uint8Array => confirmStatement(target.session, survivorsHash(target.session, [0, 1, 2, 3, 4]));
  const by = (members: readonly number[], sign: (member: number) => Uint8Array): CoordinatorMessage => ({ kind: 'confirmations', signers: bitmapOf(participants, members), signatures: concatenated(members.map(sign)) });
  const honest = (member: number): Uint8Array => signBytes(keyOf(member), statement());
  play('confirmed', [
    ['of nobody', () => by([], honest), 'secagg.too-few'],
    ['one below the threshold', () => by([0, 1, 2, 3], honest), 'secagg.too-few'],
    ['enough only with one that is no survivor', () => by([0, 1, 2, 3, 5], honest), 'secagg.too-few'],
    ['enough only with a forged one', () => by([0, 1, 2, 3, 4], (member) => (member === 4 ? new Uint8Array(64) : honest(member))), 'secagg.too-few'],
    ['with one signature in all places', () => by([0, 1, 2, 3, 4], () => honest(0)), 'secagg.too-few'],
    ['signed by the coordinator itself', () => by([0, 1, 2, 3, 4], () => signBytes(coordinator, statement())), 'secagg.too-few'],
    ['enough only with one over one survivor fewer', () => by([0, 1, 2, 3, 4], (member) => (member === 0 ? signBytes(keyOf(0), confirmStatement(target.session, survivorsHash(target.session, [0, 1, 2, 3]))) : honest(member))), 'secagg.too-few'],
    ['of another session', () => by([0, 1, 2, 3, 4], (member) => signBytes(keyOf(member), confirmStatement(otherSession.session, survivorsHash(otherSession.session, [0, 1, 2, 3, 4])))), 'secagg.too-few'],
    ['replayed from another session', () => sentBy(otherSession, 'confirmations'), 'secagg.too-few'],
    ['with fewer signatures than signers', () => ({ kind: 'confirmations', signers: bitmapOf(participants, [0, 1, 2, 3, 4]), signatures: new Uint8Array(64 * 4) }), 'secagg.invalid'],
    ['with a signer beyond the roster', () => ({ kind: 'confirmations', signers: Uint8Array.of(0b10011111), signatures: new Uint8Array(64 * 6) }), 'secagg.invalid'],
  ]);

  it('and takes exactly the threshold, once', async () => {
    const [state, effects] = await participantStep(target.context, target.in('confirmed'), { kind: 'message', message: by([0, 1, 2, 3, 4], honest) });
    expect([state.kind, effects.map(({ kind }) => kind)]).toEqual(['done', ['record-release', 'send', 'done']]);
    expect(await participantStep(target.context, state, { kind: 'message', message: by([0, 1, 2, 3, 4], honest) })).toEqual([state, []]);
  });
});

describe('confirmations in a Harary graph', () => {
  const members = 40;
  const sparse: Terms = { ...terms, minParticipants: 30, graph: { kind: 'harary', corruptFraction: 0.05, dropoutFraction: 0.1, securityBits: 20 } };

  /** Those of an honest round, cut to these members. */
  const cut = (from: Victim, kept: readonly number[]): MessageOf<'confirmations'> => {
    const { signatures } = sentBy(from, 'confirmations');
    return { kind: 'confirmations', signers: bitmapOf(members, kept), signatures: concatenated(kept.map((member) => recordOf(signatures, member, 64))) };
  };

  it('are of more than half of all members, since neighbours alone do not know which survivors others were shown', async () => {
    const one = await victimOf({ participants: members, terms: sparse, crypto: nodeCrypto(primitives) });
    const { session } = one;
    const near = [victim, ...neighboursOf(session.graph, victim)].sort((a, b) => a - b);
    const needed = confirmationsNeeded(sparse, session);
    expect([near.length >= session.graph.threshold, near.length < needed, needed]).toEqual([true, true, 22]);
    await expectAbort(one, 'confirmed', cut(one, near), 'secagg.too-few');
    const others = Array.from({ length: members }, (_, member) => member).filter((member) => !near.includes(member));
    const enough = [...near, ...others.slice(0, needed - near.length)].sort((a, b) => a - b);
    await expectAbort(one, 'confirmed', cut(one, enough.filter((member) => member !== others[0])), 'secagg.too-few');
    // Of all members there are enough, of neighbours not.
    await expectAbort(one, 'confirmed', cut(one, [victim, ...others].sort((a, b) => a - b)), 'secagg.too-few');
    const [state] = await participantStep(one.context, one.in('confirmed'), { kind: 'message', message: cut(one, enough) });
    expect(state.kind).toBe('done');
  });

  it('are so many that two sets of survivors cannot both have them, and not more than stay', () => {
    for (const participants of [40, 201, 490, 1000, 4001]) {
      for (const [corruptFraction, dropoutFraction] of [[0.05, 0.05], [10 / 490, 0.05], [0.1, 0.1], [0.3, 0.3], [0.05, 0.42]]) {
        const graph: Terms['graph'] = { kind: 'harary', corruptFraction, dropoutFraction, securityBits: 60 };
        const needed = confirmationsNeeded({ graph }, { roster: { entries: Array<RosterEntry>(participants) }, graph: { threshold: 2 } });
        expect(2 * needed - participants).toBeGreaterThan(corruptFraction * participants);
        expect(needed).toBeLessThanOrEqual(participants - Math.floor(dropoutFraction * participants));
      }
    }
  });
});

describe('two statements of the coordinator where one is allowed', () => {
  it.each(['shared', 'ready', 'masked', 'confirmed'] as const)('two rosters, the second met in %s, convict it', async (stage) => {
    const seconds = [rosterFor(terms, entriesOf(target).slice(0, 5)), rosterFor(terms, [...entriesOf(target)].reverse(), true), rosterFor(terms, [])];
    for (const second of seconds) {
      const evidence = await expectAbort(target, stage, second, 'secagg.equivocation');
      if (evidence === undefined) throw new Error('expected evidence');
      expect(evidence.of).toBe('roster');
      expect(evidence.first.digest).not.toEqual(evidence.second.digest);
      for (const { digest, signature } of [evidence.first, evidence.second]) expect(await target.context.crypto.verify(Buffer.from(terms.coordinatorKey, 'hex'), signature, rosterStatement(terms, digest))).toBe(true);
    }
    await expectAbort(target, stage, { ...seconds[0], signature: new Uint8Array(64) }, 'secagg.invalid');
  });

  it('two survivor sets, such as one with one fewer, convict it', async () => {
    for (const second of [[1, 2, 3, 4], [0, 1, 3, 4], [victim], [0, 1, 2, 3, neverDealt]]) {
      const evidence = await expectAbort(target, 'confirmed', survivorsFor(target.session, second), 'secagg.equivocation');
      if (evidence === undefined) throw new Error('expected evidence');
      const { roster } = target.session;
      expect([evidence.of, evidence.sessionId]).toEqual(['survivors', roster.sessionId]);
      for (const { digest, signature } of [evidence.first, evidence.second]) expect(await target.context.crypto.verify(Buffer.from(terms.coordinatorKey, 'hex'), signature, survivorsStatement(target.session, digest))).toBe(true);
    }
    expect(await expectAbort(target, 'confirmed', survivorsFor(target.session, [1, 2, 3, 4], keyOf(0)), 'protocol.out-of-order')).toBeUndefined();
  });

  it('the same statement twice is not held against it', async () => {
    for (const [stage, message] of [['shared', 'roster'], ['confirmed', 'roster'], ['confirmed', 'survivors']] as const) {
      const before = target.in(stage);
      expect(await participantStep(target.context, before, { kind: 'message', message: sentBy(target, message) })).toEqual([before, []]);
    }
  });

  it('two survivor sets for two halves of the participants: neither half reveals anything', async () => {
    for (const split of [1, 2, 3, 4, 5]) {
      const world = openQuiet({
        participants, terms: { ...terms, noise: null },
        toParticipant: (message, to) => {
          const { state } = world.aggregator;
          if (message.kind !== 'survivors' || Number(to.slice(5)) < split || !('session' in state)) return message;
          return survivorsFor(state.session, [0, 1, 2, 3, 4, 5].filter((member) => member !== 0));
        },
      });
      await run(world);
      if (split < 5) expect([split, revealers(world)]).toEqual([split, []]);
      // Five that agree are the threshold: they have one sum, and the one that was lied to reveals nothing.
      else expect(revealers(world)).toEqual([0, 1, 2, 3, 4].map(idOf));
    }
  });
});
