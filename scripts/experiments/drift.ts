/**
 * Rounds over the year of the real data. A release ages: what is sold changes. But every round looks at all orders so far again,
 * and all rounds share one budget: the more there are, the more noise each has.
 *
 * All calendars start after the same quarter and are asked week by week, on the same test cases: a shopper with new purchases in a
 * week, with the history that the shopper has then. Items that came up since a release are asked for, too.
 */
import { experiment } from '../experiment/define.ts';

export default experiment({
  question: 'How often should a federation train under one yearly budget of epsilon 3: every week, every four weeks, every ten, or once?',
  model: 'neighbours',
  population: { shops: 20 },
  privacy: { epsilon: 3 },
  // 280 days each, from the end of February to the beginning of December.
  schedule: { kind: 'calendar', startDays: 84, testDays: 7 },
  variants: {
    weekly: { schedule: { kind: 'calendar', everyDays: 7 }, rounds: 40 },
    'every four weeks': { schedule: { kind: 'calendar', everyDays: 28 }, rounds: 10 },
    'every ten weeks': { schedule: { kind: 'calendar', everyDays: 70 }, rounds: 4 },
    'once, after the first quarter': { schedule: { kind: 'calendar', everyDays: 280 }, rounds: 1 },
    'weekly, no noise': { schedule: { kind: 'calendar', everyDays: 7 }, rounds: 40, privacy: { epsilon: null } },
  },
  seeds: [1, 2, 3],
  metrics: ['ndcg@10', 'recall@10', 'coverage@10'],
  // Trained anew every week, without noise.
  baselines: ['popularity'],
  comparedWith: { variant: 'weekly' },
  // The eight weeks before the last fortnight.
  quick: {
    seeds: [1],
    schedule: { kind: 'calendar', startDays: 301 },
    variants: {
      weekly: { schedule: { kind: 'calendar', everyDays: 7 }, rounds: 8 },
      'every four weeks': { schedule: { kind: 'calendar', everyDays: 28 }, rounds: 2 },
      'once, before the eight weeks': { schedule: { kind: 'calendar', everyDays: 56 }, rounds: 1 },
    },
  },
});
