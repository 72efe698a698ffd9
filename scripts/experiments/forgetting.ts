/**
 * What a year of rounds ought to remember. Each round looks at all orders so far again, with a thirteenth of the budget; the next
 * adds what it sees to what the rounds before saw, which is as noisy as it is old. All are asked the same in the end: the
 * second-to-last baskets, on which the default factor was chosen, and which say nothing new of it.
 */
import { experiment } from '../experiment/define.ts';

const forgets = (forgettingFactor: number): object => ({ model: { kind: 'neighbours', hyperParameters: { asOf: null, forgettingFactor } } });

export default experiment({
  question: 'How much should what earlier rounds saw count beside the newest, when shoppers buy on between rounds?',
  protocol: 'validation',
  model: { kind: 'neighbours', hyperParameters: { asOf: null } },
  population: { shops: 20 },
  privacy: { epsilon: 3 },
  // Thirteen in 374 days, the last when all orders are in.
  schedule: { kind: 'calendar', everyDays: 28.8, tests: 'held-out' },
  rounds: 13,
  evaluateEvery: 13,
  variants: {
    'nothing remembered': forgets(1e-9),
    'factor .2': forgets(0.2),
    'factor .4': forgets(0.4),
    'factor .5, the default': forgets(0.5),
    'factor .6': forgets(0.6),
    'factor .8': forgets(0.8),
    'nothing forgotten': forgets(1),
    // One look, but at everything and with all of the budget.
    'one round': { schedule: { kind: 'calendar', everyDays: 374.4 }, rounds: 1 },
  },
  seeds: [1, 2, 3, 4, 5],
  metrics: ['ndcg@10', 'recall@10', 'coverage@10'],
  baselines: ['popularity', 'local-only'],
  comparedWith: { variant: 'nothing forgotten' },
  quick: {
    seeds: [1],
    schedule: { kind: 'calendar', everyDays: 93.6 },
    rounds: 4,
    evaluateEvery: 4,
    baselines: [],
  },
});
