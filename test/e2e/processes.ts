/** Runs the real command as real processes, each with a folder of its own, and cleans up. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../scripts/cesta.mjs', import.meta.url));

export interface Running {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves once the output matches; rejects with all output when the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

export interface Workshop {
  readonly folder: string;
  file(name: string, content: string | Uint8Array): string;
  /** @param variables Beside those of this process. */
  run(args: readonly string[], variables?: Readonly<Record<string, string>>): Running;
  close(): Promise<void>;
}

export function openWorkshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'cesta-test-'));
  const running: { child: ChildProcess; ended: Promise<number | null> }[] = [];
  return {
    folder,
    file(name, content) {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    run(args, variables = {}) {
      const child = spawn(process.execPath, [command, ...args], { cwd: folder, env: { ...process.env, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] });
      const view = observe(child);
      running.push({ child, ended: view.ended });
      return view;
    },
    async close() {
      for (const { child } of running) child.kill('SIGKILL');
      await Promise.all(running.map(({ ended }) => ended));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function observe(child: ChildProcess): Running {
  let [stdout, stderr] = ['', ''];
  const waiting = new Set<() => void>();
  const notify = (): void => waiting.forEach((check) => check());
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    notify();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    notify();
  });
  let over = false;
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => {
    over = true;
    resolve(code);
    notify();
  }));
  return {
    pid: child.pid ?? -1,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    kill: (signal) => void child.kill(signal),
    until: (pattern) => new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(stdout) ?? pattern.exec(stderr);
        if (match === null && !over) return;
        waiting.delete(check);
        if (match === null) reject(new Error(`expected ${String(pattern)}, got\n${stdout}\n${stderr}`));
        else resolve(match);
      };
      waiting.add(check);
      check();
    }),
  };
}

/** Events of one shop: every shopper buys the common items and some of its shop's own. */
export function eventsCsv(shop: number, shoppers = 12): string {
  const lines = ['event,item_id,shopper_id,timestamp,item_name'];
  for (let shopper = 0; shopper < shoppers; shopper += 1) {
    for (const [day, item] of [[1, 0], [1, 1], [2, 2 + (shopper % 4)], [3, 6 + ((shopper + shop) % 4)]] as const) {
      lines.push(`purchase,sku-${item},shopper-${shopper},2026-01-0${day}T10:00:00Z,${['red', 'blue', 'green'][item % 3]} ceramic tea mug number ${item}`);
    }
  }
  return lines.join('\n');
}
