/**
 * The coordinator's half of a private sum: one accumulator in the ring Z_2^32 that updates are streamed into,
 * so that memory does not grow with the number of shops, and its decoding into model units.
 */
import type { Aggregate } from '../recommender/federated-model.ts';
import { CestaError } from '../protocol/errors.ts';
import { totalNoiseStd, type Plan } from './plan.ts';

export interface Accumulator {
  /** Adds one validated report. @throws CestaError `update.wrong-length` */
  add(report: Int32Array): void;
  readonly participants: number;
  /** Decodes the sum so far. @throws CestaError `round.failed` before the first report. */
  decode(): Aggregate;
}

export function createAccumulator(plan: Plan): Accumulator {
  const sum = new Int32Array(plan.statisticLength);
  let participants = 0;
  return {
    add(report) {
      if (report.length !== sum.length) throw new CestaError('update.wrong-length', `report: expected ${sum.length} coordinates, got ${report.length}`);
      // Int32Array stores modulo 2^32, which is the addition of the ring.
      for (let i = 0; i < sum.length; i += 1) sum[i] += report[i];
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

function decodeSum(sum: Int32Array, plan: Plan, participants: number): Aggregate {
  const { gridScale, countValue } = plan.bounds;
  const countSlot = plan.statisticLength - 1;
  const decoded = new Float64Array(countSlot);
  for (let i = 0; i < countSlot; i += 1) decoded[i] = sum[i] / gridScale;
  const countSteps = Math.floor(countValue * gridScale);
  return { sum: decoded, shoppers: Math.max(1, sum[countSlot] / countSteps), noiseStd: totalNoiseStd(plan.privacy, participants) };
}

/** How many standard deviations of noise an honest coordinate may carry: exceeded with probability below 2^-100. */
const noiseMargin = 12;

/**
 * The largest |coordinate| that one honest shop reports, in grid steps: all its shoppers at the row cap, and
 * its noise. Anything beyond is refused before it is summed.
 */
export function maxCoordinate(plan: Plan): number {
  const { rowCap, countValue, gridScale, maxShoppersPerShop } = plan.bounds;
  const data = maxShoppersPerShop * Math.max(rowCap, countValue) * gridScale;
  return Math.ceil(data + noiseMargin * totalNoiseStd(plan.privacy, 1) * gridScale);
}
