/**
 * Who can push an item, and which rule holds it back. The attacker pushes one unpopular item: invented shoppers with histories of
 * it, or one participant of 20 that reports the largest sum that a plan lets through. With noise, rules see masked sums of groups
 * of shops; without noise they see every report. Other attacks may be stronger.
 */
import { experiment, sweep } from '../experiment/define.ts';

export default experiment({
  question: 'How many shoppers see an item that malicious shoppers or a malicious shop push, under each rule, and what does the rule cost?',
  model: 'neighbours',
  population: { shops: 20 },
  // Nobody is invented with share 0: how many see the item if nobody pushes it.
  variants: {
    'nobody pushes': { clients: { malicious: { kind: 'shoppers', share: 0 } } },
    '1 % of shoppers': { clients: { malicious: { kind: 'shoppers', share: 0.01 } } },
    '5 % of shoppers': { clients: { malicious: { kind: 'shoppers', share: 0.05 } } },
    'one shop of 20': { clients: { malicious: { kind: 'participants', count: 1 } } },
  },
  aggregate: sweep(['mean', 'median', 'trimmed-mean']),
  privacy: { epsilon: sweep([3, Infinity]), mode: 'distributed' },
  // The pushed item differs from seed to seed.
  seeds: [1, 2, 3],
  metrics: ['exposure@20', 'ndcg@10'],
  comparedWith: { variant: 'nobody pushes', aggregate: 'mean', 'privacy.epsilon': null },
  quick: {
    seeds: [1],
    variants: {
      'nobody pushes': { clients: { malicious: { kind: 'shoppers', share: 0 } } },
      '5 % of shoppers': { clients: { malicious: { kind: 'shoppers', share: 0.05 } } },
      'one shop of 20': { clients: { malicious: { kind: 'participants', count: 1 } } },
    },
    aggregate: sweep(['mean', 'median']),
  },
});
