import { describe, expect, it } from 'vitest';
import { experiment, sweep } from '../../../scripts/experiment/define.ts';
import { expand } from '../../../scripts/experiment/expand.ts';
import { parseExperiment } from '../../../scripts/experiment/parse.ts';

const expanded = (value: unknown, overrides = {}): ReturnType<typeof expand> => expand(parseExperiment(value, overrides));
const labels = (value: unknown, overrides = {}): readonly string[] => expanded(value, overrides).cells.map(({ label }) => label);

describe('expanding an experiment', () => {
  it('takes the example of the specification as it is written', () => {
    const example = experiment({
      data: 'online-retail', seeds: [1, 2, 3], rounds: 100,
      clients: { perRound: 100, dropout: 0.1 },
      aggregate: sweep(['mean', 'trimmedMean', 'adam']),
      privacy: { epsilon: sweep([0.5, 1, 2, 4, 8, Infinity]), delta: 1e-6, clip: 0.5 },
      metrics: ['ndcg@10', 'recall@10', 'coverage@10', 'gini@10', 'aplt@10'],
    });
    const { axes, cells } = expanded(example);
    expect(axes).toEqual(['aggregate', 'privacy.epsilon']);
    expect(cells).toHaveLength(18);
    expect(cells[6]).toMatchObject({ label: 'trimmed-mean, epsilon 0.5', point: { aggregate: 'trimmed-mean', 'privacy.epsilon': 0.5 } });
    expect(cells[17]).toMatchObject({ label: 'fedadam, no noise', point: { 'privacy.epsilon': null } });
    expect(cells[6].scenarios.map(({ seed }) => seed)).toEqual([1, 2, 3]);
    expect(cells[6].scenarios[0]).toMatchObject({ rounds: 100, clients: { perRound: 100, dropout: 0.1 }, privacy: { epsilon: 0.5, delta: 1e-6, clip: 0.5 }, model: { kind: 'neighbours' } });
  });

  it('lays variants over the rest, one at a time, before all sweeps; --quick replaces them as a whole', () => {
    const value = experiment({
      schedule: { kind: 'calendar', startDays: 10, testDays: 5 },
      variants: { often: { schedule: { kind: 'calendar', everyDays: 5 }, rounds: 4 }, seldom: { schedule: { kind: 'calendar', everyDays: 20 }, rounds: 1, aggregate: 'trimmedMean' } },
      privacy: { epsilon: sweep([1, 2]) },
      baselines: ['popularity'],
      comparedWith: { variant: 'seldom', 'privacy.epsilon': 2 },
      quick: { variants: { seldom: { rounds: 2 } } },
    });
    const { axes, cells, comparedWith, baselines } = expanded(value);
    expect(axes).toEqual(['variant', 'privacy.epsilon']);
    expect(cells.map(({ label }) => label)).toEqual(['often, epsilon 1', 'often, epsilon 2', 'seldom, epsilon 1', 'seldom, epsilon 2']);
    expect(cells[3].scenarios[0]).toMatchObject({ schedule: { everyDays: 20, startDays: 10 }, rounds: 1, aggregate: 'trimmed-mean', privacy: { epsilon: 2 } });
    expect(comparedWith).toBe('seldom, epsilon 2');
    expect(baselines.popularity?.[0]).toMatchObject({ schedule: { everyDays: 5 }, rounds: 4 });
    expect(labels(value, { quick: true })).toEqual(['seldom, epsilon 1', 'seldom, epsilon 2']);
    expect(() => labels({ variants: { a: { round: 1 } } })).toThrow('rounds');
    expect(() => labels({ ...value, variants: { a: { rounds: 4 }, b: { rounds: 5 } } })).toThrow('baselines: expected none where variant is swept');
  });

  it('has a baseline tested after the rounds that are, and refuses one for what it is not trained on', () => {
    const value = { rounds: 4, evaluateEvery: 2, schedule: { kind: 'calendar', everyDays: 5 }, privacy: { epsilon: [1, 2] }, baselines: ['popularity'] };
    expect(expanded(value).baselines.popularity?.[0]).toMatchObject({ rounds: 4, evaluateEvery: 2 });
    expect(() => labels({ ...value, evaluateEvery: [1, 2] })).toThrow('baselines: expected none where evaluateEvery is swept');
    const heldOut = { ...value, schedule: { ...value.schedule, tests: 'held-out' } };
    expect(expanded(heldOut).baselines.popularity?.[0].evaluateEvery).toBe(1);
    expect(() => labels({ ...heldOut, rounds: [4, 8] })).toThrow('baselines: expected none where rounds is swept');
    // The same days in the end.
    const variants = { often: {}, seldom: { rounds: 2, schedule: { kind: 'calendar', everyDays: 10, tests: 'held-out' } } };
    expect(labels({ ...heldOut, privacy: {}, variants })).toEqual(['often', 'seldom']);
  });

  it('goes through the product of the sweeps in the order of the file, the last one fastest', () => {
    expect(labels({ unit: ['shopper', 'shop'], rounds: [1, 2] })).toEqual(['shopper, rounds 1', 'shopper, rounds 2', 'shop, rounds 1', 'shop, rounds 2']);
    expect(labels({ rounds: { sweep: [1, 2] }, unit: 'shop' })).toEqual(['rounds 1', 'rounds 2']);
  });

  it('names a single cell by its model', () => {
    expect(labels({ model: 'als' })).toEqual(['als']);
  });

  it('names what is no number by itself', () => {
    expect(labels({ clients: { malicious: [{ kind: 'none' }, { kind: 'participants', count: 2 }] } })).toEqual(['none', 'participants count 2']);
    expect(labels({ clients: { perRound: [5, null] }, privacy: { adaptiveClip: [true, false] } })).toEqual(['perRound 5, adaptiveClip true', 'perRound 5, adaptiveClip false', 'all clients, adaptiveClip true', 'all clients, adaptiveClip false']);
  });

  it('gives no cell the name of a baseline', () => {
    expect(labels({ privacy: { mode: ['central', 'local'] }, baselines: ['central'] })).toEqual(['mode central', 'local']);
    expect(labels({ model: ['popularity', 'als'], rounds: [1, 2] })).toEqual(['model popularity, rounds 1', 'model popularity, rounds 2', 'als, rounds 1', 'als, rounds 2']);
    expect(labels({ model: 'popularity' })).toEqual(['model popularity']);
  });

  it('leaves lists of hyper-parameters whole, and sweeps them where that is said', () => {
    expect(expanded({ model: { kind: 'sequence', hyperParameters: { layers: [64, 32] } } }).cells[0].scenarios[0].model.hyperParameters).toEqual({ layers: [64, 32] });
    expect(labels({ model: { kind: 'als', hyperParameters: { factors: { sweep: [8, 16] } } } })).toEqual(['factors 8', 'factors 16']);
  });

  it('leaves out of a point without noise what says how noise is added, unless that is swept', () => {
    const { cells } = expanded({ privacy: { epsilon: [1, null], clip: 0.5, adaptiveClip: true, delta: 1e-6 } });
    expect(cells[0].scenarios[0].privacy).toMatchObject({ clip: 0.5, adaptiveClip: true, delta: 1e-6 });
    expect(cells[1].scenarios[0].privacy).toMatchObject({ adaptiveClip: false, delta: 1e-6 });
    expect(cells[1].scenarios[0].privacy.clip).toBeUndefined();
    expect(expanded({ privacy: { epsilon: [1, null], clip: [0.5, 1] } }).cells[3].scenarios[0].privacy.clip).toBe(1);
  });

  it('runs a baseline once where no seed changes it, on the splits of the cells', () => {
    const { baselines } = expanded({ seeds: [4, 5], protocol: 'validation', population: { partition: 'country' }, privacy: { epsilon: [1, 2], clip: 0.3 }, baselines: ['popularity', 'local-only', 'central'] });
    expect(baselines.popularity?.map(({ seed }) => seed)).toEqual([4]);
    expect(baselines['local-only']?.map(({ seed }) => seed)).toEqual([4, 5]);
    expect(baselines.central?.map(({ seed }) => seed)).toEqual([4]);
    expect(baselines.central?.[0]).toMatchObject({ baseline: 'central', protocol: 'validation', population: { partition: 'country' }, privacy: { epsilon: null } });
    expect(expanded({ seeds: [4, 5], model: 'als', baselines: ['central'] }).baselines.central).toHaveLength(2);
  });

  it('compares with the first baseline, else the first cell, or with what is said', () => {
    const swept = { privacy: { epsilon: [1, null] } };
    expect(expanded({ ...swept, baselines: ['central', 'popularity'] }).comparedWith).toBe('central');
    expect(expanded(swept).comparedWith).toBe('epsilon 1');
    expect(expanded({ ...swept, comparedWith: 'no noise' }).comparedWith).toBe('no noise');
    expect(expanded({ ...swept, comparedWith: { 'privacy.epsilon': null } }).comparedWith).toBe('no noise');
  });
});

describe('what is laid over an experiment', () => {
  const frontier = { seeds: [1, 2, 3], rounds: 9, clients: { perRound: 50, dropout: 0.1 }, privacy: { epsilon: sweep([1, 2, 3]), delta: 1e-6 }, quick: { seeds: [7], clients: { perRound: 5 }, privacy: { epsilon: sweep([1]) } } };

  it('--quick replaces field by field, and sweeps as a whole', () => {
    const { cells } = expanded(frontier, { quick: true });
    expect(cells.map(({ label }) => label)).toEqual(['epsilon 1']);
    expect(cells[0].scenarios).toHaveLength(1);
    expect(cells[0].scenarios[0]).toMatchObject({ seed: 7, rounds: 9, clients: { perRound: 5, dropout: 0.1 }, privacy: { epsilon: 1, delta: 1e-6 } });
    expect(labels(frontier)).toHaveLength(3);
  });

  it('--set takes JSON, texts and lists, one after the other and after --quick', () => {
    const { axes, cells } = expanded(frontier, { quick: true, set: ['rounds=20', 'unit=shop', 'privacy.epsilon=[4,8]', 'rounds=21', 'privacy.mode=central'] });
    expect(axes).toEqual(['privacy.epsilon']);
    expect(cells.map(({ label }) => label)).toEqual(['epsilon 4', 'epsilon 8']);
    expect(cells[0].scenarios[0]).toMatchObject({ rounds: 21, unit: 'shop', privacy: { mode: 'central', delta: 1e-6 } });
    expect(expanded(frontier, { set: ['privacy.epsilon=Infinity'] }).cells[0].scenarios[0].privacy.epsilon).toBeNull();
    expect(expanded(frontier, { set: ['privacy.epsilon=[1, Infinity]'] }).cells.map(({ scenarios: [{ privacy }] }) => privacy.epsilon)).toContain(null);
    expect(expanded(frontier, { set: ['model.hyperParameters.neighbours=8'] }).cells[0].scenarios[0].model).toEqual({ kind: 'neighbours', hyperParameters: { neighbours: 8 } });
    expect(expanded({ ...frontier, model: 'als' }, { set: ['model.hyperParameters.factors=8'] }).cells[0].scenarios[0].model.kind).toBe('als');
  });

  it('--seeds has the last word', () => {
    expect(expanded(frontier, { set: ['seeds=[5]'], seeds: [8, 9] }).cells[0].scenarios.map(({ seed }) => seed)).toEqual([8, 9]);
  });
});
