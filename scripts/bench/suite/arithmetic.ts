/** What the coordinator and the participants compute: adding up, wire formats, masks, noise, accountant. */
import * as nodeCrypto from 'node:crypto';
import { createAccumulator } from '../../../shared/federation/accumulator.ts';
import { gaussianEpsilon } from '../../../shared/privacy/accounting/gaussian.ts';
import { secureRandom } from '../../../shared/numerics/random.ts';
import { chunkBytes, decodeChunk, encodeChunk, parseClientMessage } from '../../../shared/protocol/messages.ts';
import { decodeTensors, encodeTensors } from '../../../shared/protocol/tensors.ts';
import { benchAccountant } from '../accountant.ts';
import { reportPlan } from '../aggregation.ts';
import { median, processorMs, quantiles } from '../median.ts';
import { benchNoise, noiseSamples } from '../noise.ts';
import { randomWords } from '../random-words.ts';
import { benchSecagg } from '../secagg.ts';
import { contest, milliseconds, type BenchRow } from './contest.ts';

/** Of what is not timed in turns. */
const runs = 7;

export function aggregationRows(): BenchRow[] {
  const length = 1_000_000;
  const reports = Array.from({ length: 4 }, () => randomWords(length));
  const accumulator = createAccumulator(reportPlan({ participants: 100, length }));
  const sum = new Int32Array(length);
  return [contest({
    measure: 'aggregation', what: `adding a report of ${length} coordinates to the sum`, reference: 'a bare loop over two Int32Arrays', runs: 31,
    ours: (turn) => accumulator.add(reports[turn % reports.length]),
    theirs: (turn) => addPlainly(sum, reports[turn % reports.length]),
  })];
}

function addPlainly(sum: Int32Array, report: Int32Array): void {
  for (let at = 0; at < report.length; at += 1) sum[at] += report[at];
}

export function wireRows(): BenchRow[] {
  const data = new Float32Array(randomWords(1_000_000).buffer);
  const chunk = { round: 'main-1', seq: 7, offset: 0, data: randomWords(chunkBytes / 4) };
  const message = JSON.stringify({ type: 'report', seq: 3, round: 'main-1', planHash: 'ab'.repeat(32), length: 55_875, sha256: 'cd'.repeat(32) });
  return [
    contest({
      measure: 'wire', what: 'a tensor file of 4 MB, written and read', reference: 'copying the bytes twice', runs: 31,
      ours: () => decodeTensors(encodeTensors({ values: { shape: [data.length], data } })),
      theirs: () => data.slice().slice(),
    }),
    contest({
      measure: 'wire', what: 'a chunk frame of 64 KiB, written and read', reference: 'copying the bytes once', runs: 1_001,
      ours: () => decodeChunk(encodeChunk(chunk)),
      theirs: () => chunk.data.slice(),
    }),
    contest({ measure: 'wire', what: 'a control message, parsed and checked', reference: 'JSON.parse', runs: 5_001, ours: () => parseClientMessage(message), theirs: () => JSON.parse(message) as unknown }),
  ];
}

/** The floor of a participant: the key stream of its masks, one for each other member and one of its own, by OpenSSL. Both in processor time. */
export async function secaggRows(): Promise<BenchRow[]> {
  const [participants, length] = [50, 55_875];
  const zeros = new Uint8Array(4 * length);
  const masks = (): void => {
    for (let mask = 0; mask < participants; mask += 1) nodeCrypto.createCipheriv('aes-256-ctr', Buffer.alloc(32, mask), Buffer.alloc(16)).update(zeros);
  };
  const maskMs = (): number => quantiles(runs, [0.5], masks, processorMs)[0];
  const before = maskMs();
  const { clientCpuMs } = await benchSecagg({ participants, length, dropout: 0 });
  return [milliseconds({ measure: 'secure aggregation', what: `a participant of ${participants}, ${length} coordinates, all messages`, reference: 'AES-256-CTR of its masks alone', runs }, clientCpuMs, (before + maskMs()) / 2)];
}

/** The floor of a sampler: the random bytes that it starts from, two words a sample. */
export function noiseRows(): BenchRow[] {
  const random = secureRandom((bytes) => void nodeCrypto.randomFillSync(bytes));
  const words = (): void => {
    for (let word = 0; word < 2 * noiseSamples; word += 1) random.nextUint32();
  };
  const before = median(runs, words);
  const { fastMs, strictMs } = benchNoise(runs);
  const floorMs = (before + median(runs, words)) / 2;
  return ([['exact', strictMs], ['of simulations', fastMs]] as const).map(([kind, ms]) =>
    milliseconds({ measure: 'noise', what: `${noiseSamples} Skellam samples, ${kind}`, reference: 'two words of the system\'s generator a sample', runs }, ms, floorMs));
}

/** No library for it is at hand: the floor is the one epsilon that has a closed curve, of a single Gaussian release. */
export function accountantRows(): BenchRow[] {
  const floorMs = median(101, () => gaussianEpsilon({ sigma: 4, delta: 1e-12 }));
  const { rdpMs, tightMs } = benchAccountant(runs);
  return ([['by Renyi orders', rdpMs], ['tight', tightMs]] as const).map(([kind, ms]) =>
    milliseconds({ measure: 'accountant', what: `epsilon of 1,000,000 sampled rounds, ${kind}`, reference: 'epsilon of one Gaussian release, closed form', runs }, ms, floorMs));
}
