/** A thread that adds up contributions: the sum is integers, so it does not matter which thread has which participants. */
import { parentPort, workerData } from 'node:worker_threads';
import { createCatalogue, type Product } from '../../shared/commerce/catalogue.ts';
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import { sumMembers, type Contributor, type MemberSum } from '../../shared/evaluation/member-sums.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import type { StageModel } from '../../shared/federation/stages.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import type { NamedTensors } from '../../shared/protocol/tensors.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { loadModel } from '../../shared/recommender/load-model.ts';

/** Histories behind one another; all of it shared memory. Starts have one entry more than there are histories. */
export interface LoadedHistories {
  readonly itemStarts: Int32Array;
  readonly visitStarts: Int32Array;
  readonly items: Int32Array;
  /** Where each visit starts among the items of its history. */
  readonly visits: Int32Array;
  readonly times: Float64Array;
}

export interface Job {
  readonly plan: Plan;
  readonly model: StageModel;
  readonly params: NamedTensors;
  readonly seed: number;
  readonly members: Int32Array;
  /** Where each member's histories start; one entry more than members. */
  readonly starts: Int32Array;
  /** In the order in which histories were loaded. */
  readonly histories: Int32Array;
}

/** From the thread that started this one, and from nobody else. */
type Message = { readonly histories: LoadedHistories } | { readonly job: Job };

const catalogue = createCatalogue((workerData as { readonly products: readonly Product[] }).products);
const loaded: ShopperHistory[] = [];
let lastModel: { readonly name: string; readonly model: AnyFederatedModel } | null = null;

parentPort?.on('message', (message: Message) => {
  if ('histories' in message) return load(message.histories);
  perform(message.job).then(
    ({ sum, contributions, shortened }) => parentPort?.postMessage({ sum, contributions, shortened }, [sum.buffer as ArrayBuffer]),
    // An error loses its class, and with it its code, on the way.
    (thrown: unknown) => {
      const { code, message } = toCestaError(thrown);
      parentPort?.postMessage({ failure: { code, message } });
    },
  );
});

function load({ itemStarts, visitStarts, items, visits, times }: LoadedHistories): void {
  for (let place = 0; place + 1 < itemStarts.length; place += 1) {
    const [from, to] = [visitStarts[place], visitStarts[place + 1]];
    loaded.push({ items: items.subarray(itemStarts[place], itemStarts[place + 1]), visitStarts: visits.subarray(from, to), visitTimes: times.subarray(from, to) });
  }
}

async function perform({ plan, model: { kind, hyperParameters }, params, seed, members, starts, histories }: Job): Promise<MemberSum> {
  const name = canonicalJson({ kind, hyperParameters });
  if (lastModel?.name !== name) lastModel = { name, model: (await loadModel(kind))(catalogue, hyperParameters) };
  const { model } = lastModel;
  return sumMembers({ plan, model, base: { params: model.decode(params), strategy: null }, seed }, contributors({ members, starts, histories }));
}

function* contributors({ members, starts, histories }: Pick<Job, 'members' | 'starts' | 'histories'>): Generator<Contributor> {
  for (let place = 0; place < members.length; place += 1) {
    yield { index: members[place], histories: Array.from(histories.subarray(starts[place], starts[place + 1]), (history) => loaded[history]) };
  }
}
