/** What a measurement was taken on: figures of two machines, or versions, are not one series. */
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import * as z from 'zod';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  /** Processes that wanted a core, over the last minute: beyond `cores`, others were at work as well. */
  readonly load: number;
  readonly node: string;
  readonly v8: string;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / 2 ** 20),
    load: loadavg()[0],
    node: process.versions.node,
    v8: process.versions.v8,
  };
}

/** Of a library that is measured, or measured with. */
export function installedVersion(name: string): string {
  return z.object({ version: z.string() }).parse(createRequire(import.meta.url)(`${name}/package.json`)).version;
}

export function describeMachine({ cpu, cores, load, node }: Machine): string {
  return `${cores} x ${cpu}, load ${load.toFixed(1)}, Node ${node}`;
}
