/**
 * Shops that train and are gone before they report. 25 of 40 are invited for 20 that are wanted, so that some may leave; 16 reports
 * are the quorum, below which a round fails and the release before it stays. In mode `distributed` the shares of noise suffice when
 * as many leave as the plan tolerates; a masked sum that more have left is never opened, and its budget is given back. In mode
 * `local` every shop adds all of the noise, and a round that failed after training began has been paid for.
 */
import { experiment, sweep } from '../experiment/define.ts';

export default experiment({
  question: 'Who may leave before a round is lost, and what do those who leave cost: at which dropout do rounds fail, and how good is what the others give?',
  model: 'neighbours',
  // None, then up to a half: the quorum is met with 9 of 25 gone at most, and masks need 17 of 25.
  population: { shops: 40 },
  clients: { perRound: 20, overSelection: 1.25, quorum: 0.8, dropout: sweep([0, 0.1, 0.2, 0.3, 0.5]) },
  privacy: { epsilon: 3, mode: sweep(['distributed', 'local']) },
  // Which share one budget: a round that fails is lost, and the others have no more for it.
  rounds: 5,
  evaluateEvery: 5,
  seeds: [1, 2, 3],
  metrics: ['ndcg@10', 'recall@10', 'coverage@10'],
  baselines: ['popularity'],
  comparedWith: { 'clients.dropout': 0, 'privacy.mode': 'distributed' },
  quick: { seeds: [1], rounds: 3 },
});
