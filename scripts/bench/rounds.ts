/**
 * Rounds of a real coordinator over loopback, beside two floors of the same run: a bare server that sums the same chunks,
 * and one that exchanges the messages of a round as well. Coordinator, floors and clients have a process each; rounds
 * follow each other without a pause, and turns alternate, so that a busy machine slows all.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { scriptPath } from '../child-script.ts';
import { startChild, usageSchema, type Child } from './children.ts';
import { machine, type Machine } from './machine.ts';
import { medianOf } from './median.ts';

export interface RoundsOptions {
  readonly clients: number;
  /** Coordinates of a report. */
  readonly length: number;
  /** Connections whose memory is measured. */
  readonly idleConnections: number;
  /** Where the journal of the coordinator is: a folder in memory would have no disk to wait for. */
  readonly folder?: string | undefined;
}

export interface RoundsBench {
  readonly clients: number;
  readonly length: number;
  /** Accepted reports over whole rounds: from invitation to invitation. */
  readonly updatesPerSecond: number;
  /** Processor time of the coordinator, everything a round costs included. */
  readonly serverCpuMsPerUpdate: number;
  /** Reports that the bare server sums and acknowledges. */
  readonly floorUpdatesPerSecond: number;
  readonly floorCpuMsPerUpdate: number;
  readonly ratioToFloor: number;
  /** Reports of rounds with a bare server that says what a coordinator says, and checks, signs and keeps nothing. */
  readonly exchangeUpdatesPerSecond: number;
  readonly exchangeCpuMsPerUpdate: number;
  readonly ratioToExchange: number;
  readonly roundMs: number;
  /**
   * Of a round, from invitation to invitation and so with its release: how long no shop has anything to do or to send. From
   * the last to join to the first told to train, and from the last report to the next invitation.
   */
  readonly roundOverheadMs: number;
  /** Resident memory of the coordinator for each idle, authenticated connection. */
  readonly idleConnectionBytes: number;
  /** The part of it that is objects of ours, of Node and of the WebSocket library. */
  readonly idleConnectionHeapBytes: number;
  readonly machine: Machine;
}

export const roundTurns = 7;
/** A turn is to last about so long. */
const turnMs = 1_000;

const urlSchema = z.strictObject({ url: z.string() });
const nothing = z.null();

export async function benchRounds({ clients, length, idleConnections, folder = tmpdir() }: RoundsOptions): Promise<RoundsBench> {
  const dataDir = mkdtempSync(join(folder, 'cesta-bench-'));
  const children: Child[] = [];
  const start = (name: string): Child => {
    const child = startChild(scriptPath(`./rounds/${name}-process.ts`, import.meta.url));
    children.push(child);
    return child;
  };
  try {
    const throughput = await measureRounds({ coordinator: start('coordinator'), floor: start('floor'), exchange: start('exchange'), shops: start('client') }, { clients, length, dataDir: join(dataDir, 'rounds') });
    const idle = await measureIdle({ coordinator: start('coordinator'), shops: start('client') }, idleConnections, join(dataDir, 'idle'));
    return { clients, length, ...throughput, ...idle, machine: machine() };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    rmSync(dataDir, { recursive: true, force: true });
  }
}

interface Parts {
  readonly coordinator: Child;
  readonly floor: Child;
  readonly exchange: Child;
  readonly shops: Child;
}

type Throughput = Omit<RoundsBench, 'clients' | 'length' | keyof Idle | 'machine'>;

interface Turn {
  readonly ms: number;
  readonly waitingMs: number;
}

const playedSchema = z.strictObject({ ms: z.number(), waitingMs: z.number() });
const movedSchema = z.number().transform((ms) => ({ ms, waitingMs: 0 }));

async function measureRounds({ coordinator, floor, exchange, shops }: Parts, { clients, length, dataDir }: { clients: number; length: number; dataDir: string }): Promise<Throughput> {
  const { url } = await coordinator.ask({ kind: 'start', dataDir, length, clients }, urlSchema);
  const { url: floorUrl } = await floor.ask({ kind: 'start', length }, urlSchema);
  const invitation = await shops.ask({ kind: 'open', coordinator: url, floor: floorUrl, clients, length }, z.string());
  const { url: exchangeUrl } = await exchange.ask({ kind: 'start', length, clients, invitation }, urlSchema);
  await shops.ask({ kind: 'open-exchange', exchange: exchangeUrl, clients, length }, nothing);
  const contests = [
    await prepare(coordinator, 20, (rounds) => shops.ask({ kind: 'rounds', rounds }, playedSchema)),
    await prepare(floor, 50, (rounds) => shops.ask({ kind: 'floor', rounds }, movedSchema)),
    await prepare(exchange, 20, (rounds) => shops.ask({ kind: 'exchange', rounds }, playedSchema)),
  ];
  for (let turn = 0; turn < roundTurns; turn += 1) for (const contest of contests) await contest.play();
  const [ours, bare, spoken] = await Promise.all(contests.map((contest) => contest.result(clients)));
  return {
    updatesPerSecond: ours.updatesPerSecond,
    serverCpuMsPerUpdate: ours.cpuMsPerUpdate,
    floorUpdatesPerSecond: bare.updatesPerSecond,
    floorCpuMsPerUpdate: bare.cpuMsPerUpdate,
    ratioToFloor: ours.updatesPerSecond / bare.updatesPerSecond,
    exchangeUpdatesPerSecond: spoken.updatesPerSecond,
    exchangeCpuMsPerUpdate: spoken.cpuMsPerUpdate,
    ratioToExchange: ours.updatesPerSecond / spoken.updatesPerSecond,
    roundMs: ours.roundMs,
    roundOverheadMs: ours.waitingMs,
  };
}

interface Contest {
  play(): Promise<void>;
  result(clients: number): Promise<{ roundMs: number; waitingMs: number; updatesPerSecond: number; cpuMsPerUpdate: number }>;
}

/** Warms up, and tells how many rounds make a turn. */
async function prepare(server: Child, warmUp: number, play: (rounds: number) => Promise<Turn>): Promise<Contest> {
  const rounds = Math.max(3, Math.ceil((turnMs * warmUp) / (await play(warmUp)).ms));
  const before = await server.ask({ kind: 'usage' }, usageSchema);
  const turns: Turn[] = [];
  return {
    play: async () => void turns.push(await play(rounds)),
    async result(clients) {
      const after = await server.ask({ kind: 'usage' }, usageSchema);
      const roundMs = medianOf(turns.map(({ ms }) => ms / rounds));
      const waitingMs = medianOf(turns.map((turn) => turn.waitingMs / rounds));
      return { roundMs, waitingMs, updatesPerSecond: (clients * 1_000) / roundMs, cpuMsPerUpdate: (after.cpuMs - before.cpuMs) / (turns.length * rounds * clients) };
    },
  };
}

type Idle = Pick<RoundsBench, 'idleConnectionBytes' | 'idleConnectionHeapBytes'>;

/** Connections before those that are measured, which stay: the first of them pay for code, caches and the room that a burst of handshakes takes. */
const warmUpConnections = 1_000;

async function measureIdle({ coordinator, shops }: Pick<Parts, 'coordinator' | 'shops'>, count: number, dataDir: string): Promise<Idle> {
  // More shops than will come: no round opens.
  const { url } = await coordinator.ask({ kind: 'start', dataDir, length: 100, clients: count + warmUpConnections + 1 }, urlSchema);
  await shops.ask({ kind: 'idle', coordinator: url, from: 1, to: warmUpConnections }, nothing);
  const before = await coordinator.ask({ kind: 'usage' }, usageSchema);
  await shops.ask({ kind: 'idle', coordinator: url, from: warmUpConnections + 1, to: warmUpConnections + count }, nothing);
  const after = await coordinator.ask({ kind: 'usage' }, usageSchema);
  return { idleConnectionBytes: (after.rssBytes - before.rssBytes) / count, idleConnectionHeapBytes: (after.heapBytes - before.heapBytes) / count };
}
