/**
 * What came of an experiment: shares of devices by arm and how the arms differ, with intervals that cover the draw of devices
 * and the noise of their reports together. A share is estimated from the reports in a set of values (see
 * `linearResponse`); the interval is Wilson's (1927) of the reported share, mapped back, and that of a difference
 * Newcombe's (1998, method 10), which needs no large shares as the usual one does.
 */
import { linearResponse } from '../privacy/randomised-response.ts';
import { CestaError } from '../protocol/errors.ts';
import { levels, type Level, type Subject } from './experiments.ts';
import type { Counts } from './measurement.ts';

export interface Estimate {
  /** Unbiased, so it, and an end of its interval, may be below 0 or above 1 by chance. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface ArmReport {
  readonly arm: string;
  readonly devices: number;
  /** Share of devices that came at least so far. */
  readonly share: Readonly<Record<Exclude<Level, 'none'>, Estimate>>;
}

export interface ExperimentReport {
  readonly id: string;
  readonly epsilon: number;
  readonly unit: 'one report of one device';
  readonly level: 0.95;
  readonly arms: readonly ArmReport[];
  /** Of purchases: each arm against the first. */
  readonly differences: readonly { readonly arm: string; readonly against: string; readonly purchase: Estimate }[];
}

/** Normal quantile of 97.5 %. */
const z975 = 1.959963984540054;

/** Reports an arm must have before anything is said of it. */
export const minReports = 50;

/** @throws CestaError `measure.too-few` */
export function experimentReport({ id, arms, measure: { epsilon } }: Pick<Subject, 'id' | 'arms' | 'measure'>, counts: Counts): ExperimentReport {
  const devices = arms.map((_, arm) => (counts[arm] ?? []).reduce((sum, count) => sum + count, 0));
  const few = devices.findIndex((count) => count < minReports);
  // How many there are would be told with every refusal: that some are missing is enough.
  if (few >= 0) throw new CestaError('measure.too-few', `${id}: expected at least ${minReports} reports of each arm, got fewer of ${arms[few]}`);
  const shareOf = (arm: number, from: number): Estimate => estimate(counts[arm].slice(from).reduce((sum, count) => sum + count, 0), devices[arm], { epsilon, size: levels.length - from });
  const purchase = levels.indexOf('purchase');
  return {
    id, epsilon, unit: 'one report of one device', level: 0.95,
    arms: arms.map((name, arm) => ({ arm: name, devices: devices[arm], share: { impression: shareOf(arm, 1), click: shareOf(arm, 2), purchase: shareOf(arm, purchase) } })),
    differences: arms.slice(1).map((name, index) => ({ arm: name, against: arms[0], purchase: difference(shareOf(index + 1, purchase), shareOf(0, purchase)) })),
  };
}

/** The share of true values in a set of `size`, from `inSet` of `reports`. */
export function estimate(inSet: number, reports: number, { epsilon, size }: { readonly epsilon: number; readonly size: number }): Estimate {
  const { offset, slope } = linearResponse({ values: levels.length, epsilon }, size);
  const { low, high } = wilson(inSet, reports);
  const back = (share: number): number => (share - offset) / slope;
  return { value: back(inSet / reports), low: back(low), high: back(high) };
}

function wilson(inSet: number, reports: number): { low: number; high: number } {
  const share = inSet / reports;
  const spread = z975 * Math.sqrt((share * (1 - share)) / reports + (z975 / (2 * reports)) ** 2);
  const centre = share + z975 ** 2 / (2 * reports);
  const scale = 1 + z975 ** 2 / reports;
  return { low: (centre - spread) / scale, high: (centre + spread) / scale };
}

/** From the intervals of both: squares of the distances to their ends add up. */
function difference(first: Estimate, second: Estimate): Estimate {
  const value = first.value - second.value;
  return {
    value,
    low: value - Math.hypot(first.value - first.low, second.high - second.value),
    high: value + Math.hypot(first.high - first.value, second.value - second.low),
  };
}
