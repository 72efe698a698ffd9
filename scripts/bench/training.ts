/**
 * Speed of training and ranking: a step of SASRec with the project's kernels and without, in processes of their own that
 * take turns; one shopper's contribution to `als`; the best rows of a large table.
 */
import * as z from 'zod';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import { createRowTable } from '../../shared/kernels/row-table.ts';
import { seededRandom, uniformBelow, type SeededRandom } from '../../shared/numerics/random.ts';
import { createSparseVector } from '../../shared/numerics/sparse-vector.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { backendKinds, type BackendKind } from '../../shared/tensors/backend-kinds.ts';
import { openTensors } from '../../shared/tensors/runtime.ts';
import { scriptPath } from '../child-script.ts';
import { startChild, type Child } from './children.ts';
import { installedVersion, machine, type Machine } from './machine.ts';
import { median, medianOf } from './median.ts';
import { stepShape } from './training/shape.ts';

export interface TrainingBench {
  /** One step of SASRec on the backend in question with the project's kernels. */
  readonly sequenceStepMs: number;
  /** The same step on the WebAssembly backend as it comes. */
  readonly stockStepMs: number;
  readonly ratio: number;
  /** Processor time of both, which other work on the machine changes less. */
  readonly sequenceStepCpuMs: number;
  readonly stockStepCpuMs: number;
  readonly cpuRatio: number;
  /** One shopper of 50 items, 32 factors. */
  readonly alsContributionMs: number;
  /** The best 20 of 100,000 rows of 64 numbers. */
  readonly topKMs: number;
  readonly backend: BackendKind;
  /** Whether products of matrices run in the project's own kernels. */
  readonly simd: boolean;
  readonly step: typeof stepShape;
  readonly tensorflow: string;
  readonly machine: Machine;
}

const startedSchema = z.strictObject({ simd: z.boolean(), backend: z.enum(backendKinds) });
const stepsSchema = z.array(z.strictObject({ wallMs: z.number(), cpuMs: z.number() }));

/** @throws CestaError `backend.unavailable` */
export async function benchTraining({ backend }: { readonly backend?: BackendKind } = {}): Promise<TrainingBench> {
  const chosen = backend ?? (await openTensors({})).backend;
  return { ...(await benchSteps(chosen)), alsContributionMs: benchAls(), topKMs: benchTopK(), step: stepShape, tensorflow: installedVersion('@tensorflow/tfjs'), machine: machine() };
}

const [turns, stepsEach] = [5, 3];
/** Of each side. */
export const timedSteps = turns * stepsEach;

async function benchSteps(backend: BackendKind): Promise<Pick<TrainingBench, 'sequenceStepMs' | 'stockStepMs' | 'ratio' | 'sequenceStepCpuMs' | 'stockStepCpuMs' | 'cpuRatio' | 'backend' | 'simd'>> {
  const script = scriptPath('./training/step-process.ts', import.meta.url);
  const children: Child[] = [startChild(script), startChild(script)];
  try {
    const [own, stock] = children;
    const { simd } = await own.ask({ kind: 'start', backend, kernels: 'own' }, startedSchema);
    await stock.ask({ kind: 'start', backend: 'wasm', kernels: 'stock' }, startedSchema);
    const take = (child: Child): Promise<z.infer<typeof stepsSchema>> => child.ask({ kind: 'steps', count: stepsEach }, stepsSchema);
    const [ours, theirs]: z.infer<typeof stepsSchema>[] = [[], []];
    // The first turn of each warms up.
    for (let turn = 0; turn <= turns; turn += 1) {
      const taken = [await take(own), await take(stock)];
      if (turn > 0) [ours, theirs].forEach((all, at) => all.push(...taken[at]));
    }
    const [wall, stockWall] = [ours, theirs].map((steps) => medianOf(steps.map(({ wallMs }) => wallMs)));
    const [cpu, stockCpu] = [ours, theirs].map((steps) => medianOf(steps.map(({ cpuMs }) => cpuMs)));
    return { sequenceStepMs: wall, stockStepMs: stockWall, ratio: stockWall / wall, sequenceStepCpuMs: cpu, stockStepCpuMs: stockCpu, cpuRatio: stockCpu / cpu, backend, simd };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

const als = { items: 3_600, history: 50, factors: 32 };

function benchAls(): number {
  const random = seededRandom(1, 'als bench');
  const model = createModel('als', createCatalogue(Array.from({ length: als.items }, (_, at) => ({ id: `item-${at}`, title: `item ${at}` }))), { factors: als.factors });
  const params = model.initial();
  const history = historyOf(Array.from({ length: als.history }, (_, day) => ({ time: day * 86_400, items: [distinctItem(day, random)] })));
  const into = createSparseVector();
  return median(1_001, () => {
    into.clear();
    model.contribute(params, history, into);
  });
}

/** Another item for each day. */
function distinctItem(day: number, random: SeededRandom): number {
  const share = als.items / als.history;
  return day * share + uniformBelow(random, share);
}

const table = { rows: 100_000, width: 64, best: 20 };

function benchTopK(): number {
  const random = seededRandom(1, 'top-k bench');
  const draw = (): number => random.nextFloat() - 0.5;
  const rows = createRowTable(Float32Array.from({ length: table.rows * table.width }, draw), table.width);
  const query = Float32Array.from({ length: table.width }, draw);
  return median(101, () => rows.topK(query, table.best));
}
