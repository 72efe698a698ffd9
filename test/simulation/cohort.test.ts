import { describe, expect, it } from 'vitest';
import { maliciousParticipants, inventedShoppers } from '../../shared/simulation/behaviour.ts';
import { availableAt, drawCohort, type CohortInput } from '../../shared/simulation/cohort.ts';
import { createPopulation, type Population, type RealShoppers } from '../../shared/simulation/population.ts';
import type { Member } from '../../shared/simulation/round-outcome.ts';
import { scenarioSchema, type Scenario, type ScenarioInput } from '../../shared/simulation/scenario.ts';

const real: RealShoppers = { ids: ['a', 'b'], groups: ['', ''], histories: [] };
const populationOf = (shoppers: number, shops = 10): Population => createPopulation(scenarioSchema.parse({ population: { shoppers, shops } }).population, real, 7);
const tenThousand = populationOf(10_000);
const clientsOf = (input: ScenarioInput['clients']): Scenario['clients'] => scenarioSchema.parse({ clients: { are: 'shoppers', ...input } }).clients;
const draw = (clients: ScenarioInput['clients'], more: Partial<CohortInput> = {}): Member[] =>
  drawCohort({ population: tenThousand, clients: clientsOf(clients), maxParticipants: 1_000_000, round: 1, seed: 7, timeSeconds: 0, ...more });
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const shareOf = (members: readonly Member[], test: (member: Member) => boolean): number => members.filter(test).length / members.length;
const expectShare = (found: number, share: number, draws: number): void => expect(Math.abs(found - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / draws));

/** Counts the questions that are asked of it. */
function watched(population: Population): { population: Population; asked: () => number } {
  let asked = 0;
  const count = <T>(ask: (index: number) => T) => (index: number): T => {
    asked += 1;
    return ask(index);
  };
  return {
    population: {
      ...population,
      shopOf: count((shopper) => population.shopOf(shopper)),
      firstOf: count((shop) => population.firstOf(shop)),
      sizeOf: count((shop) => population.sizeOf(shop)),
      realOf: count((shopper) => population.realOf(shopper)),
      utcOffsetHours: count((shop) => population.utcOffsetHours(shop)),
    },
    asked: () => asked,
  };
}

describe('a cohort', () => {
  it('has nobody twice, with ids of their own', () => {
    const members = draw({ perRound: 5000 });
    expect(members.length).toBe(5000);
    expect(new Set(members.map(({ index }) => index)).size).toBe(5000);
    expect(new Set(members.map(({ id }) => id)).size).toBe(5000);
    expect(members.every(({ index }) => index >= 0 && index < 10_000)).toBe(true);
  });

  it('is the same for the same seed and round, and another for any other', () => {
    expect(draw({ perRound: 100 })).toEqual(draw({ perRound: 100 }));
    const indexes = (members: readonly Member[]): number[] => members.map(({ index }) => index);
    expect(indexes(draw({ perRound: 100 }, { round: 2 }))).not.toEqual(indexes(draw({ perRound: 100 })));
    expect(indexes(draw({ perRound: 100 }, { seed: 8 }))).not.toEqual(indexes(draw({ perRound: 100 })));
  });

  it('begins with the members of a smaller one', () => {
    expect(draw({ perRound: 200 }).slice(0, 100)).toEqual(draw({ perRound: 100 }));
  });

  it('has everybody equally often, first and at all', () => {
    const [rounds, perRound, participants] = [3000, 10, 40];
    const population = populationOf(participants);
    const [first, drawn] = [new Float64Array(participants), new Float64Array(participants)];
    for (const round of range(rounds)) {
      const members = draw({ perRound }, { population, round });
      first[members[0].index] += 1 / rounds;
      for (const { index } of members) drawn[index] += 1 / rounds;
    }
    for (const index of range(participants)) {
      expectShare(first[index], 1 / participants, rounds);
      expectShare(drawn[index], perRound / participants, rounds);
    }
  });

  it('is everybody where nobody says how many, or as many as there are', () => {
    const population = populationOf(300);
    for (const perRound of [null, 300, 4000]) {
      expect(draw({ perRound }, { population }).map(({ index }) => index).sort((a, b) => a - b)).toEqual(range(300));
    }
    expect(draw({ are: 'shops', perRound: null }, { population }).map(({ index }) => index).sort((a, b) => a - b)).toEqual(range(10));
  });

  it('is larger by the over-selection, and never larger than the plan allows', () => {
    expect(draw({ perRound: 101, overSelection: 1.3 }).length).toBe(132);
    expect(draw({ perRound: 101, overSelection: 1.3 }, { maxParticipants: 120 }).length).toBe(120);
    expect(draw({ perRound: null }, { maxParticipants: 120 }).length).toBe(120);
  });

  it('asks as little of ten million shoppers as of ten thousand', () => {
    for (const shoppers of [10_000, 10_000_000]) {
      const always = watched(populationOf(shoppers));
      expect(draw({ perRound: 1000 }, { population: always.population }).length).toBe(1000);
      expect(always.asked()).toBe(0);
      // By day a fifth is there, so about 5,000 are looked at, each by shop and hour; the standard deviation is 141 of them.
      const diurnal = watched(populationOf(shoppers));
      expect(draw({ perRound: 1000, availability: 'diurnal' }, { population: diurnal.population }).length).toBe(1000);
      expect(diurnal.asked()).toBeLessThan(2 * 5800);
    }
  });
});

describe('availability', () => {
  const at = (hour: number): number => 86_400 * 19_000 + 3_600 * hour;

  it('is four times as much by night as by day, and the same a day later', () => {
    expect(availableAt(2)).toBeCloseTo(0.8, 12);
    expect(availableAt(14)).toBeCloseTo(0.2, 12);
    expect(availableAt(26)).toBeCloseTo(availableAt(2), 12);
    expect(availableAt(-10)).toBeCloseTo(availableAt(14), 12);
    expect(range(25).every((hour) => availableAt(hour) >= 0.2 - 1e-12 && availableAt(hour) <= 0.8 + 1e-12)).toBe(true);
  });

  it('moves who is drawn to where it is night', () => {
        // Shops of even number lie twelve hours ahead.
    const population: Population = { ...tenThousand, utcOffsetHours: (shop) => (shop % 2 === 0 ? 12 : 0) };
    const isAhead = ({ index }: Member): boolean => population.shopOf(index) % 2 === 0;
    const night = draw({ perRound: 1000, availability: 'diurnal' }, { population, timeSeconds: at(2) });
    const day = draw({ perRound: 1000, availability: 'diurnal' }, { population, timeSeconds: at(14) });
    // 0.2 against 0.8 of halves as large.
    expectShare(shareOf(night, isAhead), 0.2, 1000);
    expectShare(shareOf(day, isAhead), 0.8, 1000);
    expectShare(shareOf(draw({ perRound: 1000 }, { population, timeSeconds: at(2) }), isAhead), 0.5, 1000);
  });

  it('leaves the others of a full round at home', () => {
    const population: Population = { ...tenThousand, utcOffsetHours: () => 0 };
    for (const [hour, share] of [[2, 0.8], [14, 0.2], [8, 0.5]]) {
      expectShare(draw({ perRound: null, availability: 'diurnal' }, { population, timeSeconds: at(hour) }).length / 10_000, share, 10_000);
    }
  });
});

describe('behaviour', () => {
  const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const draws = 10_000;
  const all = draw({ perRound: null, dropout: 0.1, stragglers: 0.3 });

  it('is leaving for the share of the scenario', () => {
    expectShare(shareOf(all, ({ leaves }) => leaves), 0.1, draws);
    expect(draw({}).some(({ leaves }) => leaves)).toBe(false);
  });

  it('takes log-normal times in whole milliseconds', () => {
    for (const { joinMs, trainMs } of all) expect(Number.isInteger(joinMs) && Number.isInteger(trainMs) && joinMs > 0 && trainMs > 0).toBe(true);
    const logs = all.map(({ joinMs }) => Math.log(joinMs / 500));
    const mean = logs.reduce((sum, value) => sum + value, 0) / draws;
    expect(Math.abs(mean)).toBeLessThan((5 * 0.7) / Math.sqrt(draws));
    expect(Math.abs(logs.reduce((sum, value) => sum + value ** 2, 0) / draws - 0.49)).toBeLessThan(5 * 0.49 * Math.sqrt(2 / draws));
  });

  it('is ten times as slow for stragglers, and otherwise the same', () => {
    const usual = draw({ perRound: null, dropout: 0.1 });
    const slow = all.filter(({ trainMs }, position) => trainMs !== usual[position].trainMs);
    expectShare(slow.length / draws, 0.3, draws);
    all.forEach(({ trainMs, ...member }, position) => {
      const { trainMs: usualMs, ...same } = usual[position];
      expect(member).toEqual(same);
      if (trainMs !== usualMs) expect(Math.abs(trainMs - 10 * usualMs)).toBeLessThanOrEqual(5);
    });
  });

  it('takes a shop longer the more shoppers it has', () => {
    const timesOf = (shoppers: number): number[] => draw({ are: 'shops', perRound: null }, { population: populationOf(shoppers, 2000) }).map(({ trainMs }) => trainMs);
    // Medians are 2,000 ms and one more for each shopper: 2,001 and 4,000.
    expect(median(timesOf(2000 * 2000)) / median(timesOf(2000))).toBeCloseTo(4000 / 2001, 2);
  });

  it('is another in every round', () => {
    const times = (round: number): Map<number, number> => new Map(draw({ perRound: null }, { round }).map(({ index, trainMs }) => [index, trainMs]));
    const [first, second] = [times(1), times(2)];
    expect([...first].filter(([index, trainMs]) => second.get(index) === trainMs).length).toBeLessThan(100);
  });
});

describe('malice', () => {
  const maliciousIn = (clients: ScenarioInput['clients'], round: number): number[] => draw({ perRound: null, ...clients }, { round }).filter(({ isMalicious }) => isMalicious).map(({ index }) => index).sort((a, b) => a - b);

  it('is of as many participants as the scenario says, the same ones in all rounds', () => {
    const clients = { malicious: { kind: 'participants' as const, count: 37 } };
    expect(maliciousIn(clients, 1).length).toBe(37);
    expect(maliciousIn(clients, 2)).toEqual(maliciousIn(clients, 1));
    expect(maliciousIn({ ...clients, are: 'shops' }, 1)).toEqual(range(10));
    const ofSeed = (seed: number): number[] => range(10_000).filter(maliciousParticipants(clientsOf(clients), 10_000, seed));
    expect(ofSeed(8)).not.toEqual(ofSeed(7));
    expect(ofSeed(8).length).toBe(37);
  });

  it('is of a share of shoppers, whoever the participants are', () => {
    const clients = { malicious: { kind: 'shoppers' as const, share: 0.2 } };
    const invented = range(10_000).filter(inventedShoppers(clientsOf(clients), 7));
    expectShare(invented.length / 10_000, 0.2, 10_000);
    expect(maliciousIn(clients, 1)).toEqual(invented);
    expect(maliciousIn(clients, 2)).toEqual(invented);
    expect(maliciousIn({ ...clients, are: 'shops' }, 1)).toEqual([]);
  });

  it('is of nobody by default', () => {
    expect(maliciousIn({}, 1)).toEqual([]);
    expect(range(1000).filter(inventedShoppers(clientsOf({}), 7))).toEqual([]);
  });
});
