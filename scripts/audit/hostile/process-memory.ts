/** What the operating system says of a process's memory; Linux only. */
import { readFileSync } from 'node:fs';

export interface ProcessMemory {
  /** Resident bytes now, and at their most. */
  readonly rssBytes: number;
  readonly peakBytes: number;
}

/** Null where it cannot be measured, and for a process that is gone. */
export function memoryOf(pid: number): ProcessMemory | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytesOf = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
    const memory = { rssBytes: bytesOf('VmRSS'), peakBytes: bytesOf('VmHWM') };
    return Number.isFinite(memory.rssBytes) ? memory : null;
  } catch {
    return null;
  }
}
