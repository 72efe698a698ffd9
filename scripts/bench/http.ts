/**
 * A release over HTTP: how often a coordinator answers that nothing changed, and how often it sends the whole, beside a
 * bare server that gives answers of the same size. Each has a process of its own, and turns of both alternate.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { scriptPath } from '../child-script.ts';
import { startChild, usageSchema, type Child } from './children.ts';
import { machine, type Machine } from './machine.ts';
import { medianOf } from './median.ts';

export interface HttpBench {
  readonly releaseBytes: number;
  readonly connections: number;
  /** Answers of 304 to If-None-Match. */
  readonly notModifiedPerSecond: number;
  readonly releasePerSecond: number;
  readonly notModifiedFloorPerSecond: number;
  readonly releaseFloorPerSecond: number;
  readonly notModifiedRatio: number;
  readonly releaseRatio: number;
  /** Processor time of the coordinator. */
  readonly cpuMsPerNotModified: number;
  readonly cpuMsPerRelease: number;
  readonly machine: Machine;
}

export interface HttpOptions {
  readonly connections: number;
  /** Products of the catalogue; a release has 4 bytes for each. */
  readonly items: number;
}

export const httpTurns = 5;
const urlSchema = z.strictObject({ url: z.string() });

export async function benchHttp({ connections, items }: HttpOptions): Promise<HttpBench> {
  const dataDir = mkdtempSync(join(tmpdir(), 'cesta-bench-'));
  const children: Child[] = [];
  const start = (name: string): Child => {
    const child = startChild(scriptPath(`./http/${name}-process.ts`, import.meta.url));
    children.push(child);
    return child;
  };
  try {
    const [coordinator, floor, readers] = [start('server'), start('floor'), start('client')];
    const { url } = await coordinator.ask({ kind: 'start', dataDir, items }, urlSchema);
    await readers.ask({ kind: 'train', url, length: items + 1 }, z.null());
    const { headers } = await fetch(`${url}/v1/model`, { method: 'HEAD' });
    const releaseBytes = Number(headers.get('content-length'));
    const { url: floorUrl } = await floor.ask({ kind: 'start', bytes: releaseBytes }, urlSchema);
    const read = (at: string, ifNoneMatch: string | null) => async (requests: number): Promise<number> =>
      (await readers.ask({ kind: 'read', url: at, connections, requests, ifNoneMatch }, z.number())) / requests;
    const unchanged = await compare(coordinator, read(url, headers.get('etag')), read(floorUrl, '"floor"'), 5_000);
    const whole = await compare(coordinator, read(url, null), read(floorUrl, null), 200);
    return {
      releaseBytes, connections,
      notModifiedPerSecond: unchanged.perSecond, releasePerSecond: whole.perSecond,
      notModifiedFloorPerSecond: unchanged.floorPerSecond, releaseFloorPerSecond: whole.floorPerSecond,
      notModifiedRatio: unchanged.perSecond / unchanged.floorPerSecond, releaseRatio: whole.perSecond / whole.floorPerSecond,
      cpuMsPerNotModified: unchanged.cpuMs, cpuMsPerRelease: whole.cpuMs,
      machine: machine(),
    };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    rmSync(dataDir, { recursive: true, force: true });
  }
}

type Turn = (requests: number) => Promise<number>;

/** Medians of turns that alternate, after one of each that warms up. `cpuMs`: of the coordinator, a request. */
async function compare(coordinator: Child, served: Turn, bare: Turn, requests: number): Promise<{ perSecond: number; floorPerSecond: number; cpuMs: number }> {
  await served(requests);
  await bare(requests);
  const before = await coordinator.ask({ kind: 'usage' }, usageSchema);
  const times: { servedMs: number; bareMs: number }[] = [];
  for (let turn = 0; turn < httpTurns; turn += 1) times.push({ servedMs: await served(requests), bareMs: await bare(requests) });
  const after = await coordinator.ask({ kind: 'usage' }, usageSchema);
  return {
    perSecond: 1_000 / medianOf(times.map(({ servedMs }) => servedMs)),
    floorPerSecond: 1_000 / medianOf(times.map(({ bareMs }) => bareMs)),
    cpuMs: (after.cpuMs - before.cpuMs) / (httpTurns * requests),
  };
}
