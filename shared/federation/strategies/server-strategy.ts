/** The server's half of the strategy that a plan names. */
import { CestaError } from '../../protocol/errors.ts';
import { localTrainerOf, type AnyStatistic } from '../../recommender/federated-model.ts';
import type { Plan } from '../plan.ts';
import { fedAdagrad } from './fedadagrad.ts';
import { fedAdam } from './fedadam.ts';
import { fedAvg } from './fedavg.ts';
import { fedAvgM } from './fedavgm.ts';
import { fedProx } from './fedprox.ts';
import { fedYogi } from './fedyogi.ts';
import { scaffold } from './scaffold.ts';
import type { Strategy } from './strategy.ts';

/** Null where the plan names none. */
export function serverStrategy({ strategy, cohort }: Pick<Plan, 'strategy' | 'cohort'>, model: AnyStatistic): Strategy | null {
  if (strategy === undefined) return null;
  switch (strategy.kind) {
    case 'fedavg':
      return fedAvg(strategy);
    case 'fedavgm':
      return fedAvgM(strategy);
    case 'fedadagrad':
      return fedAdagrad(strategy);
    case 'fedadam':
      return fedAdam(strategy);
    case 'fedyogi':
      return fedYogi(strategy);
    case 'fedprox':
      return fedProx(strategy);
    case 'scaffold':
      return scaffold(strategy, { localSteps: strategy.localSteps, localRate: localRateOf(model), shops: strategy.shops ?? cohort.targetParticipants });
    default:
      return strategy satisfies never;
  }
}

/** @throws CestaError `plan.invalid` for a model whose local steps are of no one rate. */
function localRateOf(model: AnyStatistic): number {
  const rate = localTrainerOf(model)?.learningRate;
  if (rate === undefined) throw new CestaError('plan.invalid', `strategy: expected a model that trains by plain gradient steps of one rate for scaffold, got ${model.kind}`);
  return rate;
}
