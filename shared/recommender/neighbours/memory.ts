/**
 * What a release remembers of past rounds, so that the next one adds to them: each block's combined sum in two bytes
 * a coordinate, 65,535 steps over its range, which lie far below the noise. The sums are private outputs already.
 */
import type { NamedTensors } from '../../protocol/tensors.ts';
import type { Aggregate } from '../federated-model.ts';
import { combineRounds } from '../round-memory.ts';
import { requireRange, requireTensor, vector } from '../tensor-checks.ts';
import type { RoundSums } from './contribution.ts';

/** One block, rounded. */
export interface RememberedBlock {
  readonly levels: Uint16Array;
  /** Value of level 0, at most 0. */
  readonly low: number;
  /** Value of the top level, at least 0. */
  readonly high: number;
  readonly shoppers: number;
  readonly noiseStd: number;
}

export interface RoundMemory {
  readonly pairs: RememberedBlock;
  readonly popularity: RememberedBlock;
  readonly period: (RememberedBlock & { readonly asOf: number }) | undefined;
}

const topLevel = 65_535;

/**
 * All rounds so far, each block by inverse variance. A period block of another as-of date counts other purchases as
 * recent, and a memory of another layout counts other pairs: neither is carried on.
 */
export function withMemory(memory: RoundMemory | undefined, newest: RoundSums, forgettingFactor?: number): RoundSums {
  if (memory === undefined || memory.pairs.levels.length !== newest.pairs.sum.length) return newest;
  const past = memory.period?.asOf === newest.period?.asOf ? memory.period : undefined;
  return {
    pairs: combineRounds(recall(memory.pairs), newest.pairs, forgettingFactor),
    popularity: combineRounds(recall(memory.popularity), newest.popularity, forgettingFactor),
    period: newest.period && { ...combineRounds(past && recall(past), newest.period, forgettingFactor), asOf: newest.period.asOf },
  };
}

export function remember({ pairs, popularity, period }: RoundSums): RoundMemory {
  return { pairs: rounded(pairs), popularity: rounded(popularity), period: period && { ...rounded(period), asOf: period.asOf } };
}

function rounded({ sum, shoppers, noiseStd }: Aggregate): RememberedBlock {
  let low = 0;
  let high = 0;
  for (const value of sum) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const step = (high - low) / topLevel || 1;
  return { levels: Uint16Array.from(sum, (value) => Math.round((value - low) / step)), low, high, shoppers, noiseStd };
}

function recall({ levels, low, high, shoppers, noiseStd }: RememberedBlock): Aggregate {
  const step = (high - low) / topLevel;
  return { sum: Float64Array.from(levels, (level) => low + step * level), shoppers, noiseStd };
}

export function encodeMemory({ pairs, popularity, period }: RoundMemory): NamedTensors {
  return {
    ...encodeBlock('pairs', pairs),
    ...encodeBlock('popularity', popularity),
    ...(period === undefined ? {} : { ...encodeBlock('period', period), memory_as_of: vector(Float64Array.of(period.asOf)) }),
  };
}

/** @throws CestaError `release.untrusted` */
export function decodeMemory(tensors: NamedTensors, pairs: number, items: number): RoundMemory | undefined {
  if (!Object.hasOwn(tensors, 'memory_pairs')) return undefined;
  return {
    pairs: decodeBlock(tensors, 'pairs', pairs),
    popularity: decodeBlock(tensors, 'popularity', items),
    period: Object.hasOwn(tensors, 'memory_period')
      ? { ...decodeBlock(tensors, 'period', items), asOf: requireTensor(tensors, 'memory_as_of', Float64Array, 1)[0] }
      : undefined,
  };
}

function encodeBlock(name: string, { levels, low, high, shoppers, noiseStd }: RememberedBlock): NamedTensors {
  return { [`memory_${name}`]: vector(levels), [`memory_${name}_round`]: vector(Float64Array.of(low, high, shoppers, noiseStd)) };
}

function decodeBlock(tensors: NamedTensors, block: string, length: number): RememberedBlock {
  const name = `memory_${block}_round`;
  const levels = requireTensor(tensors, `memory_${block}`, Uint16Array, length);
  const round = requireTensor(tensors, name, Float64Array, 4);
  requireRange(name, round.subarray(0, 1), -Number.MAX_VALUE, 0);
  requireRange(name, round.subarray(1), 0, Number.MAX_VALUE);
  requireRange(name, round.subarray(2, 3), 1, Number.MAX_VALUE);
  const [low, high, shoppers, noiseStd] = round;
  return { levels, low, high, shoppers, noiseStd };
}
