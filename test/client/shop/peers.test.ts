import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { peerCheck } from '../../../client/peers.ts';
import { openPeerPins, parsePeers } from '../../../client/shop/peers.ts';
import { recordRelease } from '../../../client/shop/sessions-file.ts';
import { examplePlan } from '../../federation/plans.ts';

const root = mkdtempSync(join(tmpdir(), 'cesta-peers-'));
afterAll(() => rmSync(root, { recursive: true }));
const folder = (): string => mkdtempSync(join(root, 'shop-'));
const key = (digit: string): string => digit.repeat(64);
const plan = examplePlan({
  cohort: { minParticipants: 5, targetParticipants: 6, maxParticipants: 6 },
  privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, rounds: 1, noiseStd: 7, mechanism: 'skellam', sampling: 1, filterOrder: 8, shopsPerShopper: 2, tolerated: 1, colluding: 1 },
});

describe('peers', () => {
  it('are pinned to the keys they were first seen with, also over a restart', () => {
    const path = folder();
    peerCheck(openPeerPins(path), { ownKey: key('0') })(plan, new Map([['me', key('0')], ['other', key('1')]]));
    const again = peerCheck(openPeerPins(path), { ownKey: key('0') });
    expect(() => again(plan, new Map([['other', key('1')], ['third', key('3')]]))).not.toThrow();
    // Two names with new keys are more than may collude.
    expect(() => again(plan, new Map([['other', key('2')], ['third', key('4')]]))).toThrow(/at most 1 shops whose keys are not known here, got 2: other, third/);
  });

  it('that are listed may be joined by as many strangers as may collude, and by the shop itself', () => {
    const check = peerCheck(openPeerPins(folder()), { ownKey: key('0'), known: new Map([['a', key('a')], ['b', key('b')]]) });
    expect(() => check(plan, new Map([['a', key('a')], ['b', key('b')], ['me', key('0')], ['stranger', key('c')]]))).not.toThrow();
    expect(() => check(plan, new Map([['a', key('a')], ['x', key('d')], ['y', key('e')]]))).toThrow(/at most 1 shops whose keys are not known here, got 2: x, y/);
    expect(() => check(plan, new Map([['a', key('f')], ['b', key('e')]]))).toThrow(/got 2: a, b/);
  });

  it('are read from JSON without regard to case, and anything else is refused with the file', () => {
    expect(parsePeers('p.json', JSON.stringify({ Corner: key('a') }))).toEqual(new Map([['corner', key('a')]]));
    for (const text of ['', '[]', '{"a":1}', '{"a":"xyz"}', '{"no name":"' + key('a') + '"}']) expect(() => parsePeers('p.json', text)).toThrow(/^p\.json: expected a JSON object/);
    const path = folder();
    writeFileSync(join(path, 'peers.json'), 'damaged');
    expect(() => openPeerPins(path).read()).toThrow(/expected a JSON object/);
  });
});

describe('a hand-over', () => {
  it('of one shop is taken for a stranger, told, and pinned', () => {
    const path = folder();
    const changes: string[] = [];
    const check = peerCheck(openPeerPins(path), { ownKey: key('0'), onChange: (name) => void changes.push(name) });
    check(plan, new Map([['other', key('1')], ['third', key('3')]]));
    check(plan, new Map([['other', key('2')], ['third', key('3')]]));
    check(plan, new Map([['other', key('2')], ['third', key('3')]]));
    expect(changes).toEqual(['other']);
    expect(openPeerPins(path).read().get('other')).toBe(key('2'));
  });
});

describe('sessions that were answered', () => {
  it('are answered once, also over a restart, and the last thousand are remembered', () => {
    const path = folder();
    recordRelease(path, 'aa');
    expect(() => recordRelease(path, 'aa')).toThrow(/expected to be answered once/);
    writeFileSync(join(path, 'sessions'), Array.from({ length: 1000 }, (_, i) => `s${i}`).join('\n'));
    recordRelease(path, 'bb');
    const kept = readFileSync(join(path, 'sessions'), 'utf8').trim().split('\n');
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([1000, 's1', 'bb']);
  });
});
