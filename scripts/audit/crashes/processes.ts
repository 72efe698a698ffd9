/** Real `cesta` processes that are killed without a word: a spare one is always loading, so that a restart is quick. */
import { fork, type ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CommandProcess {
  /** What it printed on stdout; ends with the process. */
  readonly firstLine: Promise<string | null>;
  /** Resolves once the process has ended, with what it last wrote to stderr. */
  readonly ended: Promise<string>;
  readonly isRunning: boolean;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface ProcessStable {
  /** Runs `cesta` with these arguments; resolves when the process has been told to. */
  run(args: readonly string[]): Promise<CommandProcess>;
  /** Kills whatever still runs. */
  close(): Promise<void>;
}

interface Loading {
  readonly child: ChildProcess;
  readonly loaded: Promise<void>;
}

/**
 * @param compiled the folder of `runnableTree`
 * @param logFile gets what all processes write to stderr
 */
export function openStable(compiled: string, logFile: string): ProcessStable {
  const script = join(compiled, 'scripts/audit/crashes/command-process.js');
  const all = new Set<ChildProcess>();
  const load = (): Loading => {
    const child = fork(script, { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    all.add(child);
    child.once('close', () => all.delete(child));
    return { child, loaded: new Promise((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('close', () => reject(new Error('a process ended while it was loading')));
    }) };
  };
  let spare = load();
  spare.loaded.catch(() => undefined);
  return {
    async run(args) {
      const { child, loaded } = spare;
      await loaded;
      const running = observe(child, logFile);
      child.send([...args]);
      spare = load();
      // Whoever takes it hears of a failure; a stable that closes does not care.
      spare.loaded.catch(() => undefined);
      return running;
    },
    async close() {
      await Promise.all([...all].map((child) => new Promise((resolve) => {
        child.once('close', resolve);
        child.kill('SIGKILL');
      })));
    },
  };
}

function observe(child: ChildProcess, logFile: string): CommandProcess {
  let [stdout, stderr, isRunning] = ['', '', true];
  let onLine: (line: string | null) => void = () => undefined;
  const firstLine = new Promise<string | null>((resolve) => {
    onLine = resolve;
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.includes('\n')) onLine(stdout.slice(0, stdout.indexOf('\n')));
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-10_000);
    appendFileSync(logFile, text);
  });
  const ended = new Promise<string>((resolve) => child.once('close', () => {
    isRunning = false;
    onLine(null);
    resolve(stderr);
  }));
  return {
    firstLine,
    ended,
    get isRunning() {
      return isRunning;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
