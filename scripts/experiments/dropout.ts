import { experiment, sweep } from '../experiment/define.ts';

export default experiment({
  question: 'Who may leave before a round is lost, and what do those who leave cost: at which dropout do rounds fail, and how good is what the others give?',
  model: 'neighbours',
  population: { shops: 40 },
  clients: { perRound: 20, overSelection: 1.25, quorum: 0.8, dropout: sweep([0, 0.1, 0.2, 0.3, 0.5]) },
  privacy: { epsilon: 3, mode: sweep(['distributed', 'local']) },
  rounds: 5,
  evaluateEvery: 5,
  seeds: [1, 2, 3],
  metrics: ['ndcg@10', 'recall@10', 'coverage@10'],
  baselines: ['popularity'],
  comparedWith: { 'clients.dropout': 0, 'privacy.mode': 'distributed' },
  quick: { seeds: [1], rounds: 3 },
});
