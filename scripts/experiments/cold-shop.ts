/**
 * Shops that have just opened: each has at most 200 training events, of shoppers with few orders. The same shops train alone
 * (local-only), as members of a federation of 20 others, and have what is popular in all shops to compare with.
 */
import { experiment, sweep } from '../experiment/define.ts';

export default experiment({
  question: 'What does a shop with at most 200 events gain from the federation, at each epsilon, over what it can learn alone?',
  model: 'neighbours',
  // 30 such shops, so that the figure is not one of a single shop's few shoppers; 20 shops share the other shoppers.
  population: { shops: 50, cold: { shops: 30, events: 200 } },
  privacy: { epsilon: sweep([1, 3, Infinity]) },
  // The cold shops are the same ones with every seed; noise and the dealing of the others differ.
  seeds: [1, 2, 3, 4, 5],
  metrics: ['cold.ndcg@10', 'ndcg@10', 'coverage@10'],
  baselines: ['local-only', 'popularity', 'central'],
  comparedWith: 'local-only',
  quick: { seeds: [1, 2], privacy: { epsilon: sweep([3, Infinity]) }, baselines: ['local-only', 'popularity'] },
});
