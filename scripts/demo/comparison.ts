/** What the demo's release is worth, beside what shops could do otherwise. */
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { evaluateModel, evaluateShelves, type Evaluation } from '../../shared/evaluation/evaluate-model.ts';
import type { Split } from '../../shared/evaluation/splits.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { summarise, type EvaluationSummary } from '../evaluate.ts';
import { localOnlyShelves } from '../local-only.ts';
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
  return rowOf(name, evaluateModel(model, params, parts));
}

function rowOf(name: ComparisonRow['name'], evaluation: Evaluation): ComparisonRow {
  const { ndcg10, recall20, coverage20, ndcg10Interval }: EvaluationSummary = summarise([evaluation]);
  return { name, ndcg10, recall20, coverage20, ndcg10Interval };
}

/** Trained on all orders in one place, without noise. */
export async function compareCentral(name: ComparisonRow['name'], model: AnyFederatedModel, { catalogue }: Dataset, parts: Split): Promise<ComparisonRow> {
  return compare(name, model, await trainCentrally(model, catalogue, parts.training), parts);
}

/** Every shop alone: trained on its own orders, without noise, and asked about its own shoppers. */
export async function compareLocal(model: AnyFederatedModel, { catalogue, shoppers }: Dataset, parts: Split, shops: readonly DemoShop[]): Promise<ComparisonRow> {
  const shopOf = new Map(shops.flatMap((shop, index) => shop.shoppers.map(({ id }) => [id, index] as const)));
  const alone = { shops: shops.map((shop) => shop.shoppers.map(({ history }) => history)), shopOf: (shopper: number) => shopOf.get(shoppers[shopper].id) ?? -1 };
  return rowOf('local-only', evaluateShelves(await localOnlyShelves(model, catalogue, parts, alone), parts));
}
