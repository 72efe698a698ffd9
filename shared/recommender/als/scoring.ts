/** How `als` ranks: the shopper's factor times every item row, like titles, popularity; and what of it each item explains. */
import { visitCount, visitItems, type ShopperHistory } from '../../commerce/history.ts';
import { createRowTable, type RowTable } from '../../kernels/row-table.ts';
import type { FederatedModel, Reason } from '../federated-model.ts';
import { createItemSet } from '../item-set.ts';
import { addRow, weightBetween } from '../item-weights.ts';
import type { AlsParams } from './release.ts';
import type { ShopperSolver } from './shopper.ts';

export interface ScoringTerms {
  readonly recallVisits: number;
  readonly similarityWeight: number;
  readonly popularityWeight: number;
}

export function createAlsScoring({ items, width }: { readonly items: number; readonly width: number }, terms: ScoringTerms, solver: ShopperSolver): Pick<FederatedModel<AlsParams>, 'score' | 'explain'> {
  const { similarityWeight } = terms;
  const releaseOf = cachedReleases(width, terms.popularityWeight);
  const recall = createRecall(items, terms.recallVisits);
  const query = new Float32Array(width);
  return {
    score(params, history, scores) {
      const { table, bias } = releaseOf(params);
      const { touched, weights } = recall(history);
      if (touched.length === 0) {
        scores.set(bias);
        return;
      }
      query.set(solver.solve(params, touched, weights));
      table.scores(query, scores);
      for (let item = 0; item < items; item += 1) scores[item] += bias[item];
      for (let position = 0; position < touched.length; position += 1) addRow(params.similar, touched[position], similarityWeight * weights[position], scores);
    },
    explain(params, history, item, limit) {
      const { touched, weights } = recall(history);
      if (touched.length === 0) return [];
      // The system is symmetric: u v is the sum over the history of w v' M^-1 v.
      const response = solver.respond(params, touched, weights, item);
      const reasons: Reason[] = [];
      for (let position = 0; position < touched.length; position += 1) {
        const other = touched[position];
        const weight = weights[position] * (rowProduct(params.factors, other, response) + similarityWeight * weightBetween(params.similar, other, item));
        if (weight > 0) reasons.push({ item: other, weight });
      }
      return reasons.sort((a, b) => b.weight - a.weight || a.item - b.item).slice(0, limit);
    },
  };
}

interface Recalled {
  readonly touched: Int32Array;
  /** exp(-visits since the last touch / recallVisits), one number for each touched item. */
  readonly weights: Float64Array;
}

/** The distinct items of a history and how much each still counts; valid until the next call. */
function createRecall(items: number, recallVisits: number): (history: ShopperHistory) => Recalled {
  const itemSet = createItemSet(items);
  const latest = new Float64Array(items);
  const weights = new Float64Array(items);
  return (history) => {
    const count = visitCount(history);
    // Later visits overwrite earlier ones: the latest touch counts.
    for (let visit = 0; visit < count; visit += 1) {
      const weight = Math.exp((visit + 1 - count) / recallVisits);
      for (const item of visitItems(history, visit)) if (item >= 0 && item < items) latest[item] = weight;
    }
    const touched = itemSet.read(history);
    for (let position = 0; position < touched.length; position += 1) weights[position] = latest[touched[position]];
    return { touched, weights: weights.subarray(0, touched.length) };
  };
}

interface Ranked {
  readonly table: RowTable;
  readonly bias: Float32Array;
}

/** What scoring needs of a release, made once. */
function cachedReleases(width: number, popularityWeight: number): (params: AlsParams) => Ranked {
  const known = new WeakMap<AlsParams, Ranked>();
  return (params) => {
    const found = known.get(params);
    if (found !== undefined) return found;
    const made = { table: createRowTable(params.factors, width), bias: params.popularity.map((count) => popularityWeight * Math.log1p(Math.max(0, count))) };
    known.set(params, made);
    return made;
  };
}

function rowProduct(rows: Float32Array, row: number, vector: Float64Array): number {
  let product = 0;
  for (let k = 0, at = row * vector.length; k < vector.length; k += 1, at += 1) product += rows[at] * vector[k];
  return product;
}
