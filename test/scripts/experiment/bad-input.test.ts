import { describe, expect, it } from 'vitest';
import { expand } from '../../../scripts/experiment/expand.ts';
import { parseExperiment } from '../../../scripts/experiment/parse.ts';

const expanding = (value: unknown, overrides = {}) => () => expand(parseExperiment(value, overrides));

describe('an experiment that cannot be run is refused with the field', () => {
  it.each([
    ['another type', 7, 'experiment: expected an object, got 7'],
    ['nothing', undefined, 'experiment: expected an object, got nothing'],
    ['an unknown field', { epochs: 3 }, 'epochs: expected a known field, got this one; the closest is'],
    ['a field in the wrong place', { epsilon: 3 }, 'epsilon: expected a known field, got this one; the closest is privacy.epsilon'],
    ['a misspelt inner field', { clients: { dropuot: 0.1 } }, 'clients.dropuot: expected a known field, got this one; the closest is clients.dropout'],
    ['a misspelt field of one alternative', { population: { partition: { dirichle: 1 } } }, 'population.partition.dirichle: expected a known field, got this one; the closest is population.partition.dirichlet'],
    ['a seed that is no list', { seed: 3 }, 'seed: expected a known field, got this one; the closest is seeds'],
    ['seeds twice', { seeds: [1, 1] }, 'seeds: expected distinct values, got [1,1]'],
    ['no seeds', { seeds: [] }, 'seeds: '],
    ['a broken seed', { seeds: [1.5] }, 'seeds.0: expected int, got [1.5]'],
    ['an unknown metric', { metrics: ['ndgc@10'] }, 'metrics.0: expected one of "ndcg@10"'],
    ['an unknown baseline', { baselines: ['best'] }, 'baselines.0: expected one of "popularity"'],
    ['a number out of range', { privacy: { epsilon: -1 } }, 'privacy.epsilon: expected number to be >0, got -1'],
    ['one bad value of a sweep', { clients: { dropout: [0.1, 2] } }, 'clients.dropout: expected number to be <1, got 2'],
    ['a text for a number', { rounds: 'many' }, 'rounds: expected number, got "many"'],
    ['a kind nobody knows', { model: 'deep' }, 'model: expected one of popularity, neighbours'],
    ['a rule nobody knows', { aggregate: 'averaged' }, 'aggregate: expected one of mean, median'],
    ['an empty sweep', { rounds: [] }, 'rounds: expected at least one value to sweep, got none'],
    ['one value twice', { privacy: { epsilon: [1, Infinity, null] } }, 'privacy.epsilon: expected distinct values to sweep, got no noise as well as no noise'],
    ['infinity elsewhere', { privacy: { delta: Infinity } }, 'privacy.delta: expected a value that JSON can carry, got Infinity'],
    ['code for a value', { rounds: () => 3 }, 'rounds: expected a value that JSON can carry, got function'],
    ['too many runs', { rounds: Array.from({ length: 5001 }, (_, at) => at + 1), seeds: [1, 2] }, 'experiment: expected at most 10000 runs, got 10002'],
    ['a comparison with nothing', { privacy: { epsilon: [1, 2] }, comparedWith: 'epsilon 3' }, 'comparedWith: expected one of epsilon 1; epsilon 2, got "epsilon 3"'],
    ['a point that no cell has', { privacy: { epsilon: [1, 2] }, comparedWith: { rounds: 3 } }, 'comparedWith: expected one of epsilon 1; epsilon 2, got {"rounds":3}'],
    ['baselines on several splits', { protocol: ['last-basket', 'next-month'], baselines: ['popularity'] }, 'baselines: expected none where protocol is swept'],
    ['a name that is a path', { name: '../up' }, 'name: expected up to 64 letters'],
    ['a mistake in what --quick lays over', { quick: { round: 3 } }, 'round: expected a known field, got this one; the closest is rounds'],
    ['another type for what --quick lays over', { quick: 3 }, 'quick: expected an object, got 3'],
  ])('%s', (_what, value, message) => {
    expect(expanding(value)).toThrow(expect.objectContaining({ code: 'config.invalid', message: expect.stringContaining(message) as string }));
  });

  it.each([
    ['--quick without anything to lay over', { quick: true }, 'config.invalid', 'quick: expected what --quick lays over'],
    ['--set without a value', { set: ['rounds'] }, 'usage.invalid', '--set: expected path=value'],
    ['--set of an unknown field', { set: ['privacy.epsilo=3'] }, 'config.invalid', 'privacy.epsilo: expected a known field'],
    ['--set of a list whose texts have no quotes', { set: ['aggregate=[mean,median]'] }, 'usage.invalid', '--set: expected a text or JSON'],
    ['--set of what --quick lays over', { set: ['quick.seeds=[1]'] }, 'usage.invalid', '--set: expected a field of the experiment, got quick.seeds'],
    ['--set of what every variant sets', { set: ['privacy.epsilon=3'] }, 'usage.invalid', '--set: expected a field that variants leave as it is, got privacy.epsilon'],
    ['--set within a value', { set: ['rounds.first=3'] }, 'config.invalid', 'rounds: expected an object to set rounds.first in, got 5'],
    ['--set within a sweep', { set: ['clients.dropout.low=3'] }, 'config.invalid', 'clients.dropout: expected an object to set'],
  ])('%s', (_what, overrides, code, message) => {
    expect(expanding({ rounds: 5, clients: { dropout: { sweep: [0, 0.1] } }, variants: { a: { privacy: { epsilon: 1 } }, b: { privacy: { epsilon: 2 }, evaluateEvery: 2 } } }, overrides)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as string }));
  });
});
