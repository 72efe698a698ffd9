/**
 * The coordinator's half of a private sum: one accumulator in the ring Z_2^32 that updates are streamed into,
 * so that memory does not grow with the number of shops, and its decoding into model units.
 */
import { nextClipNorm } from '../privacy/adaptive-clip.ts';
import { decodeDense } from '../privacy/dense.ts';
import type { Aggregate } from '../recommender/federated-model.ts';
import type { RobustSpec } from './robust/rule.ts';
import { CestaError } from '../protocol/errors.ts';
import { addWords } from '../secagg/ring.ts';
import { contributionCount } from './contribution-count.ts';
import { contributionLength, modelNorm, slotsOf, totalNoiseStd, type Bounds, type Plan } from './plan.ts';
import { planSensitivity } from './plan-cost.ts';
import { bitStepsOf, countStepsOf } from './statistic.ts';

/** What a round yields: the aggregate the model folds in, and what the next plan needs. */
export interface DecodedSum extends Aggregate {
  /** Clip norm of the model's part in the next round; null where it does not adapt. */
  readonly nextClipNorm: number | null;
  /** Absent where reports were added up. */
  readonly robust?: RobustFigures;
}

/** How reports were combined by a rule. */
export interface RobustFigures extends Pick<RobustSpec, 'rule' | 'byzantine'> {
  /** Rows that the rule combined. */
  readonly reports: number;
  /** Which of them, in the order they came in, had no part in the result: for the operator's log, not for the public. */
  readonly leftOut: readonly number[];
}

/** With the count of contributions as the noise left it, below 1 or not: what sums are added up by. */
export interface DecodedReports extends DecodedSum {
  readonly noisyShoppers: number;
}

export interface Accumulator {
  /** Adds one validated report. @throws CestaError `update.wrong-length` */
  add(report: Int32Array): void;
  readonly participants: number;
  /** Decodes the sum so far. @throws CestaError `round.failed` before the first report. */
  decode(): DecodedReports;
}

export function createAccumulator(plan: Plan): Accumulator {
  const sum = new Int32Array(plan.statisticLength);
  let participants = 0;
  return {
    add(report) {
      if (report.length !== sum.length) throw new CestaError('update.wrong-length', `report: expected ${sum.length} coordinates, got ${report.length}`);
      addWords(sum, report, 1);
      participants += 1;
    },
    get participants() {
      return participants;
    },
    decode() {
      if (participants === 0) throw new CestaError('round.failed', 'aggregate: expected at least one report, got none');
      return decodeSum(sum, plan, participants);
    },
  };
}

/** A sum of `participants` reports, in grid steps, in the units of the model. */
export function decodeSum(sum: Int32Array, plan: Plan, participants: number): DecodedReports {
  const { bounds } = plan;
  const values = unitsOf(sum, bounds, contributionLength(plan));
  const countSlot = values.length - slotsOf(bounds);
  // On the sparse grid every shopper adds whole steps: fewer than the plan's value by less than one.
  const isSparse = bounds.encoding.kind === 'sparse';
  const countUnit = isSparse ? countStepsOf(bounds) / bounds.gridScale : bounds.countValue;
  const noiseStd = totalNoiseStd(plan.privacy, participants);
  const { count: noisyShoppers, divisor: shoppers } = contributionCount(plan, { noisyCount: values[countSlot] / countUnit, noiseStd: noiseStd / countUnit, participants });
  const aggregate = { sum: values.slice(0, countSlot), shoppers, noisyShoppers, noiseStd };
  if (bounds.clipBit === null) return { ...aggregate, nextClipNorm: null };
  const bitUnit = isSparse ? bitStepsOf(bounds) / bounds.gridScale : bounds.clipBit.value;
  const noisyFraction = Math.min(1, Math.max(0, (values[countSlot + 1] / bitUnit / shoppers + 1) / 2));
  return { ...aggregate, nextClipNorm: nextClipNorm({ clipNorm: modelNorm(bounds), noisyFraction, quantile: bounds.clipBit.quantile, rate: bounds.clipBit.rate }) };
}

function unitsOf(sum: Int32Array, { encoding, gridScale, modulusBits }: Bounds, length: number): Float64Array {
  if (encoding.kind === 'rotated') return decodeDense(sum, { scale: gridScale, rotationSeed: encoding.rotationSeed }, modulusBits, length);
  const values = new Float64Array(sum.length);
  for (let i = 0; i < sum.length; i += 1) values[i] = sum[i] / gridScale;
  return values;
}

/** How many standard deviations of noise an honest coordinate may carry: exceeded with probability below 2^-100. */
const noiseMargin = 12;

/**
 * The largest |coordinate| that one honest shop reports, in grid steps: all its shoppers at the row cap, and
 * its noise. Anything beyond is refused before it is summed.
 */
export function maxCoordinate(plan: Plan): number {
  const { rowCap, countValue, clipBit, gridScale, maxShoppersPerShop, encoding } = plan.bounds;
  // A rotation may put all of a contribution into one coordinate.
  const entry = encoding.kind === 'rotated' ? planSensitivity(plan).l2 : Math.max(rowCap, countValue, clipBit?.value ?? 0) * gridScale;
  return Math.ceil(maxShoppersPerShop * entry + noiseMargin * totalNoiseStd(plan.privacy, 1) * gridScale);
}
