/** A process that trains a sequence model on random histories, with the kernels or without, and says how long each step took. */
import * as z from 'zod';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import { historyOf, type ShopperHistory } from '../../../shared/commerce/history.ts';
import { seededRandom, uniformBelow } from '../../../shared/numerics/random.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';
import { createModel } from '../../../shared/recommender/registry.ts';
import { backendKinds, type BackendKind } from '../../../shared/tensors/backend-kinds.ts';
import { configureTensors, loadTensors, type TensorRuntime } from '../../../shared/tensors/runtime.ts';
import { answer } from '../children.ts';
import { stepShape } from './shape.ts';

const commandSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start'), backend: z.enum(backendKinds), kernels: z.enum(['own', 'stock']) }),
  z.strictObject({ kind: z.literal('steps'), count: z.number().int().positive() }),
]);

const random = seededRandom(1, 'training bench');
let model: AnyFederatedModel | null = null;
const histories = Array.from({ length: stepShape.batch }, randomHistory);

/** One item a visit, one more than there are positions: one full window. */
function randomHistory(): ShopperHistory {
  return historyOf(Array.from({ length: stepShape.positions + 1 }, (_, day) => ({ time: day * 86_400, items: [uniformBelow(random, stepShape.items)] })));
}

async function start(backend: BackendKind, kernels: 'own' | 'stock'): Promise<Pick<TensorRuntime, 'backend' | 'simd'>> {
  configureTensors({ backend, kernels });
  const { simd } = await loadTensors();
  const { batch, positions, width, blocks, negatives } = stepShape;
  const products = Array.from({ length: stepShape.items }, (_, at) => ({ id: `item-${at}`, title: `item ${at}` }));
  model = createModel('sequence', createCatalogue(products), { architecture: 'sasrec', batch, positions, width, blocks, negatives });
  await model.prepare?.();
  return { backend, simd };
}

interface Moment {
  readonly wallMs: number;
  readonly cpuMs: number;
}

function moment(): Moment {
  const { user, system } = process.cpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1_000 };
}

/** What each of `count` steps took: from one turn that it gives to others to the next. */
async function steps(count: number): Promise<Moment[]> {
  const moments: Moment[] = [];
  await model?.local?.train(model.initial(), histories, { random, proximal: 0, correction: null, steps: count + 1, pause: () => Promise.resolve(void moments.push(moment())) });
  return moments.slice(1).map(({ wallMs, cpuMs }, at) => ({ wallMs: wallMs - moments[at].wallMs, cpuMs: cpuMs - moments[at].cpuMs }));
}

answer(commandSchema, (command) => (command.kind === 'start' ? start(command.backend, command.kernels) : steps(command.count)));
