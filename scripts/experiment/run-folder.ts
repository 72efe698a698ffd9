/**
 * The folder of one run. While it goes on: `config.json`, `rounds.jsonl`, `timings.jsonl` and `checkpoint.bin`; once it is finished,
 * `result.json` with the digests of everything else, written last and as a whole. Nothing but the timings depends on the machine.
 */
import { appendFileSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { writeDurably } from '../../client/shop/durable-file.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { decodeTensors, encodeTensors, type TensorData } from '../../shared/protocol/tensors.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';
import { metricsSchema } from '../simulate/records.ts';
import type { Checkpoint, RoundRecord, SimulationResult, TestValues } from '../simulate/simulation.ts';
import { sha256 } from './hashes.ts';
import type { Run } from './result.ts';
import { parseRecord } from './round-record.ts';

/** One scenario, before it has run. */
export interface PlannedRun {
  readonly id: string;
  /** Of its cell or baseline, with the seed. */
  readonly label: string;
  readonly scenario: Scenario;
  readonly codeHash: string;
  readonly dataHash: string;
  /** Where everything about it is written. */
  readonly folder: string;
}

/** Where a run goes on: from its start, or after the last round that a checkpoint was kept of. */
export interface RunStart {
  /** Of the rounds before. */
  readonly records: readonly RoundRecord[];
  readonly checkpoint: Checkpoint | undefined;
}

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const resultSchema = z.strictObject({
  id: digest,
  metrics: metricsSchema,
  epsilon: z.number().nullable(),
  delta: z.number().nullable(),
  rounds: z.number().int(),
  /** SHA-256 by name of the file. */
  files: z.strictObject({ 'rounds.jsonl': digest, 'tests.bin': digest, 'model.bin': digest.optional() }),
});
type ResultFile = z.output<typeof resultSchema>;

/** The result of a finished run; null while there is none, or where a file of it is damaged. */
export function readFinished({ id, scenario, dataHash, folder }: PlannedRun): Run | null {
  const result = readResult(folder, id);
  if (result === null) return null;
  const records = readRecords(folder);
  const { metrics, epsilon, delta, files } = result;
  const { noiseCohort } = scenario.privacy;
  return {
    ...(noiseCohort === undefined ? {} : { noiseCohort }),
    id, scenario, dataHash, metrics, epsilon, delta,
    rounds: records,
    tests: decodeTests(readFileSync(join(folder, 'tests.bin'))),
    // Read when somebody asks for it: a sweep of large models would not fit into memory.
    get model() {
      return files['model.bin'] === undefined ? null : new Uint8Array(readFileSync(join(folder, 'model.bin')));
    },
  };
}

function readResult(folder: string, id: string): ResultFile | null {
  try {
    const result = resultSchema.parse(JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')));
    const isWhole = Object.entries(result.files).every(([name, expected]) => sha256(readFileSync(join(folder, name))) === expected);
    return isWhole && result.id === id ? result : null;
  } catch {
    // Missing, cut short or of another version: the run is not finished.
    return null;
  }
}

/** What a process that was killed between two steps may have left. */
export function removeLeftovers(folder: string): void {
  for (const name of ['checkpoint.bin', 'checkpoint.bin.new', 'config.json.new', 'rounds.jsonl.new', 'timings.jsonl.new', 'tests.bin.new', 'model.bin.new', 'result.json.new']) rmSync(join(folder, name), { force: true });
}

/**
 * Makes the folder ready: what was written after the last checkpoint is cut off, and without one everything is.
 * @param resume false: begins anew
 */
export function openRun(run: PlannedRun, versions: Readonly<Record<string, string>>, resume = true): RunStart {
  const { folder, id, scenario, codeHash, dataHash } = run;
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'result.json'), { force: true });
  const start = (resume ? readStart(folder) : null) ?? { records: [], checkpoint: undefined };
  if (start.checkpoint === undefined) removeLeftovers(folder);
  cut(folder, 'rounds.jsonl', start.records.length);
  cut(folder, 'timings.jsonl', start.records.length);
  writeDurably(join(folder, 'config.json'), folder, `${canonicalJson({ id, scenario, code: codeHash, data: dataHash, versions })}\n`);
  return start;
}

/** Rounds that an interrupted run has kept; null where there is nothing to go on with. */
export function readStart(folder: string): RunStart | null {
  try {
    const { tensors, metadata } = decodeTensors(readFileSync(join(folder, 'checkpoint.bin')));
    const round = Number(metadata['round']);
    const bytes = tensors['state'].data as Uint8Array;
    const records = readRecords(folder, round);
    return records.length === round && sha256(bytes) === metadata['sha256'] ? { records, checkpoint: { round, bytes } } : null;
  } catch {
    // No checkpoint, or one that is damaged: the run begins anew.
    return null;
  }
}

/** @param wallMs of the round, kept apart: it differs each time */
export function appendRound(folder: string, record: RoundRecord, wallMs: number): void {
  appendFileSync(join(folder, 'rounds.jsonl'), `${JSON.stringify(record)}\n`);
  appendFileSync(join(folder, 'timings.jsonl'), `${JSON.stringify({ round: record.round, ms: Math.round(wallMs * 10) / 10 })}\n`);
}

export function saveCheckpoint(folder: string, { round, bytes }: Checkpoint): void {
  // A checkpoint counts on the lines of its rounds: they have to be on disk first.
  sync(join(folder, 'rounds.jsonl'));
  writeDurably(join(folder, 'checkpoint.bin'), folder, encodeTensors({ state: { shape: [bytes.length], data: bytes } }, { round: String(round), sha256: sha256(bytes) }));
}

export function finishRun({ folder, id }: PlannedRun, { metrics, epsilon, delta, tests, model }: SimulationResult): void {
  const write = (name: string, content: string | Uint8Array): void => writeDurably(join(folder, name), folder, content);
  sync(join(folder, 'rounds.jsonl'));
  write('tests.bin', encodeTests(tests));
  if (model !== null) write('model.bin', model);
  const digestOf = (name: string): string => sha256(readFileSync(join(folder, name)));
  const files = { 'rounds.jsonl': digestOf('rounds.jsonl'), 'tests.bin': digestOf('tests.bin'), ...(model === null ? {} : { 'model.bin': digestOf('model.bin') }) };
  const result: ResultFile = { id, metrics, epsilon, delta, rounds: readRecords(folder).length, files };
  write('result.json', `${canonicalJson(result)}\n`);
  removeLeftovers(folder);
}

function readRecords(folder: string, most = Infinity): readonly RoundRecord[] {
  return wholeLines(folder, 'rounds.jsonl').slice(0, most).map((line) => parseRecord(JSON.parse(line)));
}

/** Without what a killed process had begun to write. */
function wholeLines(folder: string, name: string): readonly string[] {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}

function cut(folder: string, name: string, lines: number): void {
  writeDurably(join(folder, name), folder, wholeLines(folder, name).slice(0, lines).map((line) => `${line}\n`).join(''));
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function encodeTests({ ndcg10, recall10, shops }: TestValues): Uint8Array {
  const vector = (data: TensorData): { shape: number[]; data: TensorData } => ({ shape: [data.length], data });
  return encodeTensors({ ndcg10: vector(ndcg10), recall10: vector(recall10), shops: vector(shops) });
}

function decodeTests(bytes: Uint8Array): TestValues {
  const { tensors: { ndcg10, recall10, shops } } = decodeTensors(bytes);
  return { ndcg10: ndcg10.data as Float64Array, recall10: recall10.data as Float64Array, shops: shops.data as Int32Array };
}
