/**
 * One process of this machine at a time works on a run. Each leaves a file with its number in the name before it looks for others: of two that come
 * at once both see the other and give up, never none. A process that was killed leaves its file; whoever comes next takes it away.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CestaError } from '../../shared/protocol/errors.ts';

/** Its end is heard by what it left running only a little later, such as the processes of its jobs. */
const patienceMs = 10_000;
const prefix = 'lock-';

export interface Lock {
  release(): void;
}

/**
 * Waits a little for a process that is there.
 * @throws CestaError `experiment.busy` when it stays
 */
export async function lockRun(folder: string, waitMs = patienceMs): Promise<Lock> {
  mkdirSync(folder, { recursive: true });
  for (let waitedMs = 0; ; waitedMs += 100) {
    const holder = tryLock(folder);
    if (holder === null) break;
    if (waitedMs >= waitMs) throw new CestaError('experiment.busy', `${folder}: expected a run that nobody works on, got one that process ${holder} works on`);
    await sleep(100);
  }
  return { release: () => rmSync(join(folder, ownName()), { force: true }) };
}

/** @returns null when the folder is ours, else the process whose it is */
function tryLock(folder: string): number | null {
  const own = ownName();
  if (!placeOwn(join(folder, own))) return process.pid;
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix) || name === own) continue;
    const [pid, started] = name.slice(prefix.length).split('-');
    if (isAlive(Number(pid), started)) {
      rmSync(join(folder, own), { force: true });
      return Number(pid);
    }
    rmSync(join(folder, name), { force: true });
  }
  return null;
}

/** False where this process works on the run already. */
function placeOwn(path: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx' });
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
    throw thrown;
  }
}

function ownName(): string {
  return `${prefix}${process.pid}-${startOf(process.pid)}`;
}

function isAlive(pid: number, started: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    // A process of another user may not be signalled, and is there.
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM')) return false;
  }
  return startOf(pid) === started;
}

/**
 * Numbers of processes come again, in a container those of the last one at once: with the time of its start, in ticks since the machine
 * was started, a number is one process. Where the system does not tell, the number has to do.
 */
function startOf(pid: number): string {
  try {
    // The name of the program, in parentheses, may hold spaces; the start is the 22nd field.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    // A zombie works on nothing any more.
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return '0';
  }
}
