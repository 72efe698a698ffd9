import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../client/secure-random.ts';
import { drawNoise } from '../../shared/federation/noise-shares.ts';
import { encodeBase64 } from '../../shared/ledger/base64.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { groupedPlan, groupedShops } from '../federation/plans.ts';
import { until } from '../client/fakes.ts';
import { groupedRig, masked } from './support/grouped-rig.ts';

const threeGroups = groupedPlan(3);
const fourGroups = groupedPlan(4);

/** What 100 shoppers of a shop add together, noised, and behind it their count. */
const honest = (plan = threeGroups) => (_name: string, participants: number): Int32Array => {
  const noise = drawNoise(plan, participants, systemRandom()) ?? new Int32Array(4);
  return Int32Array.from([12_800, 0, 25_600, 12_800], (value, i) => value + noise[i]);
};

describe('a masked round in groups', () => {
  it('gives each group a sum of its own, and combines their means', async () => {
    const rig = groupedRig(threeGroups, { shops: 15, report: honest() });
    const all = rig.groups.flat();
    await masked(rig, all);
    rig.upload(...all);
    await rig.logged('summed 15');
    expect(rig.groups.map(({ length }) => length)).toEqual([5, 5, 5]);
    expect(rig.round.groups?.map(({ group, participants }) => [group, [...participants].sort()])).toEqual(rig.groups.map((names, group) => [group, [...names].sort()]));
    const { sum, shoppers } = rig.round.decode();
    expect(rig.round.participants).toBe(15);
    expect(Math.abs(shoppers - 1500)).toBeLessThan(20);
    [0.125, 0, 0.25].forEach((perShopper, i) => expect(Math.abs(sum[i] / shoppers - perShopper)).toBeLessThan(0.01));
    expect([...rig.ends.values()]).toEqual(Array(15).fill(null));
  });

  it('charges once for all groups, before any of them reveals anything', async () => {
    const rig = groupedRig(threeGroups, { shops: 15 });
    const [first, second, third] = rig.groups;
    await masked(rig, rig.groups.flat());
    rig.upload(...first, ...second, ...third.slice(1));
    await until(() => rig.log.filter((line) => line.startsWith('accepted')).length === 14, 'fourteen');
    // Two groups are ready, and wait for the third.
    await until(() => first.every((name) => rig.frames.get(name)?.length === 3), 'confirmations');
    expect(rig.log.some((line) => line.startsWith('charge'))).toBe(false);
    rig.upload(third[0]);
    await rig.logged('summed 15');
    expect(rig.log.filter((line) => line.startsWith('charge'))).toEqual(['charge 15']);
    expect(rig.charged[0].map(({ group, participants }) => [group, participants.length])).toEqual([[0, 5], [1, 5], [2, 5]]);
    // Advertised, dealt, confirmed, revealed.
    expect(rig.frames.get(first[0])?.length).toBe(4);
  });

  it('takes dropouts in each group as far as its noise was planned for', async () => {
    const rig = groupedRig(threeGroups, { shops: 15, report: honest() });
    await masked(rig, rig.groups.flat());
    rig.groups.forEach(([leaver]) => rig.round.left(leaver));
    rig.upload(...rig.groups.flatMap((names) => names.slice(1)));
    await rig.logged('summed 12');
    expect(Math.abs(rig.round.decode().shoppers - 1200)).toBeLessThan(20);
  });

  it('leaves out a group that lost too many, and tells its members', async () => {
    const rig = groupedRig(fourGroups, { shops: 20, report: honest(fourGroups) });
    const [lost, ...others] = rig.groups;
    await masked(rig, rig.groups.flat());
    rig.upload(...others.flat());
    lost.slice(0, 2).forEach((name) => rig.round.left(name));
    rig.upload(...lost.slice(2));
    await rig.logged('summed 15');
    expect(rig.log.find((line) => line.startsWith('left out'))).toMatch(new RegExp(`^left out ${lost.join('')} secagg.too-few group 1 of 4: `));
    expect(rig.charged[0].map(({ group }) => group)).toEqual([1, 2, 3]);
    expect(rig.round.groups?.map(({ group }) => group)).toEqual([1, 2, 3]);
    expect(rig.round.participants).toBe(15);
    expect(() => rig.round.message(lost[4], 'AAAA')).toThrow(expect.objectContaining({ code: 'round.not-member' }) as Error);
  });

  it('goes on without a group that fails while it reveals, after the charge', async () => {
    const rig = groupedRig(fourGroups, { shops: 20, report: honest(fourGroups), commit: () => new Promise((resolve) => (release = resolve)) });
    let release: () => void = () => undefined;
    const [lost, ...others] = rig.groups;
    await masked(rig, rig.groups.flat());
    rig.upload(...rig.groups.flat());
    await until(() => rig.groups.flat().every((name) => rig.frames.get(name)?.length === 3), 'confirmations');
    lost.forEach((name) => rig.round.left(name));
    release();
    await rig.logged('summed 15');
    expect(rig.charged[0].length).toBe(4);
    expect(rig.round.groups?.map(({ group }) => group)).toEqual([1, 2, 3]);
    expect(others.length).toBe(3);
  });

  it('fails for free when too few groups are left for the rule', async () => {
    const rig = groupedRig(threeGroups, { shops: 15 });
    await masked(rig, rig.groups.flat());
    rig.groups[1].slice(0, 2).forEach((name) => rig.round.left(name));
    rig.upload(...rig.groups.flat().filter((name) => !rig.groups[1].slice(0, 2).includes(name)));
    await rig.logged('failed secagg.too-few groups: expected at least 3, got 2 left');
    expect(rig.charged).toEqual([]);
    expect(rig.log.some((line) => line.startsWith('left out'))).toBe(false);
    // Those that were ready have revealed nothing.
    for (const name of rig.groups[0]) expect(rig.frames.get(name)?.length).toBeLessThan(4);
    expect(rig.clock.pending).toBe(0);
  });

  it('reveals nothing when the charge cannot be made durable', async () => {
    const rig = groupedRig(threeGroups, { shops: 15, commit: () => Promise.reject(new CestaError('storage.failed', 'disk full')) });
    await masked(rig, rig.groups.flat());
    rig.upload(...rig.groups.flat());
    await rig.logged('failed storage.failed');
    for (const frames of rig.frames.values()) expect(frames.length).toBe(3);
    expect(rig.log.some((line) => line.startsWith('summed'))).toBe(false);
  });

  it('ends each stage by its deadline, with whoever answered', async () => {
    const rig = groupedRig(threeGroups, { shops: 15 });
    const silent = rig.groups[2][0];
    await masked(rig, rig.groups.flat());
    rig.upload(...rig.groups.flat().filter((name) => name !== silent));
    const others = rig.groups.slice(0, 2).flat();
    await until(() => others.every((name) => rig.frames.get(name)?.length === 3) && rig.log.filter((line) => line.startsWith('accepted')).length === 14, 'the others');
    rig.clock.advance(threeGroups.deadlines.trainingMs);
    await rig.logged('summed 14');
  });

  it('takes nothing of one group in another: messages of its members, replayed by one of the other, name the replayer', async () => {
    const rig = groupedRig(fourGroups, { shops: 20 });
    const [[honestShop], [replayer]] = rig.groups;
    await masked(rig, rig.groups.flat());
    const [advertised] = rig.frames.get(honestShop) ?? [];
    const [own] = rig.frames.get(replayer) ?? [];
    rig.round.message(replayer, encodeBase64(advertised));
    await until(() => rig.blamed.length > 0, 'the blame');
    expect(rig.blamed.map(({ id }) => id)).toEqual([replayer]);
    // Its own message of an earlier stage is no better, from another member of its group.
    rig.round.message(rig.groups[1][1], encodeBase64(own));
    await until(() => rig.blamed.length > 1, 'the second blame');
    expect(rig.blamed[1].id).toBe(rig.groups[1][1]);
  });

  it('hears only members', () => {
    const { round } = groupedRig(threeGroups, { shops: 15 });
    const refused = expect.objectContaining({ code: 'round.not-member' }) as Error;
    expect(() => round.message('stranger', 'AAAA')).toThrow(refused);
    expect(() => round.announce('stranger', { length: 4, sha256: '' })).toThrow(refused);
    expect(() => round.chunk('stranger', 0, new Int32Array(1))).toThrow(refused);
    round.left('stranger');
    round.close();
  });

  it('shares nothing with a member that was shown other members, so that it cannot be put where the coordinator wants it', async () => {
    const { names, directory } = groupedShops(20);
    const victim = names[0];
    const shown = new Map([...directory].filter(([name]) => name !== names[19]));
    const rig = groupedRig(fourGroups, { shops: 20, shown: (name) => (name === victim ? shown : null) });
    await until(() => rig.blamed.some(({ id }) => id === victim), 'the blame');
    expect(rig.vectors.has(victim)).toBe(false);
  });
});

describe('a malicious shop', () => {
  const withGarbage = (name: string, participants: number): Int32Array => {
    const report = honest()(name, participants);
    return name === 'a' ? report.map((value, i) => (i === 0 ? 2 ** 24 : value)) : report;
  };

  it('moves the sum of its group a lot, and their median hardly', async () => {
    const rig = groupedRig(threeGroups, { shops: 15, report: withGarbage });
    await masked(rig, rig.groups.flat());
    rig.upload(...rig.groups.flat());
    await rig.logged('summed 15');
    const { sum, shoppers } = rig.round.decode();
    // A plain sum would have 11 per shopper where honest shops have an eighth.
    expect(Math.abs(sum[0] / shoppers - 0.125)).toBeLessThan(0.02);
  });

  it('does as little with a lie about its shoppers', async () => {
    const rig = groupedRig(threeGroups, { shops: 15, report: (name, participants) => honest()(name, participants).map((value, i) => (name === 'a' && i === 3 ? -(2 ** 28) : value)) });
    await masked(rig, rig.groups.flat());
    rig.upload(...rig.groups.flat());
    await rig.logged('summed 15');
    const { sum, shoppers } = rig.round.decode();
    expect(Math.abs(shoppers - 1500)).toBeLessThan(20);
    expect(Math.abs(sum[0] / shoppers - 0.125)).toBeLessThan(0.02);
  });
});
