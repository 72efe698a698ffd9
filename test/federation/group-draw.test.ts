import { describe, expect, it } from 'vitest';
import { drawGroups, groupOf } from '../../shared/federation/group-draw.ts';
import { maskedTerms } from '../../shared/federation/masked-terms.ts';
import { bytesToHex } from '../../shared/protocol/digest.ts';
import { seededRandom, shuffle } from '../../shared/numerics/random.ts';
import { parseTerms, termsHash } from '../../shared/secagg/terms.ts';
import { groupedPlan, groupedShops, maskedCoordinator, maskedPlan } from './plans.ts';

const plan = groupedPlan(3);
const { directory, names } = groupedShops(15);

function namesOf(drawn: ReturnType<typeof drawGroups>): string[][] {
  return drawn.map((group) => [...group.directory.keys()].sort());
}

describe('the draw of groups', () => {
  it('is the same for everybody, in whatever order the members are listed', () => {
    const drawn = drawGroups(plan, directory);
    expect(namesOf(drawn).flat().sort()).toEqual(names);
    for (let seed = 0; seed < 5; seed += 1) {
      const shuffled = new Map(shuffle([...directory], seededRandom(seed)));
      expect(drawGroups(plan, shuffled)).toEqual(drawn);
    }
    for (const name of names) {
      const own = groupOf(plan, directory, name);
      expect(own.directory.get(name)).toBe(directory.get(name));
      expect(own).toEqual(drawn[own.terms.index]);
    }
  });

  it('makes groups whose sizes differ by one at the most', () => {
    const sizes = (count: number): number[] => drawGroups(plan, groupedShops(count).directory).map((group) => group.directory.size);
    expect([12, 13, 14, 15].map(sizes)).toEqual([[4, 4, 4], [5, 4, 4], [5, 5, 4], [5, 5, 5]]);
  });

  it('is another for another round, another member and another key', () => {
    const drawn = namesOf(drawGroups(plan, directory));
    expect(namesOf(drawGroups({ ...plan, round: 'main-2' }, directory))).not.toEqual(drawn);
    const rekeyed = new Map(directory).set('a', 'f'.repeat(64));
    expect(namesOf(drawGroups(plan, rekeyed))).not.toEqual(drawn);
    expect(drawGroups(plan, rekeyed)[0].terms.drawnFrom).not.toBe(drawGroups(plan, directory)[0].terms.drawnFrom);
  });

  it('puts any two members into one group as often as chance would', () => {
    const rounds = 3000;
    let together = 0;
    let first = 0;
    for (let round = 0; round < rounds; round += 1) {
      const drawn = drawGroups({ ...plan, round: `main-${round}` }, directory);
      if (drawn.some((group) => group.directory.has('a') && group.directory.has('b'))) together += 1;
      if (drawn[0].directory.has('a')) first += 1;
    }
    // 4 of the 14 others share a group; a third of the members are in the first. Five standard deviations.
    const within = (count: number, p: number): void => expect(Math.abs(count - rounds * p)).toBeLessThan(5 * Math.sqrt(rounds * p * (1 - p)));
    within(together, 4 / 14);
    within(first, 1 / 3);
  });

  it('refuses members that are too few for its groups, too many for the plan, or none of them; and plans without groups', () => {
    const refusal = (code: string, text: RegExp): Error => expect.objectContaining({ code, message: expect.stringMatching(text) as string }) as Error;
    expect(() => drawGroups(plan, groupedShops(11).directory)).toThrow(refusal('secagg.too-few', /at least 12 shops for 3 groups of 4, got 11/));
    expect(() => drawGroups(plan, groupedShops(16).directory)).toThrow(refusal('secagg.invalid', /at most 15 shops, got 16/));
    expect(() => groupOf(plan, directory, 'z')).toThrow(refusal('secagg.invalid', /expected z in it/));
    expect(() => drawGroups(maskedPlan, directory)).toThrow(refusal('secagg.invalid', /expected a plan with groups/));
  });
});

describe('the terms of a group', () => {
  const drawn = drawGroups(plan, directory);
  const hashOf = (group: (typeof drawn)[number]['terms'] | undefined): string => bytesToHex(termsHash(maskedTerms(plan, maskedCoordinator.publicKey, group)));

  it('are those of no other group, nor of one drawn from other members: nothing said under them counts elsewhere', () => {
    const elsewhere = drawGroups(plan, groupedShops(14).directory);
    const hashes = [...drawn, ...elsewhere].map(({ terms }) => hashOf(terms));
    expect(new Set([...hashes, hashOf(undefined)]).size).toBe(7);
  });

  it('ask for the quorum, and the graph, of a group', () => {
    expect(maskedTerms(plan, maskedCoordinator.publicKey, drawn[0].terms)).toMatchObject({ minParticipants: 4, graph: { kind: 'complete' }, group: { index: 0, groups: 3 } });
    // Two hundred and forty members, but eighty in a sum.
    const large = groupedPlan(3, { cohort: { minParticipants: 210, targetParticipants: 240, maxParticipants: 240 } });
    expect(maskedTerms(large, maskedCoordinator.publicKey, drawn[0].terms).graph.kind).toBe('complete');
  });

  it('name a group that there is', () => {
    const terms = maskedTerms(plan, maskedCoordinator.publicKey, drawn[0].terms);
    expect(() => parseTerms({ ...terms, group: { ...drawn[0].terms, index: 3 } })).toThrow(/index: expected less than groups/);
  });
});
