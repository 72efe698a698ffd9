/** `cesta audit`: attacks on our own mechanisms, beside what they claim. */
import Table from 'cli-table3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileHandle } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { PrivacyAudit } from '../audit/privacy.ts';
import type { CrashesReport } from '../audit/crashes/crashes.ts';
import type { CrashMode } from '../audit/crashes/federation.ts';
import { addHostile } from './audit-hostile.ts';
import { addPoisoning } from './audit-poisoning.ts';
import { addDataOptions, readOptions, type DataOptions } from './data-options.ts';
import { integerIn, positiveNumber, positiveNumbers, probability } from './options.ts';
import { print } from './output.ts';

interface AuditCommandOptions {
  data: string;
  model: string;
  epsilon: number;
  delta: number;
  canaries: number;
  runs: number;
  seed: number;
  shops: number;
  json?: boolean;
}

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('attack the product\'s own mechanisms; exit code 1 when a claim does not hold');
  audit
    .command('privacy')
    .description('canaries in a simulated round: what an attacker proves about epsilon, beside what the ledger says')
    .option('--data <path>', 'online-retail, or a file of orders', 'online-retail')
    .option('--model <kind>', 'what is trained', 'neighbours')
    .option('--epsilon <number>', 'what is claimed', positiveNumber, 3)
    .option('--delta <number>', 'privacy slack', probability, 1e-5)
    .option('--canaries <n>', 'made-up shoppers, each in the sum by a fair coin', integerIn(100, 1_000_000), 2400)
    .option('--runs <n>', 'repetitions, all of which must stay below the claim', integerIn(1, 100), 5)
    .option('--seed <n>', 'of the coins', integerIn(0, 1_000_000_000), 1)
    .option('--shops <n>', 'shops whose noise the variance test adds up', integerIn(2, 1000), 8)
    .option('--json', 'print one JSON object')
    .action(async (options: AuditCommandOptions) => {
      const { auditPrivacy } = await import('../audit/privacy.ts');
      const result = await auditPrivacy(options);
      print(options, result, describe(result));
      if (!result.pass) process.exitCode = 1;
    });
  addAttacks(audit);
  addCrashes(audit);
  addHostile(audit);
  addPoisoning(audit);
}

interface AttacksCommandOptions extends DataOptions {
  model: string;
  shoppers: number;
  participants: number[];
  epsilons: number[];
  delta: number;
  seed: number;
  chart?: string;
  json?: boolean;
}

function addAttacks(audit: Command): void {
  addDataOptions(audit.command('attacks'), { positional: true })
    .description('what the coordinator\'s view gives an attacker, with and without each protection; exit code 1 if the plain upload is not caught, or a noised sum gives an item away')
    .option('--data <name|file>', 'online-retail (embedded), or a file of events, ratings or sequences', 'online-retail')
    .option('--model <kind>', 'whose uploads: neighbours, als or popularity', 'neighbours')
    .option('--shoppers <n>', 'victims; the attacker practises on as many others', integerIn(2, 100_000), 60)
    .option('--participants <list>', 'sizes of sums, comma-separated', sumSizes, [2, 10, 50, 200])
    .option('--epsilons <list>', 'of the noise, comma-separated', positiveNumbers, [8, 3, 1])
    .option('--delta <number>', 'privacy slack', probability, 1e-5)
    .option('--seed <n>', 'of victims, cohorts, noise and masks', integerIn(0, 1_000_000_000), 1)
    .option('--chart <file>', 'write the table as an SVG image')
    .option('--json', 'print one JSON object')
    .action(runAttacks);
}

async function runAttacks(options: AttacksCommandOptions): Promise<void> {
  const { data, model, shoppers, participants, epsilons, delta, seed, chart } = options;
  const { auditAttacks } = await import('../audit/attacks/attacks.ts');
  const { chartOf, describeAttacks } = await import('../audit/attacks/report.ts');
  const { renderChart } = await import('../audit/attacks/chart.ts');
  // Before the work, which a path that cannot be written would waste.
  const file = chart === undefined ? undefined : await openChart(chart);
  try {
    const report = await auditAttacks({ data, read: readOptions(options), model, shoppers, participants, epsilons, delta, seed });
    await file?.writeFile(renderChart(chartOf(report)));
    print(options, report, describeAttacks(report));
    if (!report.verdict.pass) process.exitCode = 1;
  } finally {
    await file?.close();
  }
}

interface CrashesCommandOptions {
  mode: CrashMode;
  kills: number;
  seed: number;
  folder?: string;
  json?: boolean;
}

function addCrashes(audit: Command): void {
  audit
    .command('crashes')
    .description('SIGKILL for a coordinator and its shops, again and again; exit code 1 if anything that was acknowledged is lost')
    .addOption(new Option('--mode <mode>', 'how the sums are protected').choices(['local', 'distributed']).default('distributed'))
    .option('--kills <n>', 'how often', integerIn(1, 100_000), 200)
    .option('--seed <n>', 'of who is killed when', integerIn(0, 1_000_000_000), 1)
    .option('--folder <path>', 'new folder for what the processes write (default: a temporary one)')
    .option('--json', 'print one JSON object')
    .action(async ({ mode, kills, seed, folder, json }: CrashesCommandOptions) => {
      const { auditCrashes } = await import('../audit/crashes/crashes.ts');
      const place = folder ?? mkdtempSync(join(tmpdir(), 'cesta-crashes-'));
      const report = await auditCrashes({ mode, kills, seed, folder: place });
      // What a failure left behind is what there is to look at.
      if (folder === undefined && report.findings.length === 0) rmSync(place, { recursive: true });
      print(json === true ? { json } : {}, report, describeCrashes(report));
      if (report.findings.length > 0) process.exitCode = 1;
    });
}

function describeCrashes({ mode, kills, rounds, charged, released, answers, receipts, findings }: CrashesReport): string {
  return [
    `${kills} kills in mode ${mode}: ${rounds} rounds, ${charged} charged, ${released} released; ${answers} answers and ${receipts} receipts were checked`,
    ...(findings.length === 0 ? ['Nothing that was acknowledged was lost, and nothing was counted twice.'] : findings.map((finding) => `LOST: ${finding}`)),
  ].join('\n');
}

async function openChart(path: string): Promise<FileHandle> {
  const { open } = await import('node:fs/promises');
  try {
    return await open(path, 'w');
  } catch (cause) {
    throw new CestaError('config.invalid', `chart: expected a file that can be written, got ${path}`, { cause });
  }
}

function sumSizes(text: string): number[] {
  return text.split(',').map(integerIn(2, 100_000));
}

function describe({ claimed, delta, canaries, provable, overshoot, shoppers, rows, noise, pass }: PrivacyAudit): string {
  const attacks = new Table({ head: ['run', 'claimed', 'proven at least', 'estimate', 'guesses right', 'as it should be'], style: { head: [], border: [] } });
  for (const row of rows) {
    attacks.push([row.name, row.claimed.toFixed(3), row.epsilonLowerBound.toFixed(3), row.epsilonEstimate.toFixed(2), `${row.correct} of ${row.guesses}`, row.pass ? 'yes' : 'NO']);
  }
  const tests = new Table({ head: ['release of nothing', 'variance over planned', 'deviation in standard errors', 'as it should be'], style: { head: [], border: [] } });
  for (const row of noise) tests.push([row.name, row.varianceRatio.toFixed(4), row.variance.toFixed(2), row.pass === row.expected ? 'yes' : 'NO']);
  return [
    `${canaries} canaries of ${overshoot.toFixed(1)} times the clip norm beside ${shoppers} shoppers; claimed epsilon ${claimed.toFixed(4)} at delta ${delta}`,
    attacks.toString(),
    tests.toString(),
    pass ? 'No claim was refuted, and every control was found out.' : 'A CLAIM DOES NOT HOLD, or a control was not found out.',
    ...(provable > claimed ? [] : [`So many canaries prove at most ${provable.toFixed(2)} at this delta, so they cannot refute this claim. More of them help only while 2 canaries delta stays small.`]),
    ...(rows.some(({ clip }) => !clip) ? [] : ['The norm clip was not tested: fewer canaries are wider, and exceed it by more.']),
    'A smoke alarm, not a proof: an attack proves a third to a half of what a mechanism gives away.',
  ].join('\n');
}
