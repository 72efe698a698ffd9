/**
 * What a masked round costs in processor time: real machines of both sides in one process, each step counted to the
 * side that took it. Vectors are random, and the sum is compared with the one computed in the clear.
 */
import { signingKey, type SigningKey } from '../../shared/ledger/signing-key.ts';
import { systemRandom } from '../../client/secure-random.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { aggregatorStep, openAggregator } from '../../shared/secagg/aggregator.ts';
import type { AggregatorContext, AggregatorEvent, AggregatorState } from '../../shared/secagg/aggregator-state.ts';
import { randomBytes } from '../../shared/secagg/bytes.ts';
import { protocolName } from '../../shared/secagg/labels.ts';
import { idleParticipant, participantStep } from '../../shared/secagg/participant.ts';
import type { ParticipantContext, ParticipantEvent, ParticipantState } from '../../shared/secagg/participant-state.ts';
import { parseTerms } from '../../shared/secagg/terms.ts';
import * as crypto from 'node:crypto';
import { nodeCrypto } from '../../shared/secagg/node-crypto.ts';
import { encodeMessage } from '../../shared/secagg/wire.ts';
import { medianOf } from './median.ts';
import { randomWords } from './random-words.ts';

export interface SecaggBench {
  readonly participants: number;
  readonly length: number;
  readonly dropouts: number;
  /** Processor time of the median participant, and of the aggregator, milliseconds. */
  readonly clientCpuMs: number;
  readonly aggregatorCpuMs: number;
  /** All that the median participant sends. */
  readonly uploadBytes: number;
  /** Over 4 bytes a coordinate. */
  readonly uploadRatio: number;
  readonly exact: boolean;
  readonly peakRssMb: number;
}

interface Member {
  readonly context: ParticipantContext;
  readonly leaves: boolean;
  state: ParticipantState;
  cpuMs: number;
  sentBytes: number;
}

interface Bench {
  readonly members: ReadonlyMap<string, Member>;
  readonly aggregator: { readonly context: AggregatorContext; state: AggregatorState; cpuMs: number };
  readonly length: number;
  readonly expected: Int32Array;
  readonly toAggregator: AggregatorEvent[];
  readonly toMembers: { readonly id: string; readonly event: ParticipantEvent }[];
  peakRss: number;
}

/**
 * @param dropout share of participants that leave before their vector: the case that costs the aggregator most
 * @throws CestaError `config.invalid` for a round that cannot end
 */
export async function benchSecagg({ participants, length, dropout }: { participants: number; length: number; dropout: number }): Promise<SecaggBench> {
  const dropouts = Math.floor(participants * dropout);
  if (participants - dropouts <= Math.floor((2 * participants) / 3)) throw new CestaError('config.invalid', `dropout: expected less than a third of the participants, got ${dropouts} of ${participants}`);
  const bench = openBench({ participants, length, dropouts });
  await feed(bench, { kind: 'start', invited: [...bench.members.keys()] });
  for (const id of bench.members.keys()) await tell(bench, id, { kind: 'start' });
  for (let stage = 0; stage < 6 && bench.aggregator.state.kind !== 'done'; stage += 1) {
    await settle(bench);
    if (bench.aggregator.state.kind === 'masked') await feed(bench, { kind: 'deadline' });
  }
  await settle(bench);
  const { state } = bench.aggregator;
  if (state.kind !== 'done') throw new CestaError('internal', `masked round: expected a sum, got ${state.kind === 'failed' ? state.message : state.kind}`);
  const stayed = [...bench.members.values()].filter(({ leaves }) => !leaves);
  const uploadBytes = medianOf(stayed.map(({ sentBytes }) => sentBytes));
  return {
    participants, length, dropouts,
    clientCpuMs: medianOf(stayed.map(({ cpuMs }) => cpuMs)),
    aggregatorCpuMs: bench.aggregator.cpuMs,
    uploadBytes,
    uploadRatio: uploadBytes / (4 * length),
    exact: state.result.sum.every((value, i) => value === bench.expected[i]),
    peakRssMb: bench.peakRss / 2 ** 20,
  };
}

function openBench({ participants, length, dropouts }: { participants: number; length: number; dropouts: number }): Bench {
  const random = systemRandom();
  const keyOf = (): SigningKey => signingKey(randomBytes(random, 32));
  const coordinator = keyOf();
  const keys = new Map(Array.from({ length: participants }, (_, i) => [`shop-${String(i).padStart(5, '0')}`, keyOf()]));
  const directory = new Map([...keys].map(([id, { publicKey }]) => [id, publicKey]));
  const terms = parseTerms({
    protocol: protocolName, round: 'bench-1', planHash: '0'.repeat(64), modelHash: '1'.repeat(64), coordinatorKey: coordinator.publicKey,
    length, modulusBits: 32, minParticipants: 4, graph: { kind: 'complete' }, noise: null,
  });
  const primitives = nodeCrypto(crypto);
  const members = [...keys].map(([id, identity], index): [string, Member] =>
    [id, { context: { terms, id, identity, directory, crypto: primitives, random }, leaves: index < dropouts, state: idleParticipant, cpuMs: 0, sentBytes: 0 }]);
  return {
    members: new Map(members),
    aggregator: { context: { terms, directory, identity: coordinator, crypto: primitives }, state: openAggregator, cpuMs: 0 },
    length, expected: new Int32Array(length), toAggregator: [], toMembers: [], peakRss: process.memoryUsage.rss(),
  };
}

/** Processor time of this process while `work` runs: nothing else runs meanwhile. */
async function cpuOf<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return [result, (user + system) / 1000];
}

async function tell(bench: Bench, id: string, event: ParticipantEvent): Promise<void> {
  const member = bench.members.get(id);
  if (member === undefined) return;
  const [[state, effects], cpuMs] = await cpuOf(() => participantStep(member.context, member.state, event));
  member.state = state;
  member.cpuMs += cpuMs;
  for (const effect of effects) {
    if (effect.kind === 'report-wanted' && !member.leaves) await tell(bench, id, { kind: 'report', vector: reportFor(bench) });
    if (effect.kind !== 'send') continue;
    member.sentBytes += encodeMessage(effect.message).length;
    bench.toAggregator.push({ kind: 'message', from: id, message: effect.message });
    // A vector is taken in at once: nobody keeps many of them.
    if (effect.message.kind === 'masked') await drainAggregator(bench);
  }
}

function reportFor({ length, expected }: Bench): Int32Array {
  const report = randomWords(length);
  for (let i = 0; i < length; i += 1) expected[i] += report[i];
  return report;
}

async function feed(bench: Bench, event: AggregatorEvent): Promise<void> {
  const { aggregator } = bench;
  const [[state, effects], cpuMs] = await cpuOf(() => aggregatorStep(aggregator.context, aggregator.state, event));
  aggregator.state = state;
  aggregator.cpuMs += cpuMs;
  bench.peakRss = Math.max(bench.peakRss, process.memoryUsage.rss());
  for (const effect of effects) if (effect.kind === 'send') bench.toMembers.push({ id: effect.to, event: { kind: 'message', message: effect.message } });
}

async function drainAggregator(bench: Bench): Promise<void> {
  for (let event = bench.toAggregator.shift(); event !== undefined; event = bench.toAggregator.shift()) await feed(bench, event);
}

async function settle(bench: Bench): Promise<void> {
  await drainAggregator(bench);
  for (let next = bench.toMembers.shift(); next !== undefined; next = bench.toMembers.shift()) {
    await tell(bench, next.id, next.event);
    await drainAggregator(bench);
  }
}
