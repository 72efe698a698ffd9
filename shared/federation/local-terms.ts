/**
 * What unit `shop`, a strategy and a weighting ask of a model and of one another. Checked when a task is submitted, and
 * again by every shop that is invited: whatever either side cannot do is refused, with the field and the reason.
 */
import { CestaError } from '../protocol/errors.ts';
import { localTrainerOf, type AnyStatistic } from '../recommender/federated-model.ts';
import type { Plan } from './plan.ts';
import type { StrategyInput } from './strategies/strategy.ts';
import type { TaskSpec } from './task.ts';

/** As an operator asks for them. */
export interface AskedLocalTerms {
  readonly unit?: TaskSpec['unit'];
  readonly strategy?: StrategyInput;
  readonly weightedUpTo?: number;
}

type LocalTerms = Pick<Plan, 'unit' | 'strategy' | 'weightedUpTo' | 'aggregation' | 'robust'>;

/** What a plan says of them. */
export function localTermsOf({ unit, strategy, weightedUpTo }: TaskSpec): Pick<Plan, 'unit' | 'strategy' | 'weightedUpTo'> {
  return {
    ...(unit === 'shop' ? { unit } : {}),
    ...(strategy === undefined ? {} : { strategy }),
    ...(weightedUpTo === undefined ? {} : { weightedUpTo }),
  };
}

/** For rounds of something that no shop trains. */
export function withoutLocalTerms({ strategy: _strategy, weightedUpTo: _weightedUpTo, ...task }: TaskSpec): TaskSpec {
  return { ...task, unit: 'shopper' };
}

/** Contributions of one shop at most. */
export function contributionsOf({ unit, maxShoppersPerShop }: TaskSpec): number {
  return unit === 'shop' ? 1 : maxShoppersPerShop;
}

/** @throws CestaError `plan.invalid` naming the field */
export function requireLocalTerms({ unit, strategy, weightedUpTo, aggregation, robust }: LocalTerms, model: AnyStatistic): void {
  const local = localTrainerOf(model);
  const refuse = (field: string, expected: string, got: string): never => {
    throw new CestaError('plan.invalid', `${field}: expected ${expected}, got ${got}`);
  };
  if (local === null) {
    if (unit !== undefined) refuse('unit', `shopper for ${model.kind}, whose statistic is a sum over shoppers and no change of weights`, unit);
    if (strategy !== undefined) refuse('strategy', `none for ${model.kind}, which updates its parameters by itself`, strategy.kind);
    if (weightedUpTo !== undefined) refuse('weightedUpTo', `none for ${model.kind}, whose statistic counts shoppers and has no events to weigh them by`, `${weightedUpTo}`);
    return;
  }
  if (strategy?.kind === 'fedprox' && unit !== 'shop') refuse('strategy', 'unit shop for fedprox, whose term is in the loss of a shop', 'unit shopper');
  if (unit === 'shop' && weightedUpTo !== undefined && robust !== undefined && robust.groups === undefined) {
    refuse('weightedUpTo', `none with unit shop and ${robust.rule} of reports, since a rule compares means, and of one contribution that is the contribution itself, whatever its weight`, `${weightedUpTo}`);
  }
  if (strategy?.kind !== 'scaffold') return;
  if (unit !== 'shop') refuse('strategy', 'unit shop for scaffold, since only a shop can keep a control variate from round to round', 'unit shopper');
  if (local.learningRate === undefined) refuse('strategy', 'a model that trains by plain gradient steps of one rate for scaffold', model.kind);
  if (weightedUpTo !== undefined) refuse('weightedUpTo', 'none with scaffold, whose control variates are plain means', `${weightedUpTo}`);
  if (robust !== undefined) refuse('robust', 'none with scaffold, whose control variates are plain means', robust.rule);
  if (aggregation !== undefined) refuse('aggregation', 'rounds with scaffold, since control variates of several releases do not add up', aggregation.kind);
}
