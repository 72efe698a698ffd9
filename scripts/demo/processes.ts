/** The demo's child processes: the coordinator, and hosts of several shop nodes each. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ComparisonRow } from './comparison.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface DemoProcess {
  readonly name: string;
  /** Resolves with the exit code once the process has ended. */
  readonly ended: Promise<number | null>;
  /** Asks it to end, and insists after ten seconds. */
  stop(): Promise<void>;
}

export interface CoordinatorProcess extends DemoProcess {
  readonly url: string;
}

const command = fileURLToPath(new URL('../cesta.mjs', import.meta.url));
const shopHost = fileURLToPath(new URL('./shop-host.ts', import.meta.url));
const yardsticks = fileURLToPath(new URL('./yardsticks.ts', import.meta.url));
const typescript = ['--import', import.meta.resolve('tsx')];

/** Starts `cesta serve` and waits until it says where it listens. */
export async function startCoordinatorProcess(args: readonly string[]): Promise<CoordinatorProcess> {
  const child = spawn(process.execPath, [command, 'serve', '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const running = supervise('coordinator', child);
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors.push(text);
    if (errors.length > 50) errors.shift();
  });
  const firstLine = new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const line = await Promise.race([firstLine, running.ended.then(() => null)]);
  if (line === null) throw startFailure(errors.join(''));
  const { url } = JSON.parse(line) as { url: string };
  return { ...running, url };
}

/** The child's own coded error if it printed one. */
function startFailure(stderr: string): CestaError {
  for (const line of stderr.split('\n').reverse()) {
    const match = /"code":"([a-z.-]+)","message":"((?:[^"\\]|\\.)*)"/.exec(line);
    if (match !== null) return new CestaError(match[1] as 'network.port-in-use', JSON.parse(`"${match[2]}"`) as string);
  }
  return new CestaError('internal', `coordinator: expected it to start, but it ended\n${stderr}`);
}

/** Starts one process that hosts shops `from..to` (1-based) of `of`. */
export function startShopHost(options: { coordinator: string; from: number; to: number; of: number; seed: number; stateDir: string; leaving: number }): DemoProcess {
  const child = spawn(process.execPath, [...typescript, shopHost, JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit'] });
  return supervise(`shops ${options.from}-${options.to}`, child);
}

/** Computes the yardsticks; `onRow` hears each as it is ready. */
export function startYardsticks(options: { shops: number; seed: number }, onRow: (row: ComparisonRow) => void): DemoProcess {
  const child = spawn(process.execPath, [...typescript, yardsticks, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => onRow(JSON.parse(line) as ComparisonRow));
  return supervise('yardsticks', child);
}

function supervise(name: string, child: ChildProcess): DemoProcess {
  const ended = new Promise<number | null>((resolve) => {
    // `close` comes after the last line of output was read.
    child.once('close', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  return {
    name,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(insist);
    },
  };
}
