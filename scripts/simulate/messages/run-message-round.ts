/**
 * A round in which every participant speaks the whole protocol: the code of participants and coordinator, from the handshake to the
 * last frame of the masked session, with frames in memory and time that is virtual. It takes the time of its computations and
 * the memory of all members at once: for what is about the protocol. Large cohorts are summed instead (`fidelity: sums`).
 *
 * The result is a function of the input alone: keys, masks and noise are streams of its seed, and whatever the machine does,
 * things happen in the order of virtual time.
 */
import { eventsOfRounds, type RoundsOfTask } from '../../../server/open-round-events.ts';
import { progressOf } from '../../../server/progress.ts';
import type { Sum } from '../../../server/releases.ts';
import { startRound, type RoundOutcome, type RoundRun } from '../../../server/rounds.ts';
import { createStragglers } from '../../../server/stragglers.ts';
import { defaultTiming } from '../../../server/task-timing.ts';
import { createStagingAreas } from '../../../server/uploads.ts';
import { noMeter, type Meter } from '../../../server/meter.ts';
import type { Round } from '../../../shared/federation/round.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { SecaggCrypto } from '../../../shared/secagg/crypto.ts';
import type { RoundTraffic, SimulatedOutcome, SimulatedRoundInput } from '../../../shared/simulation/round-outcome.ts';
import { createVirtualTime, type VirtualTime } from '../../../shared/simulation/virtual-time.ts';
import { simulatedKey, startMember, type SimulatedMember } from './member.ts';
import { openMemoryGateway, silentLogger, type MemoryGateway } from './memory-gateway.ts';
import { openMemoryRecords, type MemoryRecords } from './memory-records.ts';
import { fractionOf } from '../sums-runner.ts';
import { countRealWork, type RealWork } from './real-work.ts';
import { sharedCrypto } from './shared-crypto.ts';

/** Where there is time for a handshake, and for nothing else. */
const connectMs = 10_000;

interface House {
  readonly input: SimulatedRoundInput;
  readonly time: VirtualTime;
  readonly work: RealWork;
  readonly crypto: SecaggCrypto;
  readonly gateway: MemoryGateway;
  readonly records: MemoryRecords;
  readonly key: ReturnType<typeof simulatedKey>;
  readonly rounds: { -readonly [Field in keyof RoundsOfTask]: RoundsOfTask[Field] };
  readonly bytes: { up: number; down: number };
  openedMs: number;
}

/**
 * @throws CestaError `internal` when a member cannot connect, or nothing is left to wait for
 * @example
 * const outcome = await runMessageRound({ plan, model, base: { params: model.initial(), strategy: null }, members, historiesOf, seed: 1 });
 */
export async function runMessageRound(input: SimulatedRoundInput): Promise<SimulatedOutcome> {
  const house = await openHouse(input);
  const members = input.members.slice(0, input.plan.cohort.maxParticipants).map((member) => startMember({ ...house, coordinatorKey: house.key.publicKey, openSocket: house.gateway.openSocket, openedMs: () => house.openedMs }, member));
  await pass(house, () => members.every(({ isUp }) => isUp) || house.time.now() > connectMs);
  const away = members.find(({ isUp }) => !isUp);
  if (away !== undefined) throw new CestaError('internal', `members: expected ${away.name} to connect within ${connectMs} ms, got no connection`);
  house.bytes.up = house.bytes.down = 0;
  house.openedMs = house.time.now();
  const progress = { joined: 0, sum: null as Sum | null, outcome: null as RoundOutcome | null };
  house.rounds.run = open(house, members, progress);
  void house.rounds.run.ended.then((outcome) => void (progress.outcome = outcome));
  await pass(house, () => progress.outcome !== null);
  return outcomeOf(house, members, progress);
}

async function openHouse(input: SimulatedRoundInput): Promise<House> {
  const time = createVirtualTime();
  const work = countRealWork();
  const key = simulatedKey(input.seed, 'coordinator');
  const records = await openMemoryRecords(input.plan, key, time);
  const bytes = { up: 0, down: 0 };
  const meter: Meter = { ...noMeter, bytes: (_carrier, direction, count) => void (bytes[direction] += count) };
  const rounds: House['rounds'] = { run: null, last: null };
  const gateway: MemoryGateway = openMemoryGateway({
    task: input.plan.task, key, time, work, meter, pinNode: records.storage.pinNode,
    events: eventsOfRounds(rounds, { send: (participant, message) => gateway.send(participant, message) }, () => undefined),
  });
  return { input, time, work, crypto: sharedCrypto(), gateway, records, key, rounds, bytes, openedMs: 0 };
}

/** Lets time pass until something is so. */
async function pass({ time, work }: House, isSo: () => boolean): Promise<void> {
  for (await work.settled(); !isSo(); await work.settled()) {
    if (!time.step()) throw new CestaError('internal', 'round: expected something to wait for, got nothing');
  }
}

interface Progress {
  joined: number;
  sum: Sum | null;
}

function open({ input: { plan }, time, crypto, gateway, records: { storage, ledger }, key }: House, members: readonly SimulatedMember[], progress: Progress): RoundRun {
  const { stallMs, stageMs, acknowledgeMs } = defaultTiming;
  return startRound({
    clock: time, key, gateway, storage, ledger, stallMs, stageMs, acknowledgeMs, logger: silentLogger, areas: createStagingAreas(), crypto,
    stragglers: createStragglers({ maxStaleness: 0, gateway, logger: silentLogger, clock: time, onChange: () => undefined }),
    conclude(sum) {
      progress.sum = sum;
      // What the sum becomes is the simulation's affair.
      return Promise.resolve({ version: 1, sha256: '0'.repeat(64) });
    },
    onProgress: (round) => void (progress.joined = joinedOf(round) ?? progress.joined),
  }, plan, members.map(({ name }) => name));
}

/** Null once the round does not say any more. */
function joinedOf(round: Round): number | null {
  return round.phase === 'recruiting' || round.phase === 'training' || round.phase === 'masking' ? progressOf(round).members : null;
}

function outcomeOf(house: House, members: readonly SimulatedMember[], { joined, sum, outcome }: Progress & { readonly outcome: RoundOutcome | null }): SimulatedOutcome {
  const round = outcome?.round;
  const traffic = trafficOf(house, members, joined);
  if (round?.phase === 'failed') return { kind: 'failed', code: round.code, reason: reasonOf(round.reason, members), traffic };
  if (round?.phase !== 'done' || sum === null) throw new CestaError('internal', `round: expected a sum, got none in ${round?.phase ?? 'no phase'}`);
  const names = new Set(round.reported);
  const inSum = members.filter(({ name }) => names.has(name));
  const made = inSum.flatMap(({ member, made: of }) => (of === null ? [] : [{ index: member.index, ...of }]));
  return {
    kind: 'summed',
    aggregate: sum.aggregate,
    reported: inSum.map(({ member }) => member.index),
    owns: new Map(made.flatMap(({ index, own }) => (own === null ? [] : [[index, own]]))),
    traffic: { ...traffic, late: late(members, names), clipFraction: fractionOf(made) },
  };
}

/** A plan that participants refuse leaves a coordinator with too few, and with reasons in its log. */
function reasonOf(reason: string, members: readonly SimulatedMember[]): string {
  const declined = members.find(({ refusal }) => refusal !== null);
  return declined === undefined ? reason : `${reason}; ${declined.name} declined with ${declined.refusal}`;
}

function trafficOf({ time, openedMs, bytes }: House, members: readonly SimulatedMember[], joined: number): RoundTraffic {
  const left = members.filter(({ stage }) => stage === 'left').length;
  return { virtualMs: time.now() - openedMs, invited: members.length, joined, left, late: late(members, null), bytesUp: bytes.up, bytesDown: bytes.down, clipFraction: null };
}

/** Told to train, neither gone nor in the sum; where there is no sum, those whose report was not made. */
function late(members: readonly SimulatedMember[], inSum: ReadonlySet<string> | null): number {
  return members.filter(({ name, stage }) => stage === 'training' || (inSum !== null && stage === 'made' && !inSum.has(name))).length;
}
