/**
 * How large a federation has to be. Every client is one virtual shopper, and all of them take part in one round. A virtual shopper
 * is a bootstrap draw of a real one: more of them hide more noise and bring no new taste, so what the curves rise to is the quality
 * of the real data without noise, and no forecast of what a million real shoppers would teach.
 *
 * All seeds in full are 36 runs, of which nine sum a million clients each.
 */
import { experiment, sweep } from '../experiment/define.ts';

export default experiment({
  question: 'How many shoppers does a federation need for each epsilon, before its recommendations are as good as without noise?',
  model: 'neighbours',
  // The shops say whose shelf is whose in figures by shop; no shop reports.
  population: { shops: 20, shoppers: sweep([1_000, 10_000, 100_000, 1_000_000]) },
  clients: { are: 'shoppers' },
  privacy: { epsilon: sweep([0.5, 1, 3]) },
  seeds: [1, 2, 3],
  metrics: ['ndcg@10', 'recall@10', 'coverage@10'],
  // Of the real shoppers, each once.
  baselines: ['popularity', 'central'],
  comparedWith: 'central',
  quick: { seeds: [1], population: { shoppers: sweep([1_000, 10_000, 100_000]) }, privacy: { epsilon: sweep([1, 3]) } },
});
