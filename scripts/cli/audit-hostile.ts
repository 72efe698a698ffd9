/** `cesta audit hostile`: participants that keep to no rule, against a real coordinator. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import type { HostileReport, MemoryReport } from '../audit/hostile/hostile.ts';
import type { HostileMode } from '../audit/hostile/task.ts';
import { integerIn } from './options.ts';
import { print } from './output.ts';

interface HostileCommandOptions {
  mode: HostileMode;
  frames: number;
  seed: number;
  idle: number;
  json?: boolean;
}

export function addHostile(audit: Command): void {
  audit
    .command('hostile')
    .description('misbehaviour, mutated frames and floods against a real coordinator while honest shops train; exit code 1 if it dies, its memory grows, or they do not finish')
    .addOption(new Option('--mode <mode>', 'how the sums are protected').choices(['local', 'distributed']).default('local'))
    .option('--frames <n>', 'mutated frames', integerIn(1, 100_000_000), 1_000_000)
    .option('--seed <n>', 'of the mutations', integerIn(0, 1_000_000_000), 1)
    .option('--idle <n>', 'sockets that say nothing; fewer where the system allows fewer', integerIn(1, 50_000), 10_000)
    .option('--json', 'print one JSON object')
    .action(async ({ mode, frames, seed, idle, json }: HostileCommandOptions) => {
      const { auditHostile } = await import('../audit/hostile/hostile.ts');
      const folder = mkdtempSync(join(tmpdir(), 'cesta-hostile-'));
      try {
        const report = await auditHostile({ mode, frames, seed, idle, folder, onProgress: everyFewSeconds() });
        print(json === true ? { json } : {}, report, describe(report));
        if (report.findings.length > 0) process.exitCode = 1;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
}

function everyFewSeconds(): (what: string) => void {
  let saidAt = performance.now();
  return (what) => {
    if (performance.now() - saidAt < 10_000) return;
    saidAt = performance.now();
    process.stderr.write(`${what}\n`);
  };
}

function describe({ mode, attack, flood, findings }: HostileReport): string {
  return [
    `mode ${mode}: ${attack.cases.length} cases and ${attack.frames} mutated frames in ${Math.round(attack.seconds)} s, while ${attack.rounds} rounds completed`,
    `frames sent: ${listed(attack.byState)}`,
    `answers: ${listed(attack.answers)}`,
    `memory of the coordinator: ${memory(attack.memory)}`,
    `${flood.idleOpened} idle sockets${flood.idleOpened < flood.idleAsked ? ` (of ${flood.idleAsked}: the system allows no more)` : ''}: ${flood.idleBytesPerConnection === null ? 'memory not measured' : `${flood.idleBytesPerConnection} bytes each`}; ${flood.rounds} rounds completed beside them`,
    `connections beyond the room: ${listed(flood.refusedBeyondRoom)}; beyond one address: ${listed(flood.refusedBeyondAddress)}`,
    `enrolments: ${listed(flood.enrolments)}`,
    `memory of the coordinator: ${memory(flood.memory)}`,
    ...(findings.length === 0 ? ['It lived, answered as it should, and every honest shop finished.'] : findings.map((finding) => `BROKEN: ${finding}`)),
  ].join('\n');
}

function memory(report: MemoryReport | null): string {
  return report === null ? 'not measured' : `${Math.round(report.beforeBytes / 1e6)} MB before, ${Math.round(report.peakBytes / 1e6)} MB at its most`;
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts).sort(([, a], [, b]) => b - a).map(([name, count]) => `${count} ${name}`).join(', ');
}
