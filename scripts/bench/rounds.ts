/**
 * Rounds of a real coordinator over loopback, beside the floor of the same run: a bare server that sums the same chunks.
 * Coordinator, floor and clients have a process each; rounds follow each other without a pause, and turns of both
 * alternate, so that a busy machine slows both.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
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
  readonly roundMs: number;
  /** A round, from invitation to invitation and so with its release, less what the floor takes to move the same bytes. */
  readonly roundOverheadMs: number;
  /** Resident memory of the coordinator for each idle, authenticated connection. */
  readonly idleConnectionBytes: number;
  /** The part of it that is objects of ours, of Node and of the WebSocket library. */
  readonly idleConnectionHeapBytes: number;
  readonly machine: Machine;
}

const repeats = 7;
/** A turn is to last about so long. */
const turnMs = 1_000;

const urlSchema = z.strictObject({ url: z.string() });
const nothing = z.null();

export async function benchRounds({ clients, length, idleConnections, folder = tmpdir() }: RoundsOptions): Promise<RoundsBench> {
  const dataDir = mkdtempSync(join(folder, 'cesta-bench-'));
  const children: Child[] = [];
  const start = (name: string): Child => {
    const child = startChild(new URL(`./rounds/${name}-process.ts`, import.meta.url));
    children.push(child);
    return child;
  };
  try {
    const throughput = await measureRounds({ coordinator: start('coordinator'), floor: start('floor'), shops: start('client') }, { clients, length, dataDir: join(dataDir, 'rounds') });
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
  readonly shops: Child;
}

type Throughput = Omit<RoundsBench, 'clients' | 'length' | keyof Idle | 'machine'>;

async function measureRounds({ coordinator, floor, shops }: Parts, { clients, length, dataDir }: { clients: number; length: number; dataDir: string }): Promise<Throughput> {
  const { url } = await coordinator.ask({ kind: 'start', dataDir, length, clients }, urlSchema);
  const { url: floorUrl } = await floor.ask({ kind: 'start', length }, urlSchema);
  await shops.ask({ kind: 'open', coordinator: url, floor: floorUrl, clients, length }, nothing);
  const play = async (kind: 'rounds' | 'floor', rounds: number): Promise<number> => (await shops.ask({ kind, rounds }, z.number())) / rounds;
  // Warms up, and tells how many rounds make a turn.
  const [aRound, aMove] = [await play('rounds', 20), await play('floor', 50)];
  const [rounds, moves] = [aRound, aMove].map((ms) => Math.max(3, Math.ceil(turnMs / ms)));
  const before = [await coordinator.ask({ kind: 'usage' }, usageSchema), await floor.ask({ kind: 'usage' }, usageSchema)];
  const roundTimes: number[] = [];
  const floorTimes: number[] = [];
  for (let turn = 0; turn < repeats; turn += 1) {
    roundTimes.push(await play('rounds', rounds));
    floorTimes.push(await play('floor', moves));
  }
  const after = [await coordinator.ask({ kind: 'usage' }, usageSchema), await floor.ask({ kind: 'usage' }, usageSchema)];
  const [roundMs, floorMs] = [medianOf(roundTimes), medianOf(floorTimes)];
  const [updatesPerSecond, floorUpdatesPerSecond] = [roundMs, floorMs].map((ms) => (clients * 1_000) / ms);
  return {
    updatesPerSecond,
    serverCpuMsPerUpdate: (after[0].cpuMs - before[0].cpuMs) / (repeats * rounds * clients),
    floorUpdatesPerSecond,
    floorCpuMsPerUpdate: (after[1].cpuMs - before[1].cpuMs) / (repeats * moves * clients),
    ratioToFloor: updatesPerSecond / floorUpdatesPerSecond,
    roundMs,
    roundOverheadMs: roundMs - floorMs,
  };
}

type Idle = Pick<RoundsBench, 'idleConnectionBytes' | 'idleConnectionHeapBytes'>;

/** Connections before those that are measured, which stay: the first of them pay for code, caches and the room that a burst of handshakes takes. */
const warmUpConnections = 1_000;

async function measureIdle({ coordinator, shops }: Omit<Parts, 'floor'>, count: number, dataDir: string): Promise<Idle> {
  // More shops than will come: no round opens.
  const { url } = await coordinator.ask({ kind: 'start', dataDir, length: 100, clients: count + warmUpConnections + 1 }, urlSchema);
  await shops.ask({ kind: 'idle', coordinator: url, from: 1, to: warmUpConnections }, nothing);
  const before = await coordinator.ask({ kind: 'usage' }, usageSchema);
  await shops.ask({ kind: 'idle', coordinator: url, from: warmUpConnections + 1, to: warmUpConnections + count }, nothing);
  const after = await coordinator.ask({ kind: 'usage' }, usageSchema);
  return { idleConnectionBytes: (after.rssBytes - before.rssBytes) / count, idleConnectionHeapBytes: (after.heapBytes - before.heapBytes) / count };
}
