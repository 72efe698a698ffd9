/**
 * The state of a strategy as tensors of the release it led to. So a coordinator that was restarted or restored goes on
 * exactly, and a rollback takes momentum back with the parameters. Models pick their tensors by name and never see these;
 * storefronts have no use for them.
 */
import { requireRange, requireTensor, vector } from '../../recommender/tensor-checks.ts';
import type { NamedTensors } from '../../protocol/tensors.ts';
import type { Manifest } from '../release.ts';
import type { Strategy, StrategyState } from './strategy.ts';

export const strategyPrefix = 'strategy/';
const controlName = `${strategyPrefix}control`;

/**
 * Of all tensors of a release, those of its strategy, as the next round starts from them. Where the release restores an
 * older one, SCAFFOLD's control is zero again, and so is every shop's own: what shops kept is of the release that was
 * withdrawn, and corrections that do not cancel out would stay for good.
 */
export function strategyTensorsOf({ restores }: Pick<Manifest, 'restores'>, tensors: NamedTensors): NamedTensors {
  const own = Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith(strategyPrefix)));
  if (restores === undefined || !Object.hasOwn(own, controlName)) return own;
  return { ...own, [controlName]: vector(new Float32Array(own[controlName].data.length)) };
}

export function encodeState(state: StrategyState): NamedTensors {
  return Object.fromEntries(Object.entries(state).map(([name, data]) => [strategyPrefix + name, vector(data)]));
}

/** @throws CestaError `release.untrusted` when one is missing, of another length, or not finite */
export function decodeState(strategy: Strategy, tensors: NamedTensors, length: number): StrategyState {
  return Object.fromEntries(Object.keys(strategy.init(length)).map((name) => {
    const data = requireTensor(tensors, strategyPrefix + name, Float32Array, length);
    if (name === 'secondMoment') requireRange(strategyPrefix + name, data, 0, Number.MAX_VALUE);
    return [name, data];
  }));
}

/** SCAFFOLD's c, as shops read it from the release that they start from. @throws CestaError `release.untrusted` */
export function controlIn(tensors: NamedTensors, length: number): Float32Array {
  return requireTensor(tensors, controlName, Float32Array, length);
}
