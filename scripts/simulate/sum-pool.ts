/** Who adds up contributions: this thread, or several. The total is an integer sum modulo 2^32, so it is the same whoever adds. */
import { Worker } from 'node:worker_threads';
import * as z from 'zod';
import type { Catalogue } from '../../shared/commerce/catalogue.ts';
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import { sumMembers, type Contributor, type MemberSum, type SumTerms } from '../../shared/evaluation/member-sums.ts';
import type { Clipped } from '../../shared/privacy/vectors.ts';
import { emptySum } from '../../shared/privacy/clip.ts';
import { isErrorCode, type ErrorCode } from '../../shared/protocol/error-table.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { NamedTensors } from '../../shared/protocol/tensors.ts';
import { addWords } from '../../shared/secagg/ring.ts';
import type { Job, LoadedHistories } from './sum-worker.ts';

export interface SumPool {
  sum(terms: SumTerms, members: readonly Contributor[]): Promise<MemberSum>;
  close(): Promise<void>;
}

/** For fewer contributors threads cost more than they save. */
const fewestForThreads = 256;

/**
 * @param workers threads beside this one; 0: this one alone
 * @param expected contributors of a round, or as many as make as much work: where they are worth threads, these start at once, while rounds are planned
 */
export function createSumPool(catalogue: Catalogue, workers: number, expected: number): SumPool {
  const here: SumPool = { sum: (terms, members) => Promise.resolve(sumMembers(terms, members)), close: () => Promise.resolve() };
  return workers === 0 || expected < fewestForThreads ? here : startThreads(catalogue, workers);
}

const replySchema = z.union([
  z.strictObject({ sum: z.instanceof(Int32Array), contributions: z.number(), shortened: z.number() }),
  z.strictObject({ failure: z.strictObject({ code: z.custom<ErrorCode>(isErrorCode), message: z.string() }) }),
]);

function startThreads(catalogue: Catalogue, count: number): SumPool {
  const threads = Array.from({ length: count }, () => startThread(catalogue));
  const known = new Map<ShopperHistory, number>();
  const load = (members: readonly Contributor[]): void => {
    const fresh: ShopperHistory[] = [];
    for (const { histories } of members) {
      for (const history of histories) {
        if (known.has(history)) continue;
        known.set(history, known.size);
        fresh.push(history);
      }
    }
    if (fresh.length === 0) return;
    const histories = packed(fresh);
    for (const { worker } of threads) worker.postMessage({ histories });
  };
  return {
    async sum({ plan, model, base, seed }, members) {
      load(members);
      const params = shared(model.encode(base.params));
      // This thread would only wait: it takes a part, too, once the others are at work.
      const parts = evenParts(members, count + 1);
      const asked = Promise.all(threads.map((thread, place) => ask(thread, { plan, model: { kind: model.kind, hyperParameters: model.hyperParameters }, params, seed, ...flattened(parts[place], known) })));
      // Should this thread fail first, nobody asks what became of the others.
      asked.catch(() => undefined);
      const own = sumMembers({ plan, model, base, seed }, parts[count]);
      const sums = [own, ...(await asked)];
      const total = emptySum(plan.statisticLength);
      for (const { sum } of sums) addWords(total, sum, 1);
      return { sum: total, contributions: added(sums.map(({ contributions }) => contributions)), shortened: added(sums.map(({ shortened }) => shortened)) };
    },
    close: async () => void (await Promise.all(threads.map(({ worker }) => worker.terminate()))),
  };
}

/** Neighbours in the list, as many histories in each part as whole participants allow: one shop may have more than all others. */
function evenParts(members: readonly Contributor[], count: number): Contributor[][] {
  const parts = Array.from({ length: count }, (): Contributor[] => []);
  const total = members.reduce((sum, { histories }) => sum + histories.length, 0);
  let before = 0;
  for (const member of members) {
    // Where the middle of its histories is; those of nobody at all are anywhere.
    const middle = before + member.histories.length / 2;
    parts[Math.min(count - 1, Math.floor((count * middle) / Math.max(1, total)))].push(member);
    before += member.histories.length;
  }
  return parts;
}

/** Of a checkout the source: a thread does not inherit what runs TypeScript in this one. */
function workerScript(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./sum-worker.js', import.meta.url);
  const source = new URL('./sum-worker.ts', import.meta.url);
  const code = `import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))}; register(); await import(${JSON.stringify(source.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

interface Thread {
  readonly worker: Worker;
  /** Rejects when the thread is at its end, whether or not it was asked anything then. */
  readonly ended: Promise<never>;
}

function startThread({ products }: Catalogue): Thread {
  const worker = new Worker(workerScript(), { workerData: { products } });
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (cause: unknown): void => reject(new CestaError('internal', `simulate: expected a sum from a thread, got its end: ${cause instanceof Error ? cause.message : 'it has exited'}`, { cause }));
    worker.on('error', end).on('exit', end);
  });
  // Told to whoever asks next; at the end of a simulation nobody does.
  ended.catch(() => undefined);
  return { worker, ended };
}

async function ask({ worker, ended }: Thread, job: Job): Promise<MemberSum> {
  const replied = new Promise<unknown>((resolve) => void worker.once('message', resolve));
  worker.postMessage({ job });
  const parsed = replySchema.parse(await Promise.race([ended, replied]));
  if ('failure' in parsed) throw new CestaError(parsed.failure.code, parsed.failure.message);
  return { ...parsed, sum: parsed.sum as Clipped };
}

/** Whose histories, one participant after the other. */
function flattened(members: readonly Contributor[], known: ReadonlyMap<ShopperHistory, number>): Pick<Job, 'members' | 'starts' | 'histories'> {
  const starts = new Int32Array(members.length + 1);
  members.forEach(({ histories }, place) => (starts[place + 1] = starts[place] + histories.length));
  const histories = new Int32Array(starts[members.length]);
  members.forEach((member, place) => member.histories.forEach((history, offset) => (histories[starts[place] + offset] = known.get(history) ?? 0)));
  return { members: Int32Array.from(members, ({ index }) => index), starts, histories };
}

/** All histories behind one another in memory that threads share. */
function packed(histories: readonly ShopperHistory[]): LoadedHistories {
  const itemStarts = sharedInts(histories.length + 1);
  const visitStarts = sharedInts(histories.length + 1);
  histories.forEach((history, place) => {
    itemStarts[place + 1] = itemStarts[place] + history.items.length;
    visitStarts[place + 1] = visitStarts[place] + history.visitTimes.length;
  });
  const items = sharedInts(itemStarts[histories.length]);
  const visits = sharedInts(visitStarts[histories.length]);
  const times = new Float64Array(new SharedArrayBuffer(8 * visits.length));
  histories.forEach((history, place) => {
    items.set(history.items, itemStarts[place]);
    visits.set(history.visitStarts, visitStarts[place]);
    times.set(history.visitTimes, visitStarts[place]);
  });
  return { itemStarts, visitStarts, items, visits, times };
}

function sharedInts(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * length));
}

/** The parameters that a round starts from, item factors among them: once in memory, whatever the number of threads. */
function shared(tensors: NamedTensors): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, { shape, data }]) => {
    const bytes = new Uint8Array(new SharedArrayBuffer(data.byteLength));
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    const view = data.constructor as new (buffer: ArrayBufferLike) => typeof data;
    return [name, { shape, data: new view(bytes.buffer) }];
  }));
}

function added(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0);
}
