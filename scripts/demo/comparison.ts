/** What the demo's release is worth, beside what shops could do otherwise. */
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { evaluateModel } from '../../shared/evaluation/evaluate-model.ts';
import type { Split } from '../../shared/evaluation/splits.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { summarise, type EvaluationSummary } from '../evaluate.ts';
import { trainCentrally } from '../simulated-training.ts';
import type { DemoShop } from './federation.ts';

export interface ComparisonRow {
  readonly name: 'popularity' | 'local-only' | 'release' | 'release-without-noise' | 'item-knn-central';
  readonly ndcg10: number;
  readonly recall20: number;
  readonly coverage20: number;
  readonly ndcg10Interval: readonly [number, number];
}

export function compare(name: ComparisonRow['name'], model: AnyFederatedModel, params: unknown, parts: Split): ComparisonRow {
  const { ndcg10, recall20, coverage20, ndcg10Interval }: EvaluationSummary = summarise([evaluateModel(model, params, parts)]);
  return { name, ndcg10, recall20, coverage20, ndcg10Interval };
}

/** Trained on all orders in one place, without noise. */
export async function compareCentral(name: ComparisonRow['name'], model: AnyFederatedModel, { catalogue }: Dataset, parts: Split): Promise<ComparisonRow> {
  return compare(name, model, await trainCentrally(model, catalogue, parts.training), parts);
}

/** Every shop alone: trained on its own orders, without noise, and asked about its own shoppers. */
export async function compareLocal(model: AnyFederatedModel, dataset: Dataset, parts: Split, shops: readonly DemoShop[]): Promise<ComparisonRow> {
  const shopParams = new Map<string, unknown>();
  for (const { shoppers } of shops) {
    const own = await trainCentrally(model, dataset.catalogue, shoppers.map(({ history }) => history));
    for (const { id } of shoppers) shopParams.set(id, own);
  }
  const paramsOf = new Map<ShopperHistory, unknown>(parts.tests.map(({ shopper, history }) => [history, shopParams.get(dataset.shoppers[shopper].id)]));
  const ownShop: AnyFederatedModel = { ...model, score: (_params, history, scores) => model.score(paramsOf.get(history), history, scores) };
  return compare('local-only', ownShop, null, parts);
}
