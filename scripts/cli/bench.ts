/** `cesta bench`: speed, as medians of repeated runs on this machine. */
import type { Command } from 'commander';
import { print } from './output.ts';

export function addBench(program: Command): void {
  const bench = program.command('bench').description('measure speed: medians on this machine');
  addMeasure(bench, 'noise', '1,000,000 Skellam samples, fast and strict', async () => (await import('../bench/noise.ts')).benchNoise(),
    ({ fastMs, strictMs }) => `fast ${fastMs.toFixed(0)} ms, strict ${strictMs.toFixed(0)} ms for 1,000,000 samples`);
  addMeasure(bench, 'dense', 'mean-squared error of 16-bit sums of dense vectors over that of Gaussian noise at equal epsilon', async () => (await import('../bench/dense.ts')).benchDense(),
    ({ bits, vectors, length, mseRatio, mseRatioToExactGaussian, standardError }) => `${bits} bits, ${vectors} vectors of ${length}: error ${mseRatio.toFixed(4)} times that of a Gaussian accounted alike, ${mseRatioToExactGaussian.toFixed(4)} times by its exact curve (+- ${standardError.toFixed(4)})`);
  addMeasure(bench, 'accountant', 'one epsilon by RDP, and one by the tight engine', async () => (await import('../bench/accountant.ts')).benchAccountant(),
    ({ rdpMs, tightMs }) => `RDP ${rdpMs.toFixed(1)} ms, tight ${tightMs.toFixed(0)} ms for one epsilon`);
  addMeasure(bench, 'ranking', 'candidate pairs of the embedded catalogue, and one ranking', async () => (await import('../bench/ranking.ts')).benchRanking(),
    ({ items, pairs, candidatesMs, rankMs }) => `${pairs} candidate pairs of ${items} items in ${candidatesMs.toFixed(0)} ms, one ranking ${rankMs.toFixed(3)} ms`);
}

function addMeasure<Result>(bench: Command, name: string, description: string, measure: () => Promise<Result>, words: (result: Result) => string): void {
  bench
    .command(name)
    .description(description)
    .option('--json', 'print one JSON object')
    .action(async (options: { json?: boolean }) => {
      const result = await measure();
      print(options, result, words(result));
    });
}
