/**
 * Privacy against utility on the real data: 20 shops, noise added by the shops themselves under secure aggregation, one round.
 * Nothing is tuned here: model and clip norm are the product's defaults, which were chosen on second-to-last baskets.
 */
import { experiment, sweep } from '../experiment/define.ts';

export default experiment({
  question: 'What does privacy cost: how good are recommendations at each epsilon, beside popularity, every shop on its own, and no privacy at all?',
  model: 'neighbours',
  population: { shops: 20 },
  // From what hardly lets a signal through to hardly any noise, in steps of about two.
  privacy: { mode: 'distributed', epsilon: sweep([0.25, 0.5, 1, 2, 3, 4, 8, Infinity]) },
  // Noise differs from seed to seed, and so does the dealing of shoppers to shops: five show by how much.
  seeds: [1, 2, 3, 4, 5],
  metrics: ['ndcg@10', 'recall@10', 'coverage@10', 'gini@10'],
  baselines: ['popularity', 'local-only', 'central'],
  comparedWith: 'local-only',
  quick: { seeds: [1, 2], privacy: { epsilon: sweep([0.5, 1, 3, 8, Infinity]) } },
});
