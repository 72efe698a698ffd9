import { experiment, sweep } from '../experiment/define.ts';

export default experiment({
  question: 'What does privacy cost: how good are recommendations at each epsilon, beside popularity, every shop on its own, and no privacy at all?',
  model: 'neighbours',
  privacy: { epsilon: sweep([0.5, 1, 2, 4, 8, Infinity]) },
  seeds: [1, 2, 3],
  metrics: ['ndcg@10', 'recall@10', 'coverage@10', 'gini@10'],
  baselines: ['popularity', 'local-only', 'central'],
  comparedWith: 'popularity',
  quick: { seeds: [1], privacy: { epsilon: sweep([1, 4, Infinity]) } },
});
