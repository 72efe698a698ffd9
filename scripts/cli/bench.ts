/** `cesta bench`: speed, as medians of repeated runs on this machine. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { addBackendOption, backendOf, type BackendOptions } from './backend-options.ts';
import { describeMachine } from '../bench/machine.ts';
import type { BenchSuite } from '../bench/suite/suite.ts';
import { integerIn, numberIn } from './options.ts';
import { print } from './output.ts';

export function addBench(program: Command): void {
  const bench = program.command('bench').description('measure speed: medians on this machine');
  addSuite(bench);
  addMeasures(bench);
  addTraining(bench);
  bench
    .command('aggregation')
    .description('adding up reports, beyond receiving them')
    .option('--participants <n>', 'shops in the round', integerIn(1, 100_000), 100)
    .option('--length <n>', 'coordinates of a report', integerIn(1, 1 << 26), 1_000_000)
    .option('--json', 'print one JSON object')
    .action(async ({ json, ...round }: { json?: boolean; participants: number; length: number }) => {
      const result = (await import('../bench/aggregation.ts')).benchAggregation(round);
      print({ json: json === true }, result, `${result.participants} reports of ${result.length} coordinates in ${result.cpuMs.toFixed(0)} ms of processor time, at most ${result.peakRssMb.toFixed(0)} MB`);
    });
  bench
    .command('rounds')
    .description('rounds of a real coordinator without a pause, beside a bare server that sums the same chunks')
    .option('--clients <n>', 'shops in the round', integerIn(1, 10_000), 100)
    .option('--length <n>', 'coordinates of a report', integerIn(10, 1 << 22), 1_000)
    .option('--idle-connections <n>', 'connections whose memory is measured', integerIn(1, 8_000), 2_000)
    .option('--folder <folder>', 'where the coordinator keeps its journal (default: the temporary folder)')
    .option('--json', 'print one JSON object')
    .action(async ({ json, ...round }: { json?: boolean; clients: number; length: number; idleConnections: number; folder?: string }) => {
      const result = await (await import('../bench/rounds.ts')).benchRounds(round);
      const { updatesPerSecond, serverCpuMsPerUpdate, floorUpdatesPerSecond, ratioToFloor, ratioToExchange, roundOverheadMs, idleConnectionBytes } = result;
      print({ json: json === true }, result, `${result.clients} shops, ${result.length} coordinates: ${updatesPerSecond.toFixed(0)} reports a second (${serverCpuMsPerUpdate.toFixed(2)} ms of processor time each), `
        + `${(100 * ratioToFloor).toFixed(0)} % of the ${floorUpdatesPerSecond.toFixed(0)} of a bare server, ${(100 * ratioToExchange).toFixed(0)} % of one that says as much; shops wait ${roundOverheadMs.toFixed(0)} ms a round for the coordinator, an idle connection ${(idleConnectionBytes / 1_000).toFixed(1)} kB\n${describeMachine(result.machine)}`);
    });
  bench
    .command('http')
    .description('a release over HTTP, unchanged and whole, beside a bare server with answers of the same size')
    .option('--connections <n>', 'connections that are kept alive', integerIn(1, 1_000), 16)
    .option('--items <n>', 'products of the catalogue: 4 bytes of the release each', integerIn(10, 1 << 22), 1 << 20)
    .option('--json', 'print one JSON object')
    .action(async ({ json, ...options }: { json?: boolean; connections: number; items: number }) => {
      const result = await (await import('../bench/http.ts')).benchHttp(options);
      const { releaseBytes, notModifiedPerSecond, releasePerSecond, notModifiedRatio, releaseRatio } = result;
      print({ json: json === true }, result, `304: ${notModifiedPerSecond.toFixed(0)} a second (${(100 * notModifiedRatio).toFixed(0)} % of a bare server); ${(releaseBytes / 1e6).toFixed(1)} MB: ${releasePerSecond.toFixed(0)} a second (${(100 * releaseRatio).toFixed(0)} %)\n${describeMachine(result.machine)}`);
    });
  bench
    .command('secagg')
    .description('a masked round: processor time of both sides, bytes sent, and whether the sum is exact')
    .option('--participants <n>', 'shops in the round', integerIn(4, 5_000), 100)
    .option('--length <n>', 'coordinates of a vector', integerIn(1, 1 << 24), 100_000)
    .option('--dropout <share>', 'share of the shops that leaves before its vector', numberIn(0, 0.33), 0.1)
    .option('--json', 'print one JSON object')
    .action(async ({ json, ...round }: { json?: boolean; participants: number; length: number; dropout: number }) => {
      const result = await (await import('../bench/secagg.ts')).benchSecagg(round);
      const { participants, length, dropouts, clientCpuMs, aggregatorCpuMs, uploadBytes, uploadRatio, exact, peakRssMb } = result;
      print({ json: json === true }, result, `${participants} shops, ${length} coordinates, ${dropouts} left: a shop ${clientCpuMs.toFixed(0)} ms and ${uploadBytes} bytes (${uploadRatio.toFixed(3)} of 4 a coordinate), `
        + `the coordinator ${aggregatorCpuMs.toFixed(0)} ms, at most ${peakRssMb.toFixed(0)} MB; the sum is ${exact ? 'exact' : 'WRONG'}`);
      if (!exact) process.exitCode = 1;
    });
}

function addSuite(bench: Command): void {
  bench
    .command('all', { isDefault: true })
    .description('every measure beside a floor or a library of the same run; some minutes')
    .option('--only <measures>', 'comma-separated: some of them', (text) => text.split(',').map((name) => name.trim()))
    .option('--json', 'print one JSON object')
    .action(async ({ json, only }: { json?: boolean; only?: string[] }) => {
      const { benchAll } = await import('../bench/suite/suite.ts');
      const result = await benchAll(only, (name) => void process.stderr.write(`${name} ...\n`));
      print({ json: json === true }, result, describeSuite(result));
    });
}

function describeSuite({ rows, machine, seconds }: BenchSuite): string {
  const table = new Table({ head: ['measure', 'what', 'unit', 'Cesta', 'reference', 'in the same run', 'times as fast'], style: { head: [], border: [] }, colWidths: [null, 44, null, null, 36, null, null], wordWrap: true });
  for (const { measure, what, unit, ours, reference, theirs, timesAsFast } of rows) table.push([measure, what, unit, figure(ours), reference, figure(theirs), figure(timesAsFast)]);
  return `${table.toString()}\n${describeMachine(machine)}; ${seconds.toFixed(0)} s`;
}

/** Three digits, and no exponent. */
function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function addMeasures(bench: Command): void {
  addMeasure(bench, 'noise', '1,000,000 Skellam samples, fast and strict', async () => (await import('../bench/noise.ts')).benchNoise(),
    ({ fastMs, strictMs }) => `fast ${fastMs.toFixed(0)} ms, strict ${strictMs.toFixed(0)} ms for 1,000,000 samples`);
  addMeasure(bench, 'dense', 'mean-squared error of 16-bit sums of dense vectors over that of Gaussian noise at equal epsilon', async () => (await import('../bench/dense.ts')).benchDense(),
    ({ bits, vectors, length, mseRatio, mseRatioToExactGaussian, standardError }) => `${bits} bits, ${vectors} vectors of ${length}: error ${mseRatio.toFixed(4)} times that of a Gaussian accounted alike, ${mseRatioToExactGaussian.toFixed(4)} times by its exact curve (+- ${standardError.toFixed(4)})`);
  addMeasure(bench, 'accountant', 'one epsilon by RDP, and one by the tight engine', async () => (await import('../bench/accountant.ts')).benchAccountant(),
    ({ rdpMs, tightMs }) => `RDP ${rdpMs.toFixed(1)} ms, tight ${tightMs.toFixed(0)} ms for one epsilon`);
  addMeasure(bench, 'ranking', 'candidate pairs of the embedded catalogue, one ranking, and a whole shelf at 10,000 items', async () => (await import('../bench/ranking.ts')).benchRanking(),
    ({ items, pairs, candidatesMs, rankMs, shelf }) => `${pairs} candidate pairs of ${items} items in ${candidatesMs.toFixed(0)} ms, one ranking ${rankMs.toFixed(3)} ms; a shelf with rules and diversity at ${shelf.items} items ${shelf.p50Ms.toFixed(2)} ms, 95 % within ${shelf.p95Ms.toFixed(2)} ms (${shelf.cpuP95Ms.toFixed(2)} of processor time)`);
}

function addTraining(bench: Command): void {
  addBackendOption(bench.command('training').description('a step of SASRec with the project\'s kernels and without, one contribution to als, the best 20 of 100,000 rows'))
    .option('--json', 'print one JSON object')
    .action(async ({ json, ...options }: { json?: boolean } & BackendOptions) => {
      const result = await (await import('../bench/training.ts')).benchTraining(backendOf(options));
      const { sequenceStepMs, stockStepMs, ratio, cpuRatio, alsContributionMs, topKMs, backend, simd } = result;
      print({ json: json === true }, result, `a step of SASRec ${sequenceStepMs.toFixed(0)} ms on ${backend}${simd ? ' with SIMD kernels' : ''}, ${stockStepMs.toFixed(0)} ms on WebAssembly as it comes: ${ratio.toFixed(1)} times as fast (${cpuRatio.toFixed(1)} by processor time); `
        + `a contribution to als ${alsContributionMs.toFixed(3)} ms, the best 20 of 100,000 rows ${topKMs.toFixed(2)} ms\n${describeMachine(result.machine)}`);
    });
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
