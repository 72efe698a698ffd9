/**
 * What privacy costs: one model at several epsilons and without noise, each compared shopper by shopper with the
 * popularity baseline and with the run without noise.
 */
import { pairedBootstrapInterval } from '../shared/evaluation/intervals.ts';
import { evaluateInDetail, type EvaluateOptions, type EvaluationResult } from './evaluate.ts';

export interface FrontierPoint extends EvaluationResult {
  /** Mean difference of ndcg@10 per shopper, with its 95 % bootstrap interval. */
  readonly overPopularity: Comparison;
  readonly overNoNoise: Comparison;
}

export interface Comparison {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

export interface Frontier {
  readonly popularity: EvaluationResult;
  /** In the order asked for, the run without noise last. */
  readonly points: readonly FrontierPoint[];
}

/**
 * Evaluates one model at each epsilon and without noise, and compares every point with popularity and with no noise.
 * @param options as for one evaluation, without its epsilon
 * @param onPoint hears of every point as soon as it is there
 * @throws CestaError as `evaluate`
 * @example
 * const { points } = await frontier({ data: 'online-retail', model: 'neighbours', seeds: 1 }, [1, 3]);
 * for (const { epsilon, ndcg10, overPopularity } of points) console.log(epsilon, ndcg10, overPopularity.low);
 */
export async function frontier(options: Omit<EvaluateOptions, 'epsilon' | 'mode'>, epsilons: readonly number[], onPoint: (point: FrontierPoint) => void = () => undefined): Promise<Frontier> {
  const { data, read, protocol, model, rounds } = options;
  const shared = { data, ...(read === undefined ? {} : { read }), ...(protocol === undefined ? {} : { protocol }) };
  const popularity = await evaluateInDetail({ ...shared, model: 'popularity' });
  const plain = await evaluateInDetail({ ...shared, model, ...(rounds === undefined ? {} : { rounds }) });
  const points: FrontierPoint[] = [];
  for (const epsilon of [...epsilons, null]) {
    const { result, ndcg10 } = epsilon === null ? plain : await evaluateInDetail({ ...options, epsilon });
    const point = { ...result, overPopularity: pairedBootstrapInterval(ndcg10, popularity.ndcg10), overNoNoise: pairedBootstrapInterval(ndcg10, plain.ndcg10) };
    points.push(point);
    onPoint(point);
  }
  return { popularity: popularity.result, points };
}
