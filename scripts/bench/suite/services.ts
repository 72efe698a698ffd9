/** What learns, ranks and serves: training step, ranking, rounds and releases over loopback. */
import { createRowTable } from '../../../shared/kernels/row-table.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { topK } from '../../../shared/ranking/top-k.ts';
import { benchHttp, httpTurns } from '../http.ts';
import { benchRanking } from '../ranking.ts';
import { benchRounds, roundTurns } from '../rounds.ts';
import { benchTraining, timedSteps } from '../training.ts';
import { contest, milliseconds, perSecond, type BenchRow } from './contest.ts';

export async function trainingRows(): Promise<BenchRow[]> {
  const { sequenceStepMs, stockStepMs, backend, simd, tensorflow } = await benchTraining();
  return [milliseconds({ measure: 'training step', what: `a step of SASRec, ${backend}${simd ? ' with kernels of our own' : ''}`, reference: `@tensorflow/tfjs-backend-wasm ${tensorflow} as it comes`, runs: timedSteps }, sequenceStepMs, stockStepMs)];
}

export async function rankingRows(): Promise<BenchRow[]> {
  const random = seededRandom(1, 'bench/suite ranking');
  const [rows, width, best] = [100_000, 64, 20];
  const table = Float32Array.from({ length: rows * width }, () => random.nextFloat() - 0.5);
  const query = table.slice(0, width);
  const kernel = createRowTable(table, width);
  const scores = Float32Array.from({ length: rows }, () => random.nextFloat());
  const { shelf } = await benchRanking(3);
  return [
    contest({
      measure: 'ranking', what: `the best ${best} of ${rows} scores`, reference: 'sorting them (TypedArray.sort)', runs: 31,
      ours: () => topK(scores, best),
      theirs: () => scores.slice().sort().subarray(-best),
    }),
    contest({
      measure: 'ranking', what: `the best ${best} of ${rows} rows of ${width} numbers`, reference: 'dot products in a plain loop', runs: 31,
      ours: () => kernel.topK(query, best),
      theirs: () => plainDots(table, query),
    }),
    milliseconds({ measure: 'ranking', what: `a storefront's shelf at ${shelf.items} items, with rules and diversity`, reference: 'scores of the same items and the best of them, alone', runs: shelf.runs }, shelf.p50Ms, shelf.bareMs),
  ];
}

function plainDots(table: Float32Array, query: Float32Array): Float32Array {
  const scores = new Float32Array(table.length / query.length);
  for (let row = 0; row < scores.length; row += 1) {
    let dot = 0;
    for (let at = 0; at < query.length; at += 1) dot += table[row * query.length + at] * query[at];
    scores[row] = dot;
  }
  return scores;
}

export async function roundsRows(): Promise<BenchRow[]> {
  const { updatesPerSecond, floorUpdatesPerSecond, exchangeUpdatesPerSecond, clients, length } = await benchRounds({ clients: 100, length: 1_000, idleConnections: 100 });
  const what = `reports of ${clients} shops, ${length} coordinates, over loopback with journal and release`;
  return [
    perSecond({ measure: 'rounds', what, reference: 'a bare ws server that sums the chunks', runs: roundTurns }, updatesPerSecond, floorUpdatesPerSecond),
    perSecond({ measure: 'rounds', what, reference: 'a bare ws server that says as much', runs: roundTurns }, updatesPerSecond, exchangeUpdatesPerSecond),
  ];
}

export async function releaseRows(): Promise<BenchRow[]> {
  const { notModifiedPerSecond, notModifiedFloorPerSecond, releasePerSecond, releaseFloorPerSecond, releaseBytes } = await benchHttp({ connections: 16, items: 1 << 20 });
  const about = { measure: 'releases', reference: 'a bare node:http server', runs: httpTurns };
  return [
    perSecond({ ...about, what: 'GET /v1/model, unchanged (304)' }, notModifiedPerSecond, notModifiedFloorPerSecond),
    perSecond({ ...about, what: `GET /v1/model, ${(releaseBytes / 1e6).toFixed(1)} MB` }, releasePerSecond, releaseFloorPerSecond),
  ];
}
