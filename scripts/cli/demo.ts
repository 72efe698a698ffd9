/** `cesta demo`: see it work, on real orders, with nothing to download. */
import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import { Option, type Command } from 'commander';
import ora from 'ora';
import { privacyModes } from '../../shared/federation/plan.ts';
import { groupRules, mostGroups, type RobustRule } from '../../shared/federation/robust/rule.ts';
import { monthCount } from '../demo/calendar.ts';
import type { DemoResult } from '../demo/demo.ts';
import type { MeasuredRelease } from '../demo/findings.ts';
import { integerIn, positiveNumber, probability } from './options.ts';
import { print, untilStopped } from './output.ts';
import { robustOf } from './robust-options.ts';

interface DemoCommandOptions {
  epsilon: number;
  delta: number;
  shops: number;
  mode?: string;
  rounds: number;
  monthSeconds: number;
  robust?: RobustRule;
  groups?: number;
  leaving: number;
  seed: number;
  port: number;
  once?: boolean;
  json?: boolean;
}

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('a year of real orders, shops in a few processes, one private round a month, and what each release is worth')
    .option('--epsilon <number>', 'privacy of the whole year', positiveNumber, 3)
    .option('--delta <number>', 'privacy slack', probability, 1e-5)
    .option('--shops <n>', 'shops the orders are split over', integerIn(1, 200), 20)
    .addOption(new Option('--mode <mode>', 'how the sums are protected (default: distributed; local with fewer than 5 shops)').choices(privacyModes))
    .option('--rounds <n>', 'rounds that make the year and share its budget; with 1, all orders train at once', integerIn(1, monthCount), monthCount)
    .option('--month-seconds <n>', 'from one round to the next, at least; 0: as fast as rounds go', integerIn(0, 86_400), 5)
    .addOption(new Option('--robust <rule>', 'combine sums of groups of shops, so that a few shops cannot move a release far').choices(groupRules))
    .option('--groups <n>', 'so many groups, with --robust (default: 3)', integerIn(3, mostGroups))
    .option('--leaving <n>', 'shops that leave in the middle of the first round', integerIn(0, 50), 0)
    .option('--seed <n>', 'how shoppers are split over shops', integerIn(0, 2 ** 31 - 1), 1)
    .option('--port <n>', 'port of the coordinator, the demo shop and the backstage take the next two; a port that is taken is replaced by a free one; 0 picks all three', integerIn(0, 65_533), 8787)
    .option('--once', 'exit when the comparison is shown')
    .option('--json', 'print JSON and nothing else: the addresses (not with --once), then the result')
    .action(runDemo);
}

async function runDemo({ json, once, robust, groups, ...options }: DemoCommandOptions): Promise<void> {
  const { startDemo } = await import('../demo/demo.ts');
  const mode = options.mode ?? (options.shops < 5 ? 'local' : 'distributed');
  const spinner = ora({ text: 'starting', isSilent: json === true }).start();
  const stopped = untilStopped();
  const sayRelease = (release: MeasuredRelease): void => {
    if (json === true) return;
    spinner.clear();
    process.stdout.write(`${describeRelease(release, options.epsilon)}\n`);
    spinner.text = 'the next month';
  };
  let demo;
  try {
    demo = await startDemo({ ...options, ...robustOf({ robust, groups: groups ?? (robust === undefined ? undefined : 3) }), mode, progress: (text) => void (spinner.text = text), onRelease: sayRelease });
    spinner.clear();
    // Whoever asks for the comparison alone gets one object.
    if (json !== true || once !== true) print({ json: json === true }, { addresses: demo.addresses }, Object.entries(demo.addresses).map(([name, url]) => `${name.padEnd(12)} ${url}`).join('\n'));
    const result = await Promise.race([demo.result, stopped.then(() => null)]);
    if (result !== null) {
      spinner.succeed(`the year is over, after ${result.seconds.toFixed(1)} s`);
      print({ json: json === true }, result, describe(result));
      if (once !== true) {
        if (json !== true) process.stderr.write('Serving until Ctrl-C.\n');
        await stopped;
      }
    } else spinner.stop();
  } catch (error) {
    // A terminal tells all processes to end at once, and one of the others may be heard first.
    if (await Promise.race([stopped.then(() => true), sleep(200, false)])) spinner.stop();
    else {
      spinner.fail('the demo failed');
      throw error;
    }
  } finally {
    await demo?.stop();
  }
}

function describeRelease({ month, version, shops, row: { ndcg10, ndcg10Interval: [low, high] }, epsilon }: MeasuredRelease, promised: number): string {
  const spent = epsilon === null ? 'no noise' : `epsilon ${epsilon.toFixed(2)} of ${promised}`;
  return `${month.padEnd(8)}  release ${String(version).padStart(2)}  ${shops} shops  ndcg@10 ${ndcg10.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]  ${spent}`;
}

function describe({ models, epsilon, delta, mode, releaseUrl, shelf }: DemoResult): string {
  const table = new Table({ head: ['model', 'ndcg@10', '95 % interval', 'recall@20', 'coverage@20'], style: { head: [], border: [] }, colAligns: ['left', 'right', 'right', 'right', 'right'] });
  for (const { name, ndcg10, ndcg10Interval, recall20, coverage20 } of models) {
    table.push([name, ndcg10.toFixed(4), ndcg10Interval.map((bound) => bound.toFixed(4)).join(' .. '), recall20.toFixed(4), coverage20.toFixed(3)]);
  }
  const promise = epsilon === null ? 'mode none: nothing is promised to shoppers' : `mode ${mode}: epsilon ${epsilon.toPrecision(3)}, delta ${delta}, per shopper and shop, against everybody but the shop itself`;
  const lines = shelf.items.map(({ title, item_id, source, because }, rank) => {
    const reasons = because.map((reason) => shelf.bought[shelf.boughtIds.indexOf(reason.item_id)] ?? reason.item_id);
    return `  ${rank + 1}. ${title ?? item_id}  [${source}${reasons.length === 0 ? '' : `, because of ${reasons.join(', ')}`}]`;
  });
  return [table.toString(), promise, '', `Release: ${releaseUrl}`, '', `A shopper who bought ${shelf.bought.join(', ')} sees:`, ...lines].join('\n');
}
