/** `cesta bench`: speed, as medians of repeated runs on this machine. */
import type { Command } from 'commander';
import { print } from './output.ts';

export function addBench(program: Command): void {
  const bench = program.command('bench').description('measure speed: medians on this machine');
  bench
    .command('noise')
    .description('1,000,000 Skellam samples, fast and strict')
    .option('--json', 'print one JSON object')
    .action(async (options: { json?: boolean }) => {
      const { benchNoise } = await import('../bench/noise.ts');
      const result = benchNoise();
      print(options, result, `fast ${result.fastMs.toFixed(0)} ms, strict ${result.strictMs.toFixed(0)} ms for 1,000,000 samples`);
    });
  bench
    .command('accountant')
    .description('one epsilon by RDP, and one by the tight engine')
    .option('--json', 'print one JSON object')
    .action(async (options: { json?: boolean }) => {
      const { benchAccountant } = await import('../bench/accountant.ts');
      const result = benchAccountant();
      print(options, result, `RDP ${result.rdpMs.toFixed(1)} ms, tight ${result.tightMs.toFixed(0)} ms for one epsilon`);
    });
  bench
    .command('ranking')
    .description('candidate pairs of the embedded catalogue, and one ranking')
    .option('--json', 'print one JSON object')
    .action(async (options: { json?: boolean }) => {
      const { benchRanking } = await import('../bench/ranking.ts');
      const result = await benchRanking();
      print(options, result, `${result.pairs} candidate pairs of ${result.items} items in ${result.candidatesMs.toFixed(0)} ms, one ranking ${result.rankMs.toFixed(3)} ms`);
    });
}
