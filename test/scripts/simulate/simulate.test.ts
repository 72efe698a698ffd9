import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateInDetail } from '../../../scripts/evaluate.ts';
import { startState, type SimulationState } from '../../../scripts/simulate/checkpoint.ts';
import { openFederation } from '../../../scripts/simulate/federation.ts';
import { simulateOneRound } from '../../../scripts/simulate/one-round.ts';
import { simulate } from '../../../scripts/simulate/simulate.ts';
import { createSumPool } from '../../../scripts/simulate/sum-pool.ts';
import { sumsRunner } from '../../../scripts/simulate/sums-runner.ts';
import { openWorld } from '../../../scripts/simulate/world.ts';
import type { Checkpoint, RoundRecord, SimulationResult } from '../../../scripts/simulate/simulation.ts';
import { average } from '../../../shared/evaluation/metrics.ts';
import type { ScenarioInput } from '../../../shared/simulation/scenario.ts';
import { scenarioOver, shoppers, writeOrders, type Orders } from './orders.ts';

let orders: Orders;
beforeAll(() => void (orders = writeOrders()));
afterAll(() => orders.remove());

function run(input: ScenarioInput = {}, workers = 0): Promise<SimulationResult> {
  return simulate({ scenario: scenarioOver(orders, input), workers });
}

const masked = { population: { shops: 10 }, privacy: { epsilon: 5 } } satisfies ScenarioInput;

describe('simulate', () => {
  it('sums what all participants have, as an evaluation in one place does', async () => {
    const { metrics, rounds, epsilon } = await run({ ...masked, privacy: { epsilon: null } });
    const central = await evaluateInDetail({ data: orders.path, model: 'popularity' });
    expect(metrics['ndcg@10']).toBeCloseTo(central.result.ndcg10, 6);
    expect(rounds.map(({ shoppers: counted }) => counted)).toEqual([shoppers]);
    expect(epsilon).toBeNull();
  });

  it('draws the noise that an evaluation with shares of noise draws from the same seed', async () => {
    const { metrics } = await run(masked);
    const { result } = await evaluateInDetail({ data: orders.path, model: 'popularity', epsilon: 5, mode: 'distributed', shops: 10, seeds: 1 });
    expect(metrics['ndcg@10']).toBeCloseTo(result.ndcg10, 6);
  });

  it('gives the same bytes for any number of threads', async () => {
    const input: ScenarioInput = { model: 'neighbours', population: { shoppers: 2_000, shops: 5 }, clients: { are: 'shoppers', perRound: 600 }, rounds: 2 };
    const [one, two, three] = [await run(input, 0), await run(input, 1), await run(input, 2)];
    expect(two).toEqual(one);
    expect(three).toEqual(one);
    expect(one.rounds[0].reported).toBe(600);
  });

  it('releases the same bytes whether participants are summed or speak the protocol, where all stay', async () => {
    const input: ScenarioInput = { ...masked, population: { shops: 6 } };
    const [summed, spoken] = [await run(input), await run({ ...input, fidelity: 'messages' })];
    expect(spoken.model).toEqual(summed.model);
    expect(spoken.epsilon).toBe(summed.epsilon);
  });

  it('goes on after a checkpoint to the same bytes', async () => {
    const scenario = scenarioOver(orders, { ...masked, rounds: 4, model: 'neighbours', privacy: { epsilon: 8, clip: 1, adaptiveClip: true } });
    const seen: Checkpoint[] = [];
    const whole = await simulate({ scenario, workers: 0, onCheckpoint: (checkpoint) => void seen.push(checkpoint) });
    const heard: RoundRecord[] = [];
    const rest = await simulate({ scenario, workers: 0, resume: seen[1], onRound: (record) => void heard.push(record) });
    expect(rest).toEqual(whole);
    expect(heard.map(({ round }) => round)).toEqual([3, 4]);
    await expect(simulate({ scenario: { ...scenario, seed: 2 }, resume: seen[1] })).rejects.toMatchObject({ code: 'config.invalid' });
  });

  it('stops between rounds when it is told to', async () => {
    const stop = new AbortController();
    const heard: number[] = [];
    const stopped = simulate({ scenario: scenarioOver(orders, { ...masked, rounds: 3 }), workers: 0, signal: stop.signal, onRound: ({ round }) => (heard.push(round), stop.abort()) });
    await expect(stopped).rejects.toThrow(/abort/);
    expect(heard).toEqual([1]);
  });

  it('does not open a round that its budget does not hold', async () => {
    const federation = openFederation(await openWorld(scenarioOver(orders, { ...masked, rounds: 2 })));
    const run = sumsRunner({ pool: createSumPool(federation.world.dataset.catalogue, 0, 0), isCentral: false });
    let state: SimulationState = startState;
    for (let next: SimulationState | null = state; next !== null; next = await simulateOneRound(federation, state, { run, onTimed: null })) state = next;
    expect(state.round).toBe(2);
    expect(state.records[1].epsilon).toBeCloseTo(5, 3);
  });
});

describe('a simulated round', () => {
  it('has less in it for dropouts, and as much noise as was planned', async () => {
    const { rounds: [round] } = await run({ ...masked, population: { shops: 40 }, clients: { dropout: 0.15, quorum: 0.5 } });
    expect(round.left).toBeGreaterThan(0);
    expect(round).toMatchObject({ outcome: 'released', joined: 40, reported: 40 - round.left });
  });

  it('fails without its quorum: the last release stays, and what was charged before stays charged', async () => {
    const { rounds, epsilon } = await run({ ...masked, rounds: 2, clients: { dropout: 0.6, quorum: 0.9 }, privacy: { epsilon: 5, mode: 'local' } });
    expect(rounds.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    expect(rounds[0].reason).toMatch(/expected at least 9/);
    expect(epsilon).toBeGreaterThan(4);
  });

  it('costs nothing where too few are left before a masked sum is revealed', async () => {
    const { rounds, epsilon, model } = await run({ ...masked, clients: { dropout: 0.6, quorum: 0.9 } });
    expect(rounds[0]).toMatchObject({ outcome: 'failed', reported: 0 });
    expect([epsilon, model]).toEqual([0, null]);
  });

  it('closes without stragglers', async () => {
    const { rounds: [round] } = await run({ ...masked, population: { shops: 30 }, clients: { stragglers: 0.3, quorum: 0.5, deadlineSeconds: 8 }, privacy: { epsilon: 5, mode: 'local' } });
    expect(round.late).toBeGreaterThan(0);
    expect(round).toMatchObject({ outcome: 'released', reported: round.joined - round.late });
  });

  it.each(['shoppers', 'participants'] as const)('shows more people what malicious %s push', async (kind) => {
    const malicious = kind === 'shoppers' ? { kind, share: 0.4 } : { kind, count: 1 };
    const pushed = await run({ ...masked, privacy: { epsilon: null }, clients: { malicious } });
    const hardly = await run({ ...masked, privacy: { epsilon: null }, clients: { malicious: { kind: 'shoppers', share: 0 } } });
    expect(pushed.metrics['exposure@20']).toBeGreaterThan(hardly.metrics['exposure@20'] + 0.2);
  });

  it('follows the calendar: knows what was before, and is asked what comes after', async () => {
    const { rounds } = await run({ ...masked, privacy: { epsilon: null }, rounds: 4, schedule: { kind: 'calendar', everyDays: 30 } });
    expect(rounds.map(({ virtualSeconds }) => Math.floor(virtualSeconds / 86_400))).toEqual([30, 60, 90, 120]);
    const counted = rounds.map(({ shoppers: known }) => known);
    expect(counted).toEqual([...counted].sort((a, b) => a - b));
    expect(counted[0]).toBeLessThan(counted[3]);
    await expect(run({ rounds: 40, schedule: { kind: 'calendar', everyDays: 30 } })).rejects.toMatchObject({ code: 'config.invalid' });
  });

  it('asks calendars of different rounds the same, where they start and step alike, and is resumed in the middle of one', async () => {
    const calendar = { kind: 'calendar', startDays: 40, testDays: 20 } as const;
    const often = scenarioOver(orders, { ...masked, rounds: 6, schedule: { ...calendar, everyDays: 20 } });
    const seen: Checkpoint[] = [];
    const whole = await simulate({ scenario: often, workers: 0, onCheckpoint: (checkpoint) => void seen.push(checkpoint) });
    const seldom = await run({ ...masked, rounds: 2, schedule: { ...calendar, everyDays: 60 } });
    const popular = await run({ baseline: 'popularity', rounds: 2, schedule: { ...calendar, everyDays: 60 } });
    expect(seldom.rounds.map(({ virtualSeconds }) => Math.floor(virtualSeconds / 86_400))).toEqual([40, 100]);
    expect(seldom.tests.ndcg10.length).toBe(whole.tests.ndcg10.length);
    const shopOf = await run({ ...masked, rounds: 1, schedule: { ...calendar, everyDays: 120 } });
    expect(shopOf.tests.shops).toEqual(whole.tests.shops);
    expect(popular.tests.ndcg10.length).toBe(whole.tests.ndcg10.length);
    // Of rounds that are not tested nobody is asked by a baseline either.
    const rare = { rounds: 6, evaluateEvery: 4, schedule: { ...calendar, everyDays: 20 } };
    expect((await run({ ...rare, baseline: 'popularity' })).tests.ndcg10.length).toBe((await run({ ...masked, ...rare })).tests.ndcg10.length);
    expect(whole.metrics['ndcg@10']).toBeCloseTo(average(whole.tests.ndcg10), 12);
    expect(await simulate({ scenario: often, workers: 0, resume: seen[2] })).toEqual(whole);
    await expect(run({ rounds: 2, schedule: { ...calendar, everyDays: 50 } })).rejects.toMatchObject({ code: 'config.invalid' });
  });

  it('says nothing of days on which nobody can be asked, and is resumed after one', async () => {
    const unasked = scenarioOver(orders, { ...masked, rounds: 2, schedule: { kind: 'calendar', startDays: 100, everyDays: 0.5, testDays: 0.25 } });
    const seen: Checkpoint[] = [];
    const whole = await simulate({ scenario: unasked, workers: 0, onCheckpoint: (checkpoint) => void seen.push(checkpoint) });
    // All visits of these orders are at midnight.
    expect(whole.rounds.map(({ metrics }) => metrics === null)).toEqual([false, true]);
    expect(whole.metrics['ndcg@10']).toBeGreaterThan(0);
    expect(await simulate({ scenario: unasked, workers: 0, resume: seen[1] })).toEqual(whole);
    await expect(run({ ...masked, schedule: { kind: 'calendar', startDays: 100.5, everyDays: 0.5, testDays: 0.25 } })).rejects.toMatchObject({ code: 'data.empty', message: expect.stringContaining('schedule') as string });
  });

  it('counts no shopper without an order that trains', async () => {
    const { rounds } = await run({ ...masked, privacy: { epsilon: null }, protocol: 'strong-generalisation' });
    // A tenth is held out.
    expect(rounds[0].shoppers).toBe(0.9 * shoppers);
  });

  it('measures shops with little data apart, with the federation and alone', async () => {
    const population = { shops: 12, cold: { shops: 4, events: 30 } };
    const [together, alone] = [await run({ ...masked, population }), await run({ population, baseline: 'local-only' })];
    for (const { metrics, tests } of [together, alone]) {
      const own = tests.ndcg10.filter((_, at) => tests.shops[at] >= 8);
      expect(own.length).toBeGreaterThan(4);
      expect(metrics['cold.ndcg@10']).toBeCloseTo(average(own), 12);
    }
    expect(alone.tests.shops).toEqual(together.tests.shops);
  });

  it('has the noise of the large federation that a small one stands for', async () => {
    const own = await run(masked);
    const large = await run({ ...masked, privacy: { epsilon: 5, noiseCohort: 100 } });
    expect(large.rounds[0].noiseStd).toBeCloseTo(own.rounds[0].noiseStd / 10, 12);
    expect([large.epsilon, large.noiseCohort]).toEqual([own.epsilon, 100]);
  });

  it('plans an adaptive clip norm for the shoppers of the large federation, not for the few that stand for them', async () => {
    const of = (noiseCohort?: number): Promise<SimulationResult> => run({ population: { shoppers: 500, shops: 5 }, clients: { are: 'shoppers', perRound: 50 }, privacy: { epsilon: 1, clip: 1, adaptiveClip: true, noiseCohort } });
    await expect(of()).rejects.toMatchObject({ code: 'privacy.infeasible' });
    expect((await of(3_000)).rounds[0]).toMatchObject({ outcome: 'released', reported: 50 });
  });

  it('has in mode local the noise of the mean of a large federation, where every report has its own', async () => {
    const meanStd = async (shops: number, noiseCohort?: number): Promise<number> => {
      const { rounds: [{ noiseStd, reported }] } = await run({ population: { shops }, privacy: { epsilon: 5, mode: 'local', noiseCohort } });
      return noiseStd / reported;
    };
    // Grids differ a little with the number of shops.
    expect(await meanStd(10, 90) / await meanStd(90)).toBeCloseTo(1, 2);
  });

  it('has those of whom the secret sample took some, with noise for that', async () => {
    const all = await run({ ...masked, privacy: { epsilon: 20 } });
    const some = await run({ ...masked, privacy: { epsilon: 20, sampling: 0.3 } });
    expect(some.rounds[0].noiseStd).toBeLessThan(all.rounds[0].noiseStd);
    expect(some.rounds[0].shoppers).toBeLessThan(0.6 * all.rounds[0].shoppers);
  });

  it('combines what shops report in the clear, or sums of masked groups, by a rule that one of them cannot move', async () => {
    const malicious = { kind: 'participants', count: 1 } as const;
    const attacked = { ...masked, population: { shops: 20 }, clients: { malicious }, privacy: { epsilon: 1_000 } };
    const exposureOf = async (input: ScenarioInput): Promise<number> => (await run({ ...attacked, ...input })).metrics['exposure@20'];
    expect(await exposureOf({ aggregate: 'median' })).toBeLessThan(await exposureOf({}));
    expect(await exposureOf({ aggregate: 'multi-krum', privacy: { epsilon: null } })).toBeLessThan(await exposureOf({ privacy: { epsilon: null } }));
  });

  it('refuses groups that a quorum does not fill, by the field of the scenario', async () => {
    await expect(run({ ...masked, aggregate: 'median' })).rejects.toMatchObject({ code: 'config.invalid', message: expect.stringMatching(/^aggregate: expected a quorum of at least 12 .*got 8$/) as string });
  });

  it('adds central noise once, whoever reports', async () => {
    const local = await run({ ...masked, privacy: { epsilon: 5, mode: 'local' } });
    const central = await run({ ...masked, privacy: { epsilon: 5, mode: 'central' } });
    expect(central.rounds[0].noiseStd).toBeCloseTo(local.rounds[0].noiseStd / Math.sqrt(10), 10);
  });

  it.each(['popularity', 'central', 'local-only'] as const)('is compared with %s', async (baseline) => {
    const { metrics, rounds, epsilon } = await run({ ...masked, baseline, model: 'neighbours' });
    expect(metrics['ndcg@10']).toBeGreaterThan(0);
    expect([rounds, epsilon]).toEqual([[], null]);
  });
});
