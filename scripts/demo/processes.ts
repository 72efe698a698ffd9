/** The demo's child processes: the coordinator, hosts of several shop nodes each, and whatever takes long. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isErrorCode } from '../../shared/protocol/error-table.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { scriptExecArgv, scriptPath } from '../child-script.ts';

export interface DemoProcess {
  readonly name: string;
  /** Resolves with the exit code once the process has ended. */
  readonly ended: Promise<number | null>;
  /** The last lines that it wrote on stderr. */
  readonly complaints: () => string;
  /** Asks it to end, and insists after ten seconds. */
  stop(): Promise<void>;
}

export interface CoordinatorProcess extends DemoProcess {
  readonly url: string;
}

const command = fileURLToPath(new URL('../cesta.mjs', import.meta.url));
const keptComplaints = 50;

/** Starts `cesta serve` and waits until it says where it listens. */
export async function startCoordinatorProcess(args: readonly string[]): Promise<CoordinatorProcess> {
  const child = spawn(process.execPath, [command, 'serve', '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const running = supervise('coordinator', child);
  const firstLine = new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const line = await Promise.race([firstLine, running.ended.then(() => null)]);
  if (line === null) throw failureOf(running);
  const { url } = JSON.parse(line) as { url: string };
  return { ...running, url };
}

/** The child's own coded error if it printed one. */
export function failureOf({ name, complaints }: Pick<DemoProcess, 'name' | 'complaints'>): CestaError {
  for (const line of complaints().split('\n').reverse()) {
    const match = /"code":"([a-z.-]+)","message":"((?:[^"\\]|\\.)*)"/.exec(line);
    if (match !== null && isErrorCode(match[1])) return new CestaError(match[1], JSON.parse(`"${match[2]}"`) as string);
  }
  return new CestaError('internal', `${name}: expected it to work, but it ended\n${complaints()}`);
}

/** Starts a script of this folder with options as JSON; `onLine` hears each line of JSON that it writes. */
export function startScript(name: string, script: string, options: unknown, onLine: (line: unknown) => void = () => undefined): DemoProcess {
  const child = spawn(process.execPath, [...scriptExecArgv(), scriptPath(script, import.meta.url), JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] });
  createInterface({ input: child.stdout }).on('line', (line) => onLine(JSON.parse(line)));
  return supervise(name, child);
}

function supervise(name: string, child: ChildProcess): DemoProcess {
  const lines: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lines.push(text);
    if (lines.length > keptComplaints) lines.shift();
  });
  const ended = new Promise<number | null>((resolve) => {
    // `close` comes after the last line of output was read.
    child.once('close', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  return {
    name,
    ended,
    complaints: () => lines.join(''),
    async stop() {
      child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(insist);
    },
  };
}
