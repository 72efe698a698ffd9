/** What `serve` and `evaluate` are told about unit, strategy and weighting, as a task says it. */
import { z } from 'zod';
import type { AskedLocalTerms } from '../../shared/federation/local-terms.ts';
import { strategySchema, type StrategyInput, type StrategyKind } from '../../shared/federation/strategies/strategy.ts';
import type { TaskSpec } from '../../shared/federation/task.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface LocalOptions {
  readonly unit?: TaskSpec['unit'] | undefined;
  readonly strategy?: StrategyKind | undefined;
  readonly serverRate?: number | undefined;
  readonly strategySettings?: Readonly<Record<string, Json>> | undefined;
  readonly weightedUpTo?: number | undefined;
}

/** @throws CestaError `usage.invalid` for settings of no strategy, `plan.invalid` for those that it does not know */
export function localTermsOf({ unit, strategy, serverRate, strategySettings, weightedUpTo }: LocalOptions): AskedLocalTerms {
  if (strategy === undefined && serverRate !== undefined) throw new CestaError('usage.invalid', '--server-rate: expected --strategy with it, got none');
  if (strategy === undefined && strategySettings !== undefined) throw new CestaError('usage.invalid', '--strategy-settings: expected --strategy with it, got none');
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(strategy === undefined ? {} : { strategy: strategyOf({ ...strategySettings, ...(serverRate === undefined ? {} : { learningRate: serverRate }), kind: strategy }) }),
    ...(weightedUpTo === undefined ? {} : { weightedUpTo }),
  };
}

function strategyOf(given: unknown): StrategyInput {
  const parsed = strategySchema.safeParse(given);
  if (!parsed.success) throw new CestaError('plan.invalid', `strategy: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** The change of a whole shop is dense: with noise, a sparse grid would round its small entries toward zero. */
export function usualEncoding({ unit, mode }: { readonly unit?: TaskSpec['unit'] | undefined; readonly mode: string }): 'sparse' | 'rotated' {
  return unit === 'shop' && mode !== 'none' ? 'rotated' : 'sparse';
}
